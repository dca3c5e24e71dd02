"""Resources of terraform -> network ACLs and security groups, as they are after a plan and as they were before.

A list has its own rules within (`ingress`, `egress`), or each rule is a resource; then what is within is what AWS told of
them when it was last asked, and a rule that the plan takes away still stands there. So what resources say goes first: of
what is within, that is left out which a resource was, or is.
A value that is not known before the plan is applied is in doubt; so is which list a rule belongs to, unless the configuration
refers to one alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ...errors import Diagnostic, Span
from ..matching import Match, union
from .lists import Entry, List
from .meaning import EVERY_PORT, PORTED, TYPED, Peer, Traffic, addresses, message, network, ports, protocol_of, unlooked
from .plan import Plan, Resource
from .rules import entry, numbered, rule
from .words import Item, RefusedError, short

GROUPS = ("aws_security_group", "aws_default_security_group")
ACLS = ("aws_network_acl", "aws_default_network_acl")
_UNSAID = "unsaid"  # the key of what stands for rules within that nobody knows yet
_RULES = {
    "aws_security_group_rule": "security_group_id",
    "aws_vpc_security_group_ingress_rule": "security_group_id",
    "aws_vpc_security_group_egress_rule": "security_group_id",
    "aws_network_acl_rule": "network_acl_id",
}
_EXCLUSIVE = "aws_vpc_security_group_rules_exclusive"
_OTHERS = ("awscc_ec2_network_acl", "awscc_ec2_security_group")
_PREFIXES = ("aws_ec2_managed_prefix_list", "aws_prefix_list")
UNKNOWN, MIXED = "FW481", "FW482"
Failed = Callable[[RefusedError], None]


class Side:
    """The lists of one side of a plan; `earlier` is the other side for what comes after it.

    What is wrong with one resource goes to `failed`.
    """

    def __init__(self, plan: Plan, resources: Iterable[Resource], failed: Failed, earlier: Side | None = None) -> None:
        self.plan, self.failed, self.earlier = plan, failed, earlier
        self.remarks: list[Diagnostic] = []
        self.lists: dict[str, List] = {}
        self.inner: dict[str, list[Entry]] = {}  # what is within a list
        self.strangers: set[str] = set()  # lists that are not of this plan
        self.exclusive: set[str] = set()  # groups whose other rules are taken away
        self.sure: set[str] = set()  # lists that have rules which are resources, for certain
        every = list(resources)
        mine = [one for one in every if one.type in (*GROUPS, *ACLS) and not one.is_data]
        self.ids = {one.id: one.address for one in mine if one.id is not None}
        self.prefixes = dict(self._prefixes(every))
        for one in mine:
            self._guarded(self._list, one)
        self.attached: dict[str, list[Entry]] = {}
        for one in every:
            if not one.is_data and one.type in _RULES:
                self._guarded(self._attach, one)
            elif one.type == _EXCLUSIVE:
                self.exclusive.update(self._targets(one, "security_group_id")[0])
            elif one.type.startswith(_OTHERS):
                text = f"`{short(one.type)}` is not understood"
                failed(RefusedError(one.item.place(), text, "resources of the provider `aws` are", "FW402"))
        for address in self.lists:
            self._fill(address)

    def _guarded(self, read: Callable[[Resource], None], one: Resource) -> None:
        try:
            read(one)
        except RefusedError as error:
            self.failed(error)

    def counterpart(self, name: str) -> List:
        """What stands for a list on the other side, which lacks it: one without rules, or of a stranger the same that is not known."""
        found = self.lists[name]
        unknown = [one for one in self.inner[name] if one.key is None] if name in self.strangers else []
        return List(name, found.span, found.stateful, unknown)

    # What references stand for

    def _prefixes(self, every: list[Resource]) -> Iterator[tuple[str, Peer]]:
        """What prefix lists hold, by id and by the address of the resource."""
        entries = [one for one in every if one.type == "aws_ec2_managed_prefix_list_entry"]
        for one in every:
            item = one.item
            if one.type not in _PREFIXES:
                continue
            name = one.id or one.address
            if any(map(item.is_unknown, ("entry", "entries", "cidr_blocks"))) or entries:
                peer = Peer.prefix_list(name)
            else:
                texts = [*item.texts("cidr_blocks")]
                texts += [(x.needed("cidr"), x.place("cidr")) for k in ("entry", "entries") for x in item.many(k)]
                networks = [addresses(text, place, ":" in text) for text, place in texts]
                peer = Peer(union(networks), f"prefix list {name}") if networks else Peer.prefix_list(name)
            yield one.address, peer
            if one.id is not None:
                yield one.id, peer

    def _prefix(self, name: str) -> Peer:
        return self.prefixes.get(name) or Peer.prefix_list(name)

    def _referred(self, one: Resource, attribute: str, types: tuple[str, ...]) -> str | None:
        """The address of the one resource that an unknown attribute comes from."""
        found, whole = self.plan.referred(one, attribute)
        return found[0].address if whole and len(found) == 1 and found[0].type in types else None

    # Lists and what is within

    def _list(self, one: Resource) -> None:
        stateful = one.type in GROUPS
        place = one.item.place("name", "id", "vpc_id")
        self.lists[one.address] = found = List(one.address, place, stateful)
        self.inner[one.address] = []
        for text, span in one.item.texts("subnet_ids"):
            found.applied.append((f"to {text}", span))
        self.inner[one.address] = [made for way in ("ingress", "egress") for made in self._within(one, way, stateful)]

    def _within(self, one: Resource, way: str, stateful: bool) -> Iterator[Entry]:
        egress = way == "egress"
        if one.item.is_unknown(way) and not one.item.members.get(way):
            yield replace(_anything(egress, one.item.place(way, "name", "vpc_id"), stateful, _reason(way)), key=_UNSAID)
        for item in one.item.many(way):
            try:
                if stateful:
                    own = one.id or one.address
                    yield from self._rules_of(item, egress, own, item.text("description"))
                else:
                    yield self._entry_of(item, egress, "rule_no", "action", None)
            except RefusedError as error:
                self.failed(error)

    def _fill(self, address: str) -> None:
        """The entries of a list: those within, and those that are resources of their own."""
        found, left, now = self.lists[address], self.inner[address], self.attached.get(address, [])
        sides = [self] if self.earlier is None else [self, self.earlier]
        if any(address in side.sure for side in sides):
            taken = {one.key for side in sides for one in side.attached.get(address, ())} | {_UNSAID}
            left = [one for one in left if one.key not in taken]
            was = {one.key for one in self.earlier.inner.get(address, ())} if self.earlier is not None else None
            if now and was is not None and {one.key for one in left} - was - {None}:
                message = f"`{address}` has rules within, and rules that are resources: terraform takes one for the other away"
                self.remarks.append(Diagnostic(MIXED, message, found.span, help=_MIXED, severity="warning"))
                now = [one.in_doubt("rules within the list may take it away again") for one in now]
        if address in self.exclusive:
            left = [one.in_doubt(f"`{_EXCLUSIVE}` may take it away") for one in left]
        found.entries += [*left, *now]
        self._unique(found)

    def _unique(self, found: List) -> None:
        """Numbers stand once in a direction of an ACL."""
        seen: dict[Any, Entry] = {}
        for one in found.entries if not found.stateful else ():
            if one.key is not None and one.key in seen and not (one.doubted or seen[one.key].doubted):
                text = f"rule {one.order} stands twice in one direction of `{short(found.name)}`"
                self.failed(RefusedError(one.span, text, "AWS has each number once"))
            seen[one.key] = one

    # Rules that are resources

    def _attach(self, one: Resource) -> None:
        entries = list(self._own(one))
        targets, sure = self._targets(one, _RULES[one.type])
        if not sure:
            entries = [
                made.in_doubt("which list it belongs to is not known before the plan is applied") for made in entries
            ]
        if sure:
            self.sure.update(targets)
        for address in targets:
            self.attached.setdefault(address, []).extend(entries)

    def _own(self, one: Resource) -> Iterator[Entry]:
        item = one.item
        if one.type == "aws_network_acl_rule":
            self._known(item, "egress")
            yield self._entry_of(item, item.flag("egress"), "rule_number", "rule_action", one.address)
            return
        own = item.text("security_group_id") or self._referred(one, "security_group_id", GROUPS) or ""
        if one.type != "aws_security_group_rule":
            yield from self._rules_of(item, "egress" in one.type, own, one.address, one)
            return
        self._known(item, "type")
        way = item.needed("type")
        if way not in ("ingress", "egress"):
            raise RefusedError(item.place("type"), f"`{short(way)}` is not `ingress` or `egress`", "correct it")
        yield from self._rules_of(item, way == "egress", own, one.address, one)

    def _known(self, item: Item, key: str) -> None:
        if item.is_unknown(key):
            text = f"`{key}` is not known before the plan is applied, and nothing can be said without it"
            raise RefusedError(item.place(key), text, "plan again when what it comes from is there", UNKNOWN)

    def _targets(self, one: Resource, key: str) -> tuple[list[str], bool]:
        """The lists that a rule belongs to, and whether that is certain."""
        name = one.item.text(key)
        types = ACLS if key == "network_acl_id" else GROUPS
        if name is not None:
            if name not in self.ids:
                self._stranger(one, name, key)
            return [self.ids[name]], True
        found, whole = self.plan.referred(one, key)
        some = [other.address for other in found if other.type in types and other.address in self.lists]
        if whole and some and len(some) == len(found):
            return some, len(some) == 1
        stateful = key == "security_group_id"
        every = [address for address, known in self.lists.items() if known.stateful == stateful]
        fresh = [address for address in every if address not in self.ids.values()]
        if not every:
            self._known(one.item, key)
            raise RefusedError(one.item.place(key), f"`{key}` is missing", code="FW406")
        return list(dict.fromkeys([*some, *(fresh or every)])), False

    def _stranger(self, one: Resource, name: str, key: str) -> None:
        """A list that is not of this plan: what else it holds is not known."""
        place, stateful = one.item.place(key), key == "security_group_id"
        self.ids[name] = name
        self.strangers.add(name)
        self.lists[name] = found = List(name, place, stateful)
        reason = f"what else {name} holds is not known here"
        self.inner[name] = [_anything(egress, found.span, stateful, reason) for egress in (False, True)]

    # Entries

    def _entry_of(self, item: Item, egress: bool, number_key: str, action_key: str, name: str | None) -> Entry:
        self._known(item, number_key)
        number = item.number(number_key)
        if number is None:
            raise RefusedError(item.place(), f"`{number_key}` is missing", code="FW406")
        if not numbered(number, item.place(number_key)):
            raise RefusedError(item.place(number_key), f"`{number}` is the number of an end", "AWS sets it by itself")
        permit: bool | None = None
        if not item.is_unknown(action_key):
            action = item.needed(action_key).lower()
            if action not in ("allow", "deny"):
                raise RefusedError(item.place(action_key), f"`{short(action)}` is not `allow` or `deny`", "correct it")
            permit = action == "allow"
        peers = [network(text, item.place(key), v6) for key, v6 in (("cidr_block", False), ("ipv6_cidr_block", True))
                 if (text := item.text(key))]  # fmt: skip
        unknown = [key for key in ("cidr_block", "ipv6_cidr_block") if item.is_unknown(key)]
        if unknown and not peers:
            peers = [_unknown(unknown[0])]
        if len(peers) != 1:
            text = "both an IPv4 and an IPv6 network" if peers else "no network"
            raise RefusedError(item.place("cidr_block", number_key), f"the entry has {text}", code="FW406")
        traffic = self._traffic(item, "protocol", ("icmp_type", "icmp_code"))
        return entry(egress, item.mark(number_key), number, permit, traffic, peers[0], name)

    def _traffic(self, item: Item, key: str, typed: tuple[str, str]) -> Traffic:
        if item.is_unknown(key):
            return Traffic(None, doubts=(_reason(key),))
        found = item.members.get(key)
        protocol = protocol_of(str(found) if type(found) is int else item.needed(key), item.place(key))
        keys = typed if protocol in TYPED else ("from_port", "to_port")
        first, last = item.number(keys[0]), item.number(keys[1])
        place = item.place(*keys)
        if protocol in PORTED or protocol in TYPED:
            missing = [k for k, value in zip(keys, (first, last), strict=True) if value is None]
            if first is None or last is None:
                reason = _reason(missing[0]) if item.is_unknown(missing[0]) else f"`{missing[0]}` is not said"
                return Traffic(protocol, doubts=(reason,))
            return Traffic(protocol, *(ports if protocol in PORTED else message)(first, last, place))
        if first is not None and (first, last) not in EVERY_PORT:
            self.remarks.append(unlooked(place, protocol))
        return Traffic(protocol)

    def _rules_of(
        self, item: Item, egress: bool, own: str, name: str | None, one: Resource | None = None
    ) -> Iterator[Entry]:
        """One entry for each source, or destination, of a rule."""
        key = "ip_protocol" if "ip_protocol" in item.members or item.is_unknown("ip_protocol") else "protocol"
        traffic = self._traffic(item, key, ("from_port", "to_port"))
        if (
            key == "ip_protocol"
            and traffic.protocol in TYPED
            and "from_port" not in item
            and not item.is_unknown("from_port")
        ):
            traffic = replace(traffic, doubts=())  # all types
        for peer, mark in self._peers(item, own, one):
            yield rule(egress, item, mark, traffic, peer, name)

    def _peers(self, item: Item, own: str, one: Resource | None) -> Iterator[tuple[Peer, Span]]:
        for key, v6 in (("cidr_blocks", False), ("ipv6_cidr_blocks", True)):
            for text, span in item.texts(key):
                yield network(text, span, v6), span
        for key in ("prefix_list_ids", "security_groups"):
            for text, span in item.texts(key):
                yield self._prefix(text) if key == "prefix_list_ids" else Peer.group(text), span
        for key, v6 in (("cidr_ipv4", False), ("cidr_ipv6", True)):
            if key in item:
                yield network(item.needed(key), item.place(key), v6), item.place(key)
        for key in ("source_security_group_id", "referenced_security_group_id", "prefix_list_id"):
            if key in item:
                name = item.needed(key)
                yield self._prefix(name) if key == "prefix_list_id" else Peer.group(name), item.place(key)
        if item.flag("self"):
            yield Peer.group(own or "itself"), item.place("self")
        for key in _SOURCES:
            if item.is_unknown(key):
                yield self._later(key, one), item.place(key, "type", "from_port")

    def _later(self, key: str, one: Resource | None) -> Peer:
        """A source that is not known before the plan is applied, unless the configuration says where it comes from."""
        types = _PREFIXES if "prefix" in key else GROUPS if "group" in key else ()
        address = self._referred(one, key, types) if one is not None and types else None
        if address is None:
            return _unknown(key)
        return self._prefix(address) if types is _PREFIXES else Peer.group(address)


def _anything(egress: bool, span: Span, stateful: bool, reason: str) -> Entry:
    """What may be anything: rules that nobody knows."""
    match = Match({})
    match.doubt(reason)
    text = "rules that are not known"
    return Entry(egress, span, text, match.parts(), (), 0, True if stateful else None, None, True)


def _unknown(key: str) -> Peer:
    return Peer.unknown(f"`{key}`", _reason(key))


def _reason(key: str) -> str:
    return f"`{key}` is not known before the plan is applied"


_SOURCES = (
    "cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups", "self", "cidr_ipv4", "cidr_ipv6",
    "source_security_group_id", "referenced_security_group_id", "prefix_list_id",
)  # fmt: skip
_MIXED = "write all rules of the list within it, or all as resources"
