"""What a reader makes of a file: its chains, what it says of them, and how much of it was understood in which way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import Diagnostic, Span
from .chains import Chains


@dataclass(frozen=True)
class Beside:
    """The files near a rule set, for formats whose files include others; both raise OSError.

    Attributes:
        read: the bytes of a file, by its path from where the rule set's own name is taken from.
        names: what stands in a folder, by the same kind of path.
    """

    read: Callable[[str], bytes]
    names: Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Document:
    """A rule set of another firewall, read.

    Attributes:
        format: its name, such as `iptables-save`.
        policies: what a user may ask about, by name: the entry chain of each.
        remarks: what is worth telling of the file as a whole; information and warnings, no errors.
        applied: which policy is applied where, by what line: (policy, where, place).
        before: the same as it was, where a file tells both: a plan of changes.
        absent: the policies that there are in the other version alone; here they stand for what is without them.
        statements: how many were exact, ignored by design (they decide nothing), in doubt.
        passed: of the policies that are several entry chains, which packets must pass one after another, all of these.
        texts: the files that were included, by name.
    """

    format: str
    chains: Chains
    policies: Mapping[str, str]
    remarks: tuple[Diagnostic, ...] = ()
    statements: Mapping[str, int] = field(default_factory=dict)
    applied: tuple[tuple[str, str, Span], ...] = ()
    before: Document | None = None
    absent: frozenset[str] = frozenset()
    passed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def entries_of(self, policy: str) -> tuple[str, ...]:
        """The chains that packets of a policy enter, one after another: each that lets them by leads to the next."""
        return self.passed.get(policy) or (self.policies[policy],)
