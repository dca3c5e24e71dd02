"""Where a configuration uses its lists: interfaces, lines, maps of VLANs, and what only picks packets by them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ...errors import Span
from .words import Words

_BLOCKS = ("interface", "line", "vlan", "route-map", "class-map", "crypto", "control-plane", "policy-map")
_FILTERS = ("access-group", "traffic-filter", "access-class")


@dataclass(frozen=True)
class Use:
    """One use of a list.

    Attributes:
        filters: packets that it denies are dropped there; else it only picks packets for something.
    """

    name: str
    where: str
    span: Span
    filters: bool
    map: str = ""  # of a map of VLANs, until it is known to which VLANs it is applied


@dataclass
class Uses:
    """All uses, in the order of the file."""

    found: list[Use] = field(default_factory=list)
    actions: dict[str, str] = field(default_factory=dict)  # of an entry of a VLAN map
    vlans: dict[str, str] = field(default_factory=dict)  # by map

    def top(self, words: Words, span: Span) -> None:
        """A line outside of all blocks."""
        texts = [word.text for word in words.all]
        low = [text.lower() for text in texts]
        if low[:2] == ["vlan", "filter"] and len(low) > 4:
            self.vlans[texts[2]] = " ".join(texts[3:])
        elif low[0] == "access-group" and len(low) > 2:  # ASA
            where = "globally" if low[2] == "global" else " ".join(texts[2:])
            self.found.append(Use(texts[1], where, span, filters=True))
        elif low[:2] == ["crypto", "map"] and "address" in low[:-1]:
            self.found.append(Use(texts[-1], f"by {' '.join(texts[:4])}", span, filters=False))
        elif low[0] == "ip" and "nat" in low[:2] and "list" in low[:-1]:
            self.found.append(Use(texts[low.index("list") + 1], "by ip nat", span, filters=False))

    def inside(self, words: Words, heading: str, span: Span) -> None:
        """A line of a block."""
        texts = [word.text for word in words.all]
        low = [text.lower() for text in texts]
        gone = low[0] == "no"
        if gone:
            texts, low = texts[1:], low[1:]
        start = next((at for at, text in enumerate(low[:3]) if text in _FILTERS), None)
        if start is not None and len(texts) > start + 1 and not heading.startswith("class-map"):
            way = " ".join(texts[start + 2 : start + 3])
            port = " (port)" if "port" in low[:start] else ""
            use = Use(texts[start + 1], f"to {heading}{port} {way}".strip(), span, filters=True)
            if gone:
                self.found = [u for u in self.found if (u.name, u.where) != (use.name, use.where)]
            else:
                self.found.append(use)
        elif low[:1] == ["match"]:
            self._match(texts, low, heading, span)
        elif low[:1] == ["action"] and len(low) > 1:
            self.actions[heading] = low[1]

    def _match(self, texts: list[str], low: list[str], heading: str, span: Span) -> None:
        if "address" in low and not {"prefix-list", "prefix"} & set(low):
            names = texts[low.index("address") + 1 :]
        elif "access-group" in low:
            names = [text for text in texts[low.index("access-group") + 1 :] if text.lower() != "name"]
        else:
            return
        vlan = heading.split()[2] if heading.startswith("vlan access-map") and len(heading.split()) > 2 else ""
        self.found += [Use(name, f"by {heading}", span, filters=False, map=vlan) for name in names]

    def __iter__(self) -> Iterator[Use]:
        for use in self.found:
            if not use.map:
                yield use
                continue
            action = self.actions.get(use.where.removeprefix("by "), "")
            vlans = self.vlans.get(use.map, "of no VLAN")
            yield replace(use, where=f"{use.where}{f' ({action})' if action else ''}, {vlans}")


def block_of(words: Words) -> str | None:
    """The heading of a block in which lists may be used; None if the line begins none."""
    texts = [word.text for word in words.all]
    if words.all[0].text.lower() not in _BLOCKS:
        return None
    if texts[0].lower() == "vlan" and (len(texts) < 3 or texts[1].lower() != "access-map"):
        return None
    if texts[0].lower() == "crypto" and "match" in texts:
        return None
    return " ".join(texts)
