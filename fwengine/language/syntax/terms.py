"""One-line rules of AWS's command line and of Junos -> what they say, in the words of this language. Strict: else nothing.

Sources: AWS CLI reference, `authorize-security-group-ingress`; Juniper, firewall filter match conditions.
"""

from __future__ import annotations

from collections.abc import Iterator

from .facts import Facts, Unknown, addresses, ports, protocols

_AWS_WORDS = frozenset({"--group-id", "--group-name", "--region", "--profile", "--output"})  # say nothing of packets
_ENDS = {"source-address": "from", "destination-address": "to", "source-port": "from", "destination-port": "to"}
_THEN = {"accept": "allow", "discard": "deny", "reject": "deny"}


def aws(words: list[str]) -> Facts:
    """A security group's entry. Raises Unknown if it says anything else."""
    side = "from" if words[2].endswith("ingress") else "to"
    facts, said = Facts(action="allow"), dict[str, str]()
    left = iter(words[3:])
    for name in left:
        value = next(left, "")
        if value == "=":  # a word of its own, as lines are cut
            value = next(left, "")
        if name in said or not value:
            raise Unknown
        if name not in _AWS_WORDS:
            said[name] = value
    if not said.keys() >= {"--protocol", "--cidr"} or said.keys() - {"--protocol", "--cidr", "--port"}:
        raise Unknown
    protocol, port = said["--protocol"], said.get("--port", "-1")
    if protocol not in ("-1", "all"):
        facts.protocols = protocols([protocol], "")
    facts.ends[side] = addresses([said["--cidr"]], "")
    if protocol in ("tcp", "udp"):
        if port == "-1":
            raise Unknown
        facts.ports["to"] = ports([port], "")
    elif port != "-1":  # of icmp a type, of the others nothing
        raise Unknown
    return facts


def junos(words: list[str]) -> Facts:
    """A whole term of a filter on one line. Raises Unknown for anything else, such as one `set` of several."""
    left = iter([part for word in words for part in _split(word)])
    if next(left) != "term" or not next(left, "") or next(left, "") != "{":
        raise Unknown
    facts, said = Facts(either=True), set[str]()
    for word in left:
        if word == "}":
            break
        if word not in ("from", "then") or word in said:
            raise Unknown
        said.add(word)
        for statement in _statements(left):
            if word == "then":
                _then(facts, statement)
            else:
                _from(facts, statement)
    if next(left, None) is not None or "then" not in said:
        raise Unknown
    if facts.ports and facts.protocols not in (["tcp"], ["udp"]):  # there it is whatever stands in those bytes
        raise Unknown
    return facts


def _split(word: str) -> Iterator[str]:
    body = word.rstrip(";")
    if body:
        yield body
    yield from word[len(body) :]


def _statements(left: Iterator[str]) -> Iterator[list[str]]:
    """What stands between braces, or the one statement that stands without; each ends with a semicolon."""
    first = next(left, "")
    braced = first == "{"
    statement = [] if braced else [first]
    for word in left:
        if word == ";":
            yield statement
            statement = []
            if not braced:
                return
        elif word == "}" and braced and not statement:
            return
        elif word in ("{", "}", "[", "]"):
            raise Unknown
        else:
            statement.append(word)
    raise Unknown


def _then(facts: Facts, statement: list[str]) -> None:
    if len(statement) == 1 and statement[0] in _THEN and not facts.action:
        facts.action = _THEN[statement[0]]
    elif statement != ["log"] and statement[:1] != ["count"]:
        raise Unknown


def _from(facts: Facts, statement: list[str]) -> None:
    if len(statement) != 2:
        raise Unknown
    key, value = statement
    if key == "protocol" and not facts.protocols:
        facts.protocols = protocols([value], "")
    elif key in ("source-address", "destination-address") and _ENDS[key] not in facts.ends:
        facts.ends[_ENDS[key]] = addresses([value], "")
    elif key in ("source-port", "destination-port") and _ENDS[key] not in facts.ports:
        facts.ports[_ENDS[key]] = ports([value], "")
    else:
        raise Unknown
