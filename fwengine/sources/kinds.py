"""What kind of text a file is if it is no policy: another firewall's rules, its listing, a log, a page.

Asked only of a text that does not parse. Each kind is told by lines that it has and a policy cannot have.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of text: what people call it, how it is told, and what to do with it."""

    title: str
    pattern: re.Pattern[str]
    help: str


def _lines(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^(?:{pattern})", re.MULTILINE)


_API: Final = "`fwengine.formats` reads it from Python (docs/formats)"
_SAVE: Final = "run it, and save what it made: `iptables-save`"
_OURS: Final = "write the rules in the language of the README"

KINDS: Final = (
    Kind("rules of iptables-save", _lines(r"\*(?:filter|nat|mangle|raw|security)\s*$|-A \S+ .*-[jg] \S"), _API),
    Kind(
        "a listing of `iptables -L`",
        _lines(r"Chain \S+ \((?:policy \w+|\d+ references)\)"),
        "it leaves out conditions: save the rules with `iptables-save`",
    ),
    Kind("a rule set of nftables", _lines(r"table (?:(?:ip|ip6|inet|arp|bridge|netdev) )?\S+ \{|#!.*\bnft\b|flush ruleset"), _OURS),
    Kind('a rule set of nftables in JSON', re.compile(r'\A\s*\{\s*"nftables"'), _OURS),
    Kind(
        "the output of `show access-lists`",
        _lines(r"(?:Extended|Standard) IP access list |access-list .*\(hitcnt=|IPv6 access list "),
        "it leaves out where the lists are applied: save `show running-config`",
    ),
    Kind(
        "a configuration of a Cisco device",
        _lines(r"(?:ip|ipv6) access-list |access-list \S+ (?:extended|standard|permit|deny|remark) |object-group (?:network|service) "),
        _API,
    ),
    Kind("a configuration of Junos", _lines(r"(?:set )?(?:firewall|security)(?: \{| family | policies )|\s*family inet6? \{"), _OURS),
    Kind("rules of pf", _lines(r"(?:pass|block)(?: (?:in|out|drop|return|log|quick|all))+\b|(?:scrub|set skip on) "), _OURS),
    Kind("rules of ipfw", _lines(r"(?:ipfw )?add \d+ (?:allow|deny|pass|drop) "), _OURS),
    Kind("rules of ufw", _lines(r"(?:sudo )?ufw (?:allow|deny|default|reject|limit) |Status: active\s*$"), _SAVE),
    Kind("a shell script that calls iptables", _lines(r"(?:sudo )?(?:/\S*/)?ip6?tables (?:-\w|--\w)"), _SAVE),
    Kind(
        "a description of AWS",
        re.compile(r'"(?:NetworkAcls|SecurityGroups|IpPermissions|SecurityGroupRules)"\s*:'),
        _OURS,
    ),
    Kind("a page of HTML", re.compile(r"\A\s*<(?:!doctype|html|\?xml)", re.IGNORECASE), "save the text itself, not the page that shows it"),
    Kind("a JSON document", re.compile(r"\A\s*[\[{]\s*(?:[\"\[{]|$)"), _OURS),
)  # fmt: skip
_MOST: Final = 1 << 20  # characters that are looked at


def kind_of(text: str) -> Kind | None:
    """The kind of a text that is no policy; None if it looks like none of these.

    >>> (kind_of("*filter\\n:INPUT ACCEPT [0:0]\\nCOMMIT\\n") or KINDS[-1]).title
    'rules of iptables-save'
    """
    head = text[:_MOST]
    return next((kind for kind in KINDS if kind.pattern.search(head)), None)
