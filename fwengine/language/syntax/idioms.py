"""Other firewalls' ways to say what this language says otherwise: a statement of ours with a piece of theirs in it.

Each function looks at the tokens around the one that the parser stumbled over and either knows what is meant, then with a
text to put in its place, or says nothing. What could mean two things is offered as two, or not at all. Whole lines of
other firewalls are `foreign`'s affair.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ...model import address
from ...model.fields import FLAG_NAMES, ICMP, ICMPV6, PORT_PROTOCOLS, STATES
from ...registry import names
from .ast import OPTIONS, Place, cover
from .lacking import DROPPED, LACKING
from .mistakes import Fix, Seen, SyntaxMistake

_NUMBER = re.compile(r"[0-9]{1,5}")
_AFTER_PROTOCOL = frozenset({"_FROM", "_TO", "$END", *(word.upper() for word in OPTIONS)})
_NOISE = frozenset(
    {"host", "network", "subnet", "address", "addr", "object", "object-group", "alias", "ipv4", "ipv6", "net"}
)
_PROTO = frozenset({"proto", "protocol", "ip-protocol", "l4proto", "-p", "--proto", "--protocol"})
_TARGET_PORT = frozenset(
    {"dport", "dports", "--dport", "--dports", "--destination-port", "destination-port", "dst-port", "dest-port"}
)
_SOURCE_PORT = frozenset({"sport", "sports", "--sport", "--sports", "--source-port", "source-port", "src-port"})
_TARGET = frozenset({"dst", "dest", "destination", "daddr", "-d", "--dst", "--destination", "destination-address"})
_SOURCE = frozenset({"src", "source", "saddr", "-s", "--src", "--source", "source-address"})
_INWARD = frozenset({"iif", "iifname", "-i", "--in-interface", "recv"})
_OUTWARD = frozenset({"oif", "oifname", "-o", "--out-interface", "xmit"})
_COMPARED = {"eq": "", "neq": "not ", "ne": "not ", "gt": "> ", "lt": "< ", "ge": ">= ", "le": "<= "}
_ACTIONS = {"accept": "allow", "pass": "allow", "permit": "allow", "drop": "deny", "reject": "deny", "block": "deny"}
_AND = frozenset({"and", "or", "&", "|", "&&", "||", "+", "/", "plus"})


class _Here:
    """Where the parser stumbled: the token, what could have stood there, and what is around."""

    def __init__(self, token: Seen, accepts: frozenset[str], seen: Sequence[Seen], rest: Sequence[Seen]) -> None:
        self.token, self.accepts, self.seen, self.rest = token, accepts, seen, rest
        self.word = token.text.lower()
        rule = bool(seen) and seen[0].type in ("ALLOW", "DENY")  # in which an arrow is an idiom itself
        self.packet = not rule and any(t.type == "_ARROW" for t in (*seen, token, *rest))

    def before(self, steps: int = 1) -> Seen:
        return self.seen[-steps] if len(self.seen) >= steps else Seen("", "", self.token.at)

    def behind(self, steps: int = 1) -> Seen:
        return self.rest[steps - 1] if len(self.rest) >= steps else Seen("", "", self.token.at)


def explained(token: Seen, accepts: frozenset[str], seen: Sequence[Seen], rest: Sequence[Seen]) -> SyntaxMistake | None:
    """What to say if other firewalls' words are the reason; None if they are not."""
    if accepts == {"_ARROW"} and seen and token.type != "_ARROW":
        # `expect deny tcp dport 22`: a packet, as far as the parser can tell; the word before is where a region ends
        behind = [token, *rest] if token.type != "$END" else []
        token, accepts, seen, rest = seen[-1], _AFTER_PROTOCOL, seen[:-1], behind
    if seen and token.type == "$END" and seen[-1].type not in ("WORD", "STRING"):
        return None
    here = _Here(token, accepts, seen, rest)
    idioms = _OF_PACKETS if here.packet else _IDIOMS
    return next((found for how in idioms if (found := how(here)) is not None), None)


def _instead(at: Place, message: str, label: str, *fixes: tuple[Place, str], help: str = "") -> SyntaxMistake:
    help = help or f"write {' or '.join(f'`{text}`' for _, text in fixes)}"
    return SyntaxMistake("FW010", at, message, label, help, fixes)


