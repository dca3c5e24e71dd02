"""What `aws ec2 describe-…` prints as JSON -> network ACLs, security groups and interfaces.

Several answers may stand in one object, merged by `jq -s add`: prefix lists and interfaces then tell what references of rules
stand for. A tool's collection with keys such as `network_acls` is read alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import Diagnostic
from ...model.interval import IntervalSet
from ..matching import union
from ..placed import Items, Members, Placed
from .lists import Entry, Interface, List
from .meaning import (
    EVERY_PORT,
    LAST_NUMBER,
    PORTED,
    TYPED,
    Peer,
    Traffic,
    addresses,
    message,
    network,
    ports,
    protocol_of,
    unlooked,
)
from .rules import entry, numbered, rule
from .words import Item, RefusedError, objects, short

_KEYS = {
    "NetworkAcls": ("NetworkAcls", "network_acls"),
    "SecurityGroups": ("SecurityGroups", "security_groups"),
    "SecurityGroupRules": ("SecurityGroupRules", "security_group_rules"),
    "NetworkInterfaces": ("NetworkInterfaces", "network_interfaces"),
    "PrefixLists": ("PrefixLists", "prefix_lists"),
    "Reservations": ("Reservations", "reservations"),
    "Instances": ("Instances", "instances"),
}
_INSTEAD = "run `aws ec2 describe-network-acls` or `aws ec2 describe-security-groups`, with `--output json`"


class Describe:
    """The lists of one text, and what is remarked of them.

    Raises:
        RefusedError: if there is none. What is wrong with one entry goes to `failed`.
    """

    def __init__(self, placed: Placed, failed: Any) -> None:
        self.placed, self.failed = placed, failed
        self.remarks: list[Diagnostic] = []
        self.lists: dict[str, List] = {}
        self.interfaces: list[Interface] = []
        self.found = self._sections(placed.root)
        self.prefixes = dict(self._prefixes())
        self.members = self._members()
        self._read()

    def _sections(self, root: Any) -> Mapping[str, list[Item]]:
        """The objects of each kind that the text has."""
        if isinstance(root, Items):
            return self._bare(objects(self.placed, root))
        if not isinstance(root, Members):
            raise RefusedError(self.placed.span((0, 1)), "there is no network ACL or security group", _INSTEAD, "FW407")
        whole = Item(self.placed, root)
        found: dict[str, list[Item]] = {}
        for kind, keys in _KEYS.items():
            for key in keys:
                found.setdefault(kind, []).extend(whole.many(key) if key in whole else ())
        if "NextToken" in whole or "nextToken" in whole:
            place = whole.place("NextToken", "nextToken")
            raise RefusedError(place, "the listing goes on elsewhere", "save it without `--max-items`", "FW406")
        known = any(key in root for keys in _KEYS.values() for key in keys)
        return found if known else self._bare([whole])

    def _bare(self, items: list[Item]) -> Mapping[str, list[Item]]:
        """Objects without their heading, as `--query` leaves them."""
        found: dict[str, list[Item]] = {}
        for item in items:
            kind = next((kind for kind, key in _OWN_KEYS.items() if key in item.members), None)
            if kind is None:
                what = ", ".join(f"`{short(key)}`" for key in list(item.members)[:4])
                text = f"there is no network ACL or security group: only {what}" if what else "the object is empty"
                raise RefusedError(item.place(), text, _INSTEAD, "FW407")
            found.setdefault(kind, []).append(item)
        return found

    def _all(self, kind: str) -> list[Item]:
        return list(self.found.get(kind, ()))

    # What references stand for

    def _prefixes(self) -> Iterator[tuple[str, IntervalSet]]:
        for item in self._all("PrefixLists"):
            if "Cidrs" not in item:
                continue
            networks = [addresses(text, place, ":" in text) for text, place in item.texts("Cidrs")]
            yield item.needed("PrefixListId"), union(networks) if networks else IntervalSet()

    def _members(self) -> Mapping[str, IntervalSet]:
        """The addresses of each group's interfaces, of those groups that have some."""
        found: dict[str, list[IntervalSet]] = {}
        for item in self._all("NetworkInterfaces"):
            for group in item.many("Groups"):
                found.setdefault(group.needed("GroupId"), []).extend(_addresses(item))
        return {group: union(sets) for group, sets in found.items() if sets}

    # Lists

    def _read(self) -> None:
        for item in self._all("NetworkAcls"):
            self._guarded(self._acl, item)
        for item in self._all("SecurityGroups"):
            self._guarded(self._group, item)
        given = set(self.lists)
        for item in self._all("SecurityGroupRules"):
            if item.text("GroupId") not in given:
                self._guarded(self._single, item)
        for item in (*self._all("NetworkInterfaces"), *self._attached()):
            self._guarded(self._interface, item)

    def _guarded(self, read: Any, item: Item) -> None:
        try:
            read(item)
        except RefusedError as error:
            self.failed(error)

    def _attached(self) -> Iterator[Item]:
        """The interfaces of instances."""
        instances = [*self._all("Instances"), *(one for r in self._all("Reservations") for one in r.many("Instances"))]
        listed = {item.text("NetworkInterfaceId") for item in self._all("NetworkInterfaces")}
        for instance in instances:
            for item in instance.many("NetworkInterfaces"):
                if item.text("NetworkInterfaceId") not in listed:
                    yield item

    def _named(self, item: Item, key: str, *, stateful: bool) -> List:
        name = item.needed(key)
        if name in self.lists:
            raise RefusedError(item.place(key), f"`{short(name)}` stands twice", "leave one of them")
        found = self.lists[name] = List(name, item.place(key), stateful)
        return found

    def _acl(self, item: Item) -> None:
        found = self._named(item, "NetworkAclId", stateful=False)
        if "Entries" not in item:
            raise RefusedError(item.place("Entries"), f"`{found.name}` has no `Entries`", _INSTEAD, "FW406")
        for one in item.many("Associations"):
            if "SubnetId" in one:
                found.applied.append((f"to {one.needed('SubnetId')}", one.place("SubnetId")))
        numbers: dict[tuple[bool, int], Item] = {}
        for one in item.many("Entries"):
            try:
                self._numbered(found, one, numbers)
            except RefusedError as error:
                self.failed(error)

    def _numbered(self, found: List, item: Item, numbers: dict[tuple[bool, int], Item]) -> None:
        number, egress = item.number("RuleNumber"), item.flag("Egress")
        if number is None or "Egress" not in item:
            missing = "RuleNumber" if number is None else "Egress"
            raise RefusedError(item.place(missing), f"`{missing}` is missing", code="FW406")
        action = item.needed("RuleAction").lower()
        if action not in ("allow", "deny"):
            raise RefusedError(item.place("RuleAction"), f"`{short(action)}` is not `allow` or `deny`", "correct it")
        own = numbered(number, item.place("RuleNumber"))
        if (egress, number) in numbers:
            place = item.place("RuleNumber")
            raise RefusedError(place, f"rule {number} stands twice in one direction", "AWS has each number once")
        numbers[egress, number] = item
        traffic = self._traffic_of_entry(item)
        peer = _network_of(item, "CidrBlock", "Ipv6CidrBlock")
        if own:
            found.entries.append(entry(egress, item.mark("RuleNumber"), number, action == "allow", traffic, peer))
        elif action == "allow" or traffic.protocol is not None:
            raise RefusedError(item.place("RuleNumber"), f"rule {number} is the end, and denies everything", _ENDS)
        else:
            found.ends += 1

    def _traffic_of_entry(self, item: Item) -> Traffic:
        protocol = protocol_of(_protocol(item, "Protocol"), item.place("Protocol"))
        if protocol in PORTED:
            within = item.inner("PortRange")
            if within is None:
                raise RefusedError(item.place("PortRange"), f"protocol {protocol} lacks its `PortRange`", code="FW406")
            return Traffic(protocol, *ports(*_pair(within, "From", "To"), item.place("PortRange")))
        if protocol in TYPED:
            within = item.inner("IcmpTypeCode")
            if within is None:
                text = f"protocol {protocol} lacks its `IcmpTypeCode`"
                raise RefusedError(item.place("IcmpTypeCode"), text, code="FW406")
            return Traffic(protocol, *message(*_pair(within, "Type", "Code"), item.place("IcmpTypeCode")))
        if "PortRange" in item:
            within = item.inner("PortRange")
            if within is not None and _pair(within, "From", "To") not in EVERY_PORT:
                self.remarks.append(unlooked(item.place("PortRange"), protocol))
        return Traffic(protocol)

    # Groups

    def _group(self, item: Item) -> None:
        found = self._named(item, "GroupId", stateful=True)
        for key in ("IpPermissions", "IpPermissionsEgress"):
            if key not in item:
                raise RefusedError(item.place("GroupId"), f"`{short(found.name)}` has no `{key}`", _INSTEAD, "FW406")
        for key, egress in (("IpPermissions", False), ("IpPermissionsEgress", True)):
            for one in item.many(key):
                try:
                    found.entries += self._permission(one, egress, found.name)
                except RefusedError as error:
                    self.failed(error)

    def _permission(self, item: Item, egress: bool, own: str) -> Iterator[Entry]:
        """One entry for each source, or destination, of a permission."""
        traffic = self._traffic_of_rule(item)
        for key, inner in (("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("PrefixListIds", "PrefixListId"),
                           ("UserIdGroupPairs", "GroupId")):  # fmt: skip
            for one in item.many(key):
                if inner == "GroupId":
                    peer = self._group_peer(one, own)
                elif inner == "PrefixListId":
                    peer = self._prefix_peer(one.needed(inner))
                else:
                    peer = network(one.needed(inner), one.place(inner), inner == "CidrIpv6")
                yield rule(egress, one, one.mark(inner), traffic, peer, one.text("Description"))

    def _single(self, item: Item) -> None:
        """A rule of `describe-security-group-rules`."""
        group = item.needed("GroupId")
        if "IsEgress" not in item:
            raise RefusedError(item.place(), "`IsEgress` is missing", _INSTEAD, "FW406")
        found = self.lists.setdefault(group, List(group, item.place("GroupId"), True))
        traffic = self._traffic_of_rule(item)
        if "CidrIpv4" in item or "CidrIpv6" in item:
            peer = _network_of(item, "CidrIpv4", "CidrIpv6")
        elif "PrefixListId" in item:
            peer = self._prefix_peer(item.needed("PrefixListId"))
        else:
            within = item.inner("ReferencedGroupInfo")
            if within is None:
                raise RefusedError(
                    item.place(), "the rule says neither a network nor a group nor a prefix list", code="FW406"
                )
            peer = self._group_peer(within, group)
        name = item.text("Description") or item.text("SecurityGroupRuleId")
        mark = item.mark("SecurityGroupRuleId", "CidrIpv4", "CidrIpv6")
        found.entries.append(rule(item.flag("IsEgress"), item, mark, traffic, peer, name))

    def _traffic_of_rule(self, item: Item) -> Traffic:
        protocol = protocol_of(_protocol(item, "IpProtocol"), item.place("IpProtocol"))
        first, last = item.number("FromPort"), item.number("ToPort")
        place = item.place("FromPort", "ToPort")
        if protocol in PORTED:
            if first is None or last is None:
                raise RefusedError(place, f"protocol {protocol} lacks its ports", code="FW406")
            return Traffic(protocol, *ports(first, last, place))
        if protocol in TYPED and (first is None) == (last is None):
            return Traffic(protocol, *message(-1 if first is None else first, -1 if last is None else last, place))
        if protocol in TYPED:
            raise RefusedError(place, "the rule has a type without a code, or a code without a type", code="FW406")
        if first is not None and (first, last) not in EVERY_PORT:
            self.remarks.append(unlooked(place, protocol))
        return Traffic(protocol)

    def _prefix_peer(self, name: str) -> Peer:
        known = self.prefixes.get(name)
        return Peer.prefix_list(name) if known is None else Peer(known, f"prefix list {name}")

    def _group_peer(self, item: Item, own: str) -> Peer:
        """Who is in a group: known if the text lists interfaces of it, and it is of the same network."""
        name = item.text("GroupId") or item.text("GroupName") or own
        known = None if any(key in item for key in _FAR) else self.members.get(name)
        return Peer.group(name) if known is None else Peer(known, f"group {name}")

    def _interface(self, item: Item) -> None:
        groups = tuple((group.needed("GroupId"), group.place("GroupId")) for group in item.many("Groups"))
        if not any(group in self.lists for group, _ in groups):
            return  # nothing is known of it
        name = item.needed("NetworkInterfaceId")
        for group, span in groups:
            if group in self.lists:
                self.lists[group].applied.append((f"to {name}", span))
        self.interfaces.append(Interface(name, item.place("NetworkInterfaceId"), groups))


def _network_of(item: Item, v4: str, v6: str) -> Peer:
    """The network of an entry, of one family or the other."""
    if (v4 in item) == (v6 in item):
        text = "both an IPv4 and an IPv6 network" if v4 in item else "no network"
        raise RefusedError(item.place(v4, v6), f"the entry has {text}", f"it is `{v4}` or `{v6}`", "FW406")
    key = v4 if v4 in item else v6
    return network(item.needed(key), item.place(key), key == v6)


def _protocol(item: Item, key: str) -> str:
    """A protocol as AWS writes it; some tools write a number."""
    found = item.members.get(key)
    return str(found) if type(found) is int else item.needed(key)


def _pair(item: Item, first: str, last: str) -> tuple[int, int]:
    found = item.number(first), item.number(last)
    if found[0] is None or found[1] is None:
        raise RefusedError(item.place(first, last), f"`{first}` or `{last}` is missing", code="FW406")
    return found[0], found[1]


def _addresses(item: Item) -> Iterator[IntervalSet]:
    """All addresses of an interface, with the prefixes that it was given."""
    if "PrivateIpAddress" in item:
        yield addresses(item.needed("PrivateIpAddress"), item.place("PrivateIpAddress"), False)
    for key, inner, v6 in (("PrivateIpAddresses", "PrivateIpAddress", False), ("Ipv6Addresses", "Ipv6Address", True),
                           ("Ipv4Prefixes", "Ipv4Prefix", False), ("Ipv6Prefixes", "Ipv6Prefix", True)):  # fmt: skip
        for one in item.many(key):
            yield addresses(one.needed(inner), one.place(inner), v6)


_FAR = ("VpcPeeringConnectionId", "PeeringStatus")  # the group is of another network
_ENDS = f"rules of a user's have numbers up to {LAST_NUMBER}"
_OWN_KEYS = {
    "NetworkAcls": "NetworkAclId",
    "SecurityGroupRules": "SecurityGroupRuleId",
    "SecurityGroups": "IpPermissions",
}
