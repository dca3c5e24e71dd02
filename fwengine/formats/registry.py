"""The formats that are read, and those that are written, by name: a new one is a folder and a line here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import NamedTuple

from .document import Beside, Document
from .writing import Task, Written


class Format(NamedTuple):
    """How to tell a format by its text, and its reader."""

    name: str
    title: str  # what people call it
    recognised: Callable[[str], bool]
    read: Callable[[str, str], Document]  # (text, file)
    read_with: Callable[[str, str, Beside | None], Document] | None = None  # where files include others


def _iptables(v6: bool | None) -> Callable[[str, str], Document]:
    def read(text: str, file: str) -> Document:
        from .iptables.reader import read

        return read(text, file, v6=v6)

    return read


def _cisco(name: str | None) -> Callable[[str, str], Document]:
    def read(text: str, file: str) -> Document:
        from .cisco.entries import ASA, IOS, NXOS
        from .cisco.reader import read

        dialects = {"ios": IOS, "nx-os": NXOS, "asa": ASA}
        return read(text, file, dialect=dialects[name] if name else None)

    return read


def _nftables(text: str, file: str, beside: Beside | None = None) -> Document:
    from .nftables.reader import read

    return read(text, file, beside)


def _aws(text: str, file: str) -> Document:
    from .aws.reader import read

    return read(text, file)


_NFT = re.compile(
    r"^[ \t]*(?:table (?:(?:ip6?|inet|arp|bridge|netdev) )?[\w.-]+[ \t]*\{|(?:flush|delete|destroy) (?:ruleset|table)\b|"
    r"(?:add|create|insert) (?:table|chain|rule) |#!.*\bnft\b|(?:re)?define \w+ *=)"
    r'|^\s*\{\s*"nftables"\s*:',
    re.MULTILINE,
)
_IPTABLES = re.compile(
    r"^\*(?:filter|nat|mangle|raw|security)\s*$|^:[A-Z]+ (?:ACCEPT|DROP)\b|^-A [\w.-]+ .*-[jg] ", re.MULTILINE
)
_CISCO = re.compile(
    r"^(?:(?:ip|ipv6) access-list |access-list \S+ (?:extended |standard |remark |permit |deny |line )|"
    r"object-group (?:network|service|ip|ipv6|v6-network|protocol|icmp-type|port) |object (?:network|service) )|"
    r"^(?:ASA Version |hostname \S+\s*$)|^[ \t]*IP(?:v[46])? access list \S+\s*$|^access-list .*; name hash:",
    re.MULTILINE,
)

_AWS = re.compile(
    r'\A\s*[{\[](?s:.*)"(?:NetworkAcl(?:s|Id)|SecurityGroup(?:s|Rules)|IpPermissions|network_acls|security_groups|'
    r'terraform_version)"\s*:'
)


def _never(text: str) -> bool:
    return False


FORMATS: Mapping[str, Format] = {
    entry.name: entry
    for entry in (
        Format("iptables-save", "iptables", lambda t: bool(_IPTABLES.search(t)), _iptables(None)),
        Format("ip6tables-save", "ip6tables", _never, _iptables(True)),
        Format("nftables", "nftables", lambda t: bool(_NFT.search(t)), _nftables, _nftables),
        Format("aws", "AWS", lambda t: bool(_AWS.search(t)), _aws),
        Format("terraform", "terraform", _never, _aws),  # the content tells which of both
        Format("cisco", "Cisco", lambda t: bool(_CISCO.search(t)), _cisco(None)),
        Format("cisco-ios", "Cisco IOS", _never, _cisco("ios")),
        Format("cisco-nx-os", "Cisco NX-OS", _never, _cisco("nx-os")),
        Format("cisco-asa", "Cisco ASA", _never, _cisco("asa")),
    )
}


def recognise(text: str) -> Format | None:
    """The format of a text; None if it looks like none of them."""
    return next((entry for entry in FORMATS.values() if entry.recognised(text)), None)


class Writer(NamedTuple):
    """What a format is called where it is asked for, and its writer."""

    name: str
    title: str
    write: Callable[[Task], Written]
    chain: bool = False  # does it have chains of packets that come in, go through, go out?
    named: str = ""  # what `--name` names in it; nothing if it names nothing
    ends: bool = False  # may a rule of it have a last day?


def _writing(module: str, **options: object) -> Callable[[Task], Written]:
    def write(task: Task) -> Written:
        made: Written = import_module(f"{__package__}.{module}.writer").write(task, **options)
        return made

    return write


WRITERS: Mapping[str, Writer] = {
    entry.name: entry
    for entry in (
        Writer("nft", "nftables", _writing("nftables"), chain=True, named="the table"),
        Writer("iptables", "iptables", _writing("iptables", family=4), chain=True),
        Writer("ip6tables", "ip6tables", _writing("iptables", family=6), chain=True),
        Writer("cisco", "Cisco IOS", _writing("cisco"), named="the list"),
        Writer("aws", "AWS", _writing("aws"), chain=True, named="the network ACL"),
        Writer("fwl", "the language", _writing("fwl"), ends=True),
    )
}