def _unexpected(here: _Here, label: str, *fixes: tuple[Place, str], help: str = "") -> SyntaxMistake:
    return _instead(here.token.at, f"unexpected `{_short(here.token.text)}`", label, *fixes, help=help)


# Pieces of statements


def _lacking(here: _Here) -> SyntaxMistake | None:
    """A word for what the language does not have."""
    if here.token.type not in ("WORD", "_COMMA", "NET") and here.word not in LACKING:
        return None
    for wrong in (here.token, here.before()):
        word = wrong.text.lower()
        if wrong.type == "WORD" and word in DROPPED and wrong is here.token:
            fix: Fix = (_with_space(here), "")
            message = f"`{_short(wrong.text)}` is not part of the language"
            return SyntaxMistake(
                "FW025", wrong.at, message, "says nothing here", f"leave it out: {DROPPED[word]}", [fix]
            )
        if wrong.type != "WORD" or word not in LACKING:
            continue
        if wrong is not here.token and (
            here.token.type != "WORD" or here.before(2).type in ("_EQUAL", "NET", "PORTS", "SERVICE")
        ):
            continue
        message = f"`{_short(wrong.text)}` is not part of the language"
        return SyntaxMistake("FW025", wrong.at, message, "another firewall's word", f"because {LACKING[word]}")
    return None


def _with_space(here: _Here) -> Place:
    """The token, and the gap before it."""
    first = here.before().at
    return (first[2], first[3], here.token.at[2], here.token.at[3]) if here.seen else here.token.at


def _mask(here: _Here) -> SyntaxMistake | None:
    """`10.0.0.0 0.0.0.255` and `10.0.0.0 255.255.255.0`."""
    first, second = here.before(), here.token
    base, mask = _point(first), _point(second)
    if base is None or mask is None or address.family_of(base) != 4 or address.family_of(mask) != 4:
        return None
    if base == mask:  # a word doubled
        return None
    value, bits = address.to_value(base), address.to_value(mask)
    ways = []
    for reading in (bits, 0xFFFFFFFF ^ bits):  # as a netmask, as Cisco's wildcard
        free = 0xFFFFFFFF ^ reading
        if not free & (free + 1):
            length = 32 - free.bit_length()
            ways.append(f"{address.show(address.to_point(4, value & reading))}/{length}")
    place = cover(first.at, second.at)
    label = "an address and a mask"
    if bits in (0, 0xFFFFFFFF):  # all or nothing, and each is the other's opposite
        single, every = first.text, "0.0.0.0/0"
        help = f"write `{single}` for the address, or `{every}` for all"
        return _unexpected(here, label, (place, single), (place, every), help=help)
    if ways:
        return _unexpected(here, label, (place, ways[0]))
    help = f"one bits are compared in VALUE/MASK: for a wildcard mask invert it, `{first.text}/{_dotted(0xFFFFFFFF ^ bits)}`"
    fixed = f"{_dotted(value & (0xFFFFFFFF ^ bits))}/{_dotted(0xFFFFFFFF ^ bits)}"
    return _unexpected(here, label, (place, fixed), help=help.replace(first.text + "/", _dotted(value & ~bits) + "/"))


def _dotted(value: int) -> str:
    return address.show(address.to_point(4, value & 0xFFFFFFFF))


def _point(token: Seen) -> int | None:
    if token.type != "WORD" or not ("." in token.text or ":" in token.text):
        return None
    try:
        return address.parse(token.text)
    except ValueError:
        return None


def _value(token: Seen) -> bool:
    """A number, a name or an address, as one end of a range."""
    return token.type == "WORD" and bool(_NUMBER.fullmatch(token.text) or _point(token) is not None)


def _dash(here: _Here) -> SyntaxMistake | None:
    """`10.9.0.10 - 10.9.0.20`, also with a space on one side only, and `port 80 to 90`, `80 .. 90`."""
    first, dash, last = here.before(), here.token, here.behind()
    if dash.text in ("-", "..", "...", ":", "through", "thru", "–") or (
        dash.type == "_TO" and here.before(2).type == "_PORT"
    ):
        if _value(first) and _value(last):
            return _unexpected(here, "a range is one word", (cover(first.at, last.at), f"{first.text}-{last.text}"))
        return None
    if dash.type != "WORD" or first.type != "WORD":
        return None
    joined = first.text + dash.text if dash.text.startswith("-") != first.text.endswith("-") else ""
    lo, hyphen, hi = joined.partition("-")
    if hyphen and all(_value(Seen("WORD", end, first.at)) for end in (lo, hi)):
        return _unexpected(here, "a range is one word", (cover(first.at, dash.at), joined))
    return None


