"""`fwengine diff`: the packets that two policies treat differently."""

from __future__ import annotations

import datetime
from collections.abc import Container, Iterator, Sequence
from posixpath import normpath
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import PolicyError
from .failure import Failures
from .flowlogs import reading_flows
from .loading import load, load_all, reading, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    note,
    once,
    say_answer,
    shown_options,
    stated_options,
    style_of,
    width,
)
from .output import say_failures

if TYPE_CHECKING:
    from ..policy import Policy
    from ..report.change_rows import CapturedChange
    from ..report.changed import Compared
    from ..report.nothing import Lacking
    from ..report.review import Review
    from ..report.view import View
    from ..sources.pairing import Pair


@click.command("diff", epilog=exit_codes("equivalent", "different", "no rule, no verdict, empty input"))
@click.argument("old", type=click.Path(path_type=str))
@click.argument("new", type=click.Path(path_type=str), required=False)
@click.option(
    "-r", "--read", "captures", multiple=True, metavar="CAPTURE", help="Also tell which packets of a capture change."
)
@click.option(
    "--flows",
    "logs",
    multiple=True,
    metavar="LOG",
    help="Also tell which flows of a log change their fate. May be repeated.",
)
@reading_flows
@click.option("--top", type=click.IntRange(1), metavar="N", help="With --flows: rows by name.  [default: 20]")
@shown_options
@stated_options
@reading_options(2)
@format_option()
@as_of_option
@color_option
def command(
    old: str,
    new: str | None,
    captures: tuple[str, ...],
    logs: tuple[str, ...],
    columns: str | None,
    log_format: str | None,
    opener: str,
    stateful: bool,
    since: int | None,
    until: int | None,
    top: int | None,
    detail: bool,
    limit: int | None,
    plain: bool,
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Tell which packets change their verdict from OLD to NEW, by what caused it, the most dangerous first.

    OLD and NEW are files, `-`, or REV:PATH of the git repository around the working directory; or two folders, compared file
    by file, renamed ones too. Each change has one cause: a rule added, removed, moved or edited, a definition, the default.

    A plan of terraform as JSON (`terraform show -json tfplan`) is both: it stands alone.
    """
    from ..report.changed import Changed
    from ..report.nothing import Lacking
    from ..report.view import View
    from ..sources.pairing import Pair, is_folder, paired

    once(*filter(None, (old, new)), *captures, *logs)
    side = opener if opener != "open" else None
    _only_with_logs(
        logs,
        columns=columns,
        log_format=log_format,
        opener=side,
        stateful=stateful or None,
        since=since,
        until=until,
        top=top,
    )
    for given, name in ((inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None and not captures and (not logs or name == "state"):
            raise click.UsageError(f"`--{name}` goes with `-r`")
    if new is None:
        if captures or logs:
            raise click.UsageError(f"`{'-r' if captures else '--flows'}` goes with two files, not with a plan")
        return _planned(old, as_of, plain, View(width(), detail, limit), format_, color)
    folders = [is_folder(spec) for spec in (old, new)]
    if folders == [True, False] or folders == [False, True]:
        raise click.UsageError("OLD and NEW are two files or two folders, not one of each")
    if all(folders) and (captures or logs):
        raise click.UsageError(f"`{'-r' if captures else '--flows'}` goes with two files, not with folders")
    failures = Failures()
    pairs = paired(old, new) if all(folders) else [Pair(old, new)]
    lacking = Lacking(parts=all(folders))
    how = _How(as_of, plain, failures, lacking)
    if all(folders):
        compared = list(_of_folders(pairs, how))
    else:
        compared = list(_of_files(old, new, how, one=bool(captures)))
    failures.add(*lacking.failures())
    if failures and not compared:
        say_failures(format_, failures)
        return 2
    packets: tuple[CapturedChange, ...] | None = None
    decided = 0
    if captures:
        assert compared[0].review is not None
        packets, decided = _captured(compared[0].review, captures, inbound, outbound, state, failures)
    flows = None
    if logs:
        from .flows import changes, reading_of

        assert compared[0].review is not None
        how_read = reading_of(columns, log_format, opener, since, until)
        review = compared[0].review
        flows = changes(
            review.old, review.new, logs, how_read, (inbound, outbound, stateful), top or 20, failures, format_
        )
    noun = "file" if all(folders) else "list"
    answer = Changed.of(compared, View(width(), detail, limit), packets, decided, noun, flows)
    say_answer(answer, format_, failures, style_of(color))
    return failures.code(0 if answer.equivalent else 1)


def _only_with_logs(logs: tuple[str, ...], **given: object) -> None:
    for name, value in given.items():
        if value is not None and not logs:
            raise click.UsageError(f"`--{name.replace('_', '-')}` goes with `--flows`")


def _planned(path: str, as_of: datetime.date, plain: bool, view: View, format_: str, color: str) -> int:
    """The answer about one file that is both versions."""
    from ..report.changed import Changed
    from .planned import compared

    answer = Changed.of(compared(path, as_of, plain), view, noun="list")
    say_answer(answer, format_, Failures(), style_of(color))
    return 0 if answer.equivalent else 1


class _How(NamedTuple):
    """What comparing needs besides two policies; failures go where they are kept."""

    as_of: datetime.date
    plain: bool
    failures: Failures
    lacking: Lacking


def _compared(pair: Pair, how: _How) -> Compared | None:
    """Two versions with their changes; None, and told, if one cannot be read."""
    loaded: list[Policy] = []
    for operand, path in enumerate((pair.old, pair.new)):
        if path is not None:
            try:
                loaded.append(load(path, as_of=how.as_of, operand=operand))
                how.lacking.look(operand, loaded[-1])
            except PolicyError as error:
                how.failures.tell(error)
    if len(loaded) < (pair.old is not None) + (pair.new is not None):
        return None
    if pair.old is None or pair.new is None:
        return _alone(pair)
    return _reviewed(loaded[0], loaded[1], pair.renamed, how)


def _alone(pair: Pair) -> Compared:
    from ..report.change_rows import FileRow
    from ..report.changed import Compared

    return Compared(FileRow(pair.old, pair.new, "removed" if pair.new is None else "added"))


def _reviewed(before: Policy, after: Policy, renamed: bool, how: _How) -> Compared:
    from ..analysis.diff import diff
    from ..doubted import doubted
    from ..report.changed import Compared
    from ..report.review import Review

    changes = diff(before, after)
    review = Review(before, after, changes, plain=how.plain, doubted=doubted(before, after))
    return Compared.of(review, renamed=renamed)


def _of_files(old: str, new: str, how: _How, *, one: bool) -> Iterator[Compared]:
    """Two files; where both have several policies, and none is chosen, all of them by name, unless `one` is wanted."""
    from ..sources.pairing import Pair

    pair = Pair(old, new)
    if not (one or "-" in (old, new) or any((given := reading(n)) is not None and given.policy for n in (0, 1))):
        try:
            sides = [load_all(path, as_of=how.as_of, operand=n) for n, path in enumerate((old, new))]
        except PolicyError:
            sides = []  # told below
        if sides and all(len(side) > 1 for side in sides):
            yield from _of_others(pair, how, ())
            return
    found = _compared(pair, how)
    if found is not None:
        yield found


def _of_folders(pairs: Sequence[Pair], how: _How) -> Iterator[Compared]:
    """Each pair of files, those of other firewalls policy by policy: those that a file of ours includes are with it."""
    from ..sources.folders import is_own

    own = [pair for pair in pairs if is_own(pair.old or pair.new or "")]
    included: set[tuple[str, str]] = set()
    for pair in own:
        one = _compared(pair, how)
        if one is not None:
            yield one
            if one.review is not None:
                included |= {key for policy in (one.review.old, one.review.new) if (key := _key(policy)) is not None}
    for pair in pairs:
        if pair not in own:
            yield from _of_others(pair, how, included)


def _key(policy: Policy) -> tuple[str, str] | None:
    """Which policy of which file it is, if it is another firewall's."""
    if policy.imported is None:
        return None
    spans = (chain.span for chain in policy.imported.document.chains.chains.values())
    file = next((span.file for span in spans if span is not None), policy.name)
    return normpath(file), policy.imported.name


def _of_others(pair: Pair, how: _How, included: Container[tuple[str, str]]) -> Iterator[Compared]:
    """The policies of two versions of another firewall's file, by name."""
    from ..sources.pairing import Pair

    sides: list[dict[str, Policy]] = [{}, {}]
    for operand, path in enumerate((pair.old, pair.new)):
        if path is None:
            continue
        try:
            found = load_all(path, as_of=how.as_of, operand=operand)
        except PolicyError as error:
            how.failures.tell(error)
            return
        for policy in found:
            sides[operand][policy.imported.name if policy.imported is not None else ""] = policy
    before, after = sides
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if any(policy is not None and _key(policy) in included for policy in (old, new)):
            continue
        for operand, one in enumerate((old, new)):
            if one is not None:
                how.lacking.look(operand, one)
        if old is not None and new is not None:
            yield _reviewed(old, new, pair.renamed, how)
        else:
            yield _alone(Pair(old.name if old else None, new.name if new else None))


def _captured(
    review: Review,
    captures: tuple[str, ...],
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    failures: Failures,
) -> tuple[tuple[CapturedChange, ...], int]:
    """The packets of captures whose verdict changes, and how many have one; captures without a verdict are failures."""
    from ..report.strangers import stranger_text

    before, after = review.old, review.new
    stated: dict[str, Any] = {
        "inbound": after.declared.one(inbound or "") or inbound,
        "outbound": after.declared.one(outbound or "") or outbound,
        "state": state or "new",
    }
    names = [stated[key] for key in ("inbound", "outbound") if stated[key]]
    strangers = [s for s in before.unknown(names) if s in after.unknown(names)]
    if strangers:
        note(stranger_text(strangers))
    each = [_of_capture(before, after, path, stated, failures) for path in captures]
    return tuple(row for rows, _ in each for row in rows), sum(count for _, count in each)


def _of_capture(
    old: Policy, new: Policy, path: str, stated: dict[str, Any], failures: Failures
) -> tuple[list[CapturedChange], int]:
    from ..errors import CaptureError
    from ..model.packet import Packet
    from ..model.rules import DENY
    from ..report.change_rows import CapturedChange, Ruling
    from ..report.counts import called
    from ..report.making import rule_at
    from ..report.nothing import verdictless
    from ..report.packets import packet_text
    from ..report.record import act
    from ..traffic.count import iterate
    from ..traffic.cut import Cuts

    found: list[CapturedChange] = []
    cuts = Cuts(new)
    notes: list[str] = []
    damage = None
    count = decided = 0

    def fares(number: int, text: str | None, was: Ruling, now: Ruling) -> None:
        if was.verdict != now.verdict:
            found.append(CapturedChange(path, number, text, "ip" if text else "truncated", was, now))

    try:
        for outcome in iterate(old, path, **stated, notes=notes, also=new):
            count += 1
            decided += outcome.kind != "not-ip"
            if outcome.kind == "truncated" and outcome.action is not None:
                action, rule = cuts.fate(outcome.known)
                was = None if outcome.rule is None else rule_at(old, outcome.rule)
                now = None if rule is None else rule_at(new, rule)
                fares(outcome.number, None, Ruling(act(outcome.action), was), Ruling(act(action or DENY), now))
            if outcome.point is None or outcome.rule is None:
                continue
            i, j = outcome.rule, new.tree.index(outcome.point)
            if old.action(i) is not new.action(j):
                text = packet_text(Packet.from_point(outcome.point), old, new)
                before, after = Ruling(act(old.action(i)), rule_at(old, i)), Ruling(act(new.action(j)), rule_at(new, j))
                fares(outcome.number, text, before, after)
    except CaptureError as error:
        damage = error
    for text in notes:
        note(f"{called(path)}: {text}")
    if damage is not None:
        failures.tell(damage, f" (the {count:,} packet{'s' * (count != 1)} before it count)" if count else "")
    elif not decided:
        failures.add(verdictless(path, count))
    return found, decided
