"""An answer about nothing is never a success: one rule, for all commands and formats.

What can say nothing: a policy without a rule that counts, a file that is tested and expects nothing, a capture without a
verdict, an empty input. Each of these is a failure beside whatever answer there is, so that the exit code is 2. (A claim
or a question about no packet is answered no, as `analysis` has it.)
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..codes import NO_EXPECTATION, NO_INPUT, NO_RULE, NO_VERDICT
from ..model.rules import DENY
from .failure import Failure

if TYPE_CHECKING:  # no capture is read by most commands
    from ..flows.sums import FlowSums
    from ..policy import Policy
    from ..traffic.sums import CaptureReport


def no_rule(policy: Policy) -> Failure | None:
    """A failure if no rule of a policy counts on its day."""
    if any(map(policy.active, policy.rules)):
        return None
    which = f"no rule counts on {policy.as_of}" if policy.rules else "no rule"
    fate = "denied" if policy.default is DENY else "allowed"
    return Failure("nothing", NO_RULE, f"{which}: every packet is {fate} by the default", policy.name)


def says_nothing(policy: Policy) -> bool:
    """Is there no statement in a policy's text, nothing but comments?"""
    lines = (line.strip() for text in policy.sources.values() for line in text.removeprefix("\ufeff").splitlines())
    return all(not line or line.startswith("#") for line in lines)


def no_verdict(report: CaptureReport) -> Failure | None:
    """A failure if a capture was read to its end, and none of its packets got a verdict."""
    if report.error is not None or report.allow or report.deny or report.depends:
        return None
    return verdictless(report.file, report.packets)


def verdictless(file: str, packets: int) -> Failure:
    """The failure of a capture whose packets, if it has any, got no verdict."""
    name = "<stdin>" if file == "-" else file
    if not packets:
        return Failure("nothing", NO_VERDICT, "no packet in it: nothing was decided", name)
    frames = "its only frame is" if packets == 1 else f"none of its {packets:,} frames is"
    not_ip = "not IP" if packets == 1 else "IP"
    return Failure("nothing", NO_VERDICT, f"{frames} {not_ip}, so none got a verdict", name)


def flowless(file: str, sums: FlowSums) -> Failure | None:
    """A failure if none of a log's lines was taken for a flow; flows of other times than were asked for are flows."""
    if sums.flows or sums.left_out:
        return None
    name = "<stdin>" if file == "-" else file
    flawed = sums.flawed
    if not flawed:
        return Failure("nothing", NO_VERDICT, "no flow in it: nothing was decided", name)
    first = min((told for told in sums.unread.values() if told.flawed), key=lambda told: told.line)
    what = "its only line cannot be" if flawed == 1 else f"none of its {flawed:,} lines can be"
    return Failure("nothing", NO_VERDICT, f"{what} read as a flow: line {first.line}: {first.reason}", name)


def timeless(flows: int, left_out: int) -> Failure | None:
    """A failure if logs have flows, and none of the time that was asked for."""
    if flows or not left_out:
        return None
    which = "the only flow is" if left_out == 1 else f"all {left_out:,} flows are"
    return Failure("nothing", NO_VERDICT, f"{which} of other times than were asked for: nothing was decided")


def no_input(file: str, what: str) -> Failure:
    """The failure of an input in which nothing stands."""
    return Failure("nothing", NO_INPUT, f"there is no {what} in it" if file != "<stdin>" else f"no {what} on it", file)


@dataclass
class Covered:
    """Which of the files that a command was given have something to say, in themselves or through one that includes them.

    `what` is what each needs: a rule, to be checked, or an expectation, to be tested.
    """

    what: str
    names: set[str] = field(default_factory=set)

    def add(self, policy: Policy) -> None:
        """Takes in a policy that has something to say, with all that it includes."""
        self.names.update(map(posixpath.normpath, policy.sources))

    def __contains__(self, file: object) -> bool:
        return isinstance(file, str) and posixpath.normpath(file) in self.names

    def missing(self, named: str, files: Iterable[str]) -> Failure | None:
        """The failure of one of the command's operands, of which these files were read; a folder needs but one."""
        members = ["<stdin>" if file == "-" else file for file in files]
        if any(file in self for file in members):
            return None
        code = NO_RULE if self.what == "rule" else NO_EXPECTATION
        done = "checked" if self.what == "rule" else "tested"
        where = "" if members == [named] or named == "-" else " in any file"
        return Failure(
            "nothing", code, f"no {self.what}{where}: nothing was {done}", "<stdin>" if named == "-" else named
        )


@dataclass
class Lacking:
    """The policies without a rule on the two sides of a comparison; with `parts`, what others of its side include is none."""

    parts: bool
    covered: tuple[Covered, Covered] = field(default_factory=lambda: (Covered("rule"), Covered("rule")))
    found: list[tuple[int, Policy]] = field(default_factory=list)

    def look(self, side: int, policy: Policy) -> None:
        if no_rule(policy) is not None:
            self.found.append((side, policy))
        if policy.rules:
            self.covered[side].add(policy)

    def failures(self) -> Iterator[Failure | None]:
        """Once all policies have been looked at."""
        for side, policy in self.found:
            if policy.rules or not self.parts or policy.name not in self.covered[side]:
                yield no_rule(policy)