def _pf_range(here: _Here) -> SyntaxMistake | None:
    """pf's `port 80 >< 90` and `port 80 <> 90`."""
    signs, last = here.token.text + here.behind().text, here.behind(2)
    first = here.before()
    if signs not in ("><", "<>") or not (_NUMBER.fullmatch(first.text) and _NUMBER.fullmatch(last.text)):
        return None
    lo, hi = int(first.text), int(last.text)
    text = f"{lo + 1}-{hi - 1}" if signs == "><" else f"{{ < {lo}, > {hi} }}"
    if signs == "><" and lo + 1 > hi - 1:
        return None
    return _unexpected(here, f"pf's `{signs}`", (cover(first.at, last.at), text))


def _conjunction(here: _Here) -> SyntaxMistake | None:
    """`port 80 and port 443`, `from a or b`: several values with words between them."""
    tokens = [*here.seen, here.token, *here.rest]
    at = len(here.seen)
    if here.before().type == "_OR":  # of a region; then the keyword behind it is what is wrong
        at -= 1
    if tokens[at].text.lower() not in _AND or at == 0:
        return None
    keyword = next((t for t in reversed(tokens[:at]) if t.type not in ("WORD", "_COMMA", "LBRACE", "RBRACE")), None)
    first = tokens[at - 1]
    if keyword is None or first.type != "WORD" or tokens[at - 2] is not keyword:
        return None
    values = [first]
    while at + 1 < len(tokens) and tokens[at].text.lower() in _AND:
        step = 2 if tokens[at + 1].type == keyword.type else 1
        if at + step >= len(tokens) or tokens[at + step].type != "WORD":
            break
        values.append(tokens[at + step])
        at += step + 1
    if len(values) < 2:
        joint, behind = tokens[at], tokens[at + 1] if at + 1 < len(tokens) else first
        if joint.type == "WORD" and behind.type in ("_FROM", "_TO"):
            gap = (first.at[2], first.at[3], joint.at[2], joint.at[3])
            help = "leave it out: all conditions must hold"
            return _unexpected(here, "conditions follow each other", (gap, ""), help=help)
        return None
    text = f"{{ {', '.join(t.text for t in values)} }}"
    return _unexpected(here, "several values are a set", (cover(first.at, values[-1].at), text))


def _brackets(here: _Here) -> SyntaxMistake | None:
    """`[80, 443]` and `(80, 443)`."""
    tokens = [*here.seen, here.token, *here.rest]
    begin = next((i for i in range(len(here.seen), -1, -1) if i < len(tokens) and tokens[i].text[:1] in "[("), None)
    if begin is None or not tokens[begin].text[:1]:
        return None
    closing = "]" if tokens[begin].text[0] == "[" else ")"
    words = []
    for token in tokens[begin:]:
        if token.type == "WORD":
            words += [part for part in token.text.strip("[]()").split(",") if part]
        elif token.type != "_COMMA":
            return None
        if token.text.endswith(closing):
            if len(words) < 2 or token.at[0] != tokens[begin].at[0]:
                return None
            whole = cover(tokens[begin].at, token.at)
            return _instead(
                whole,
                f"`{tokens[begin].text[0]}` does not open a set",
                "a set stands in braces",
                (whole, f"{{ {', '.join(words)} }}"),
            )
    return None


def _operator(here: _Here) -> SyntaxMistake | None:
    """Cisco's `eq 80`, `gt 1023`, `range 80 90`, with or without `port` before them."""
    behind_port = here.before(2).type == "_PORT"
    operator = here.before() if behind_port else here.token
    operands = [here.token, *here.rest] if behind_port else list(here.rest)
    word = operator.text.lower()
    if operator.type != "WORD" or not operands or operands[0].type != "WORD":
        return None
    if not behind_port and "_PORT" not in here.accepts:
        return None
    lead = "" if behind_port else "port "
    if word == "range" and len(operands) > 1 and _value(operands[0]) and _value(operands[1]):
        text = f"{lead}{operands[0].text}-{operands[1].text}"
        return _unexpected(here, "a range is one word", (cover(operator.at, operands[1].at), text))
    if word in _COMPARED:
        place = cover(operator.at, operands[0].at)
        return _unexpected(here, f"Cisco's `{word}`", (place, f"{lead}{_COMPARED[word]}{operands[0].text}"))
    return None


def _noise(here: _Here) -> SyntaxMistake | None:
    """`from host 10.0.0.1`: what kind of thing it is need not be said."""
    if here.token.type == "NET" and here.before().type in ("_FROM", "_TO") and here.behind().type == "WORD":
        return _unexpected(here, "not needed", (cover(here.token.at, here.behind().at), here.behind().text))
    word = here.before()
    is_address = "." in here.token.text or ":" in here.token.text  # else the word may well be a name of the user's
    if (
        here.before(2).type in ("_FROM", "_TO")
        and word.text.lower() in _NOISE
        and here.token.type == "WORD"
        and is_address
    ):
        place = cover(word.at, here.token.at)
        return _instead(word.at, f"unexpected `{word.text}`", "not needed", (place, here.token.text))
    return None


def _end(here: _Here) -> str:
    """The side of the rule that is being written: "from", "to" or neither."""
    return next((written for t in reversed(here.seen) if (written := t.text) in ("from", "to")), "")


def _side(here: _Here) -> SyntaxMistake | None:
    """`dport 443`, `sport 1024-65535`, `src 10.0.0.1`, `dst port 80`."""
    word, accepts, end = here.word, here.accepts, _end(here)
    if here.token.type != "WORD" or here.behind().type in ("", "$END"):
        return None
    place, with_port = here.token.at, here.behind().type == "_PORT"
    if with_port:
        place = cover(place, here.behind().at)
    if word in _TARGET_PORT or (with_port and word in _TARGET):
        text = "port" if end == "to" and "_PORT" in accepts else "to any port" if "_TO" in accepts else ""
    elif word in _SOURCE_PORT or (with_port and word in _SOURCE):
        text = "port" if end == "from" and "_PORT" in accepts else "from any port" if "_FROM" in accepts else ""
    elif word in _TARGET:
        text = "to" if "_TO" in accepts else ""
    elif word in _SOURCE:
        text = "from" if "_FROM" in accepts else ""
    else:
        return None
    if not text:
        if word in _SOURCE_PORT:
            return _unexpected(here, "the source stands before `to`", help="write `from any port …` before `to`")
        return None
    return _unexpected(here, "another firewall's word", (place, text))


def _interface(here: _Here) -> SyntaxMistake | None:
    """`on eth0`, `in on eth0`, `iifname "eth0"`, `-i eth0`."""
    if (
        here.token.type == "INTERFACE"
        and here.before().type in ("IN", "OUT")
        and here.behind().type in ("WORD", "STRING")
    ):
        return _unexpected(here, "not needed", (cover(here.token.at, here.behind().at), here.behind().text))
    if here.before(2).type in ("IN", "OUT") and here.before().text.lower() in ("on", "interface", "dev", "if"):
        word = here.before()
        if here.token.type in ("WORD", "STRING"):
            return _instead(
                word.at, f"unexpected `{word.text}`", "not needed", (cover(word.at, here.token.at), here.token.text)
            )
    if (
        here.token.type not in ("WORD", "INTERFACE")
        or "IN" not in here.accepts
        or here.behind().type not in ("WORD", "STRING", "LBRACE", "NOT")
    ):
        return None
    at = here.token.at
    if here.word in _INWARD:
        return _unexpected(here, "another firewall's word", (at, "in"))
    if here.word in _OUTWARD:
        return _unexpected(here, "another firewall's word", (at, "out"))
    if here.word in ("on", "via", "interface", "dev"):
        help = "write `in` for packets that come in there, or `out` for those that go out"
        return _unexpected(here, "in or out?", (at, "in"), (at, "out"), help=help)
    return None


def _protocol(here: _Here) -> SyntaxMistake | None:
    """`proto tcp`, `tcp udp`, `tcp ssh`, `tcp 22`, `icmp echo-request`: two words where the protocol stands."""
    first, second = here.before(), here.token
    if here.before(2).type not in ("ALLOW", "DENY") or first.type != "WORD" or second.type != "WORD":
        return None
    place = cover(first.at, second.at)
    if first.text.lower() in _PROTO:
        return _instead(first.at, f"unexpected `{first.text}`", "not needed", (place, second.text))
    if first.text.lower() in ("ip", "ipv4", "ipv6", "meta") and here.word in _PROTO and here.behind().type == "WORD":
        return None
    a, b = names.protocol(first.text), names.protocol(second.text) if not second.text.isdigit() else None
    if a is None or first.text.isdigit():
        return None
    if b is not None:
        return _unexpected(here, "several protocols are a set", (place, f"{{ {first.text}, {second.text} }}"))
    if (
        here.word not in LACKING
        and a in PORT_PROTOCOLS
        and (_NUMBER.fullmatch(second.text) or names.ports(second.text, a) is not None)
    ):
        return _unexpected(here, "a port?", (place, f"{first.text}/{second.text}"))
    kind = second.text
    if a in (ICMP, ICMPV6) and (names.icmp_type(a, kind) is not None or (kind.isdigit() and int(kind[:4]) < 256)):
        return _unexpected(here, "a type?", (second.at, f"type {kind}"))
    return None


def _option(here: _Here) -> SyntaxMistake | None:
    """`established,related`, `new`, `syn`, `icmp-type 8`, `comment "…"`: options under other names."""
    if here.token.type != "WORD" or "ESTABLISHED" not in here.accepts:
        return None
    at, word = here.token.at, here.word
    parts = word.split(",")
    if all(part in STATES for part in parts) and not (here.packet and len(parts) > 1):  # a packet has one state
        text = f"state {parts[0]}" if len(parts) == 1 else f"state {{ {', '.join(parts)} }}"
        return _unexpected(here, "a state?", (at, text))
    if all(part in FLAG_NAMES for part in parts):
        ways = [f"flags {word}/{word}"] if word != "syn" else ["flags syn/syn,ack", "flags syn/syn"]
        if here.packet:  # its flags have no mask
            ways = [f"flags {word}"]
        help = "" if len(ways) == 1 else f"write `{ways[0]}` for the first packet of a connection, or `{ways[1]}`"
        return _unexpected(here, "flags?", *[(at, way) for way in ways], help=help)
    if (
        word in ("icmp-type", "icmp6-type", "icmpv6-type", "--icmp-type", "--icmpv6-type")
        and here.behind().type == "WORD"
    ):
        return _unexpected(here, "another firewall's word", (at, "type"))
    if word in _ACTIONS and here.seen[0].type in ("ALLOW", "DENY"):
        same = here.seen[0].text == _ACTIONS[word]
        help = f"a rule begins with what it does: `{_ACTIONS[word]} …`"
        return _unexpected(here, "said again", *([(_with_space(here), "")] if same else []), help=help)
    if word in ("--comment", "comment", "description", "remark", "//", ";") and here.rest:
        last = here.rest[-1]
        text = " ".join(t.text.strip('"') for t in here.rest)
        if last.at[0] == at[0]:
            return _unexpected(here, "a comment begins with `#`", (cover(at, last.at), f"# {text}"))
    return None


def _arrow(here: _Here) -> SyntaxMistake | None:
    """`allow tcp 10.0.0.0/8 -> 10.9.0.1`: a rule written as a packet is."""
    first, arrow, last = here.token, here.behind(), here.behind(2)
    if (
        first.type != "WORD"
        or arrow.type != "_ARROW"
        or last.type != "WORD"
        or here.before(2).type not in ("ALLOW", "DENY")
    ):
        return None
    if here.before(3).type == "EXPECT":
        return None
    ends = []
    for token in (first, last):
        host, colon, port = token.text.partition(":")
        if colon and "." in host and ":" not in port and port:
            ends.append(f"{host} port {port}")
        elif "[" in token.text:
            return None
        else:
            ends.append(token.text)
    text = f"from {ends[0]} to {ends[1]}"
    return _unexpected(here, "`->` is for a single packet", (cover(first.at, last.at), text))


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


_IDIOMS: tuple[Callable[[_Here], SyntaxMistake | None], ...] = (
    _brackets, _arrow, _mask, _dash, _pf_range, _conjunction, _operator, _noise, _interface, _side, _protocol, _option,
    _lacking,
)  # fmt: skip
_OF_PACKETS = (
    _interface,
    _option,
    _lacking,
)  # what else there is makes a region: sets, masks, ranges, ports behind a slash
