"""`fwengine diff`: the packets that two policies treat differently."""

from __future__ import annotations

import datetime
from typing import Any

import click

from ..errors import PolicyError
from .failure import Failures
from .loading import load, reading_options
from .options import (
    as_of_option,
    color_option,
    exit_codes,
    format_option,
    note,
    once,
    say,
    say_json,
    say_json_line,
    stated_options,
    style_of,
)
from .output import say_failures


@click.command("diff", epilog=exit_codes("equivalent", "different", "no rule, no verdict, empty input"))
@click.argument("old", type=click.Path(path_type=str))
@click.argument("new", type=click.Path(path_type=str))
@click.option(
    "-r", "--read", "captures", multiple=True, metavar="CAPTURE", help="Also tell which packets of a capture change."
)
@click.option(
    "--limit", type=click.IntRange(1), default=100_000, show_default=True, help="Regions after which to give up."
)
@stated_options
@reading_options(2)
@format_option("text", "json", "jsonl")
@as_of_option
@color_option
def command(
    old: str,
    new: str,
    captures: tuple[str, ...],
    limit: int,
    inbound: str | None,
    outbound: str | None,
    state: str | None,
    format_: str,
    as_of: datetime.date,
    color: str,
) -> int:
    """Tell which packets change their verdict from OLD to NEW, as few disjoint regions.

    OLD and NEW are files, or REV:PATH of the git repository around the working directory.
    """
    from ..analysis.diff import diff
    from ..report.answers import change_json, confirmed_json, diff_lines
    from ..report.attribution import attribute, attribution_json, attribution_lines
    from ..report.nothing import no_rule
    from ..report.strangers import stranger_text

    once(old, new, *captures)
    for given, name in ((inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None and not captures:
            raise click.UsageError(f"`--{name}` goes with `-r`")
    failures = Failures()
    loaded = []
    for operand, path in enumerate((old, new)):
        try:
            loaded.append(load(path, as_of=as_of, operand=operand))
        except PolicyError as error:
            failures.tell(error)
    if failures:
        say_failures(format_, failures)
        return 2
    before, after = loaded
    failures.add(no_rule(before), no_rule(after))
    stated: dict[str, Any] = {
        "inbound": after.declared.one(inbound or "") or inbound,
        "outbound": after.declared.one(outbound or "") or outbound,
        "state": state or "new",
    }
    strangers = [s for s in before.unknown(_names(stated)) if s in after.unknown(_names(stated))]
    if strangers:
        note(stranger_text(strangers))
    changes = diff(before, after, limit)
    causes = attribute(before, after, changes)
    packets, decided = _captured(before, after, captures, stated, failures)
    if format_ == "json":
        extra: dict[str, Any] = {"captured": packets} if captures else {}
        extra["confirmed"] = confirmed_json(changes.confirmed)
        extra["definitions"] = [attribution_json(cause) for cause in causes]
        say_json(failures, equivalent=not changes, changes=[change_json(c, before, after) for c in changes], **extra)
    elif format_ == "jsonl":
        for change in changes:
            say_json_line(**change_json(change, before, after))
        say_failures(format_, failures)
    else:
        style = style_of(color)
        say("\n".join(diff_lines(changes, before, after, style)))
        for cause in causes:
            say("\n".join(attribution_lines(cause)))
        if captures:
            from ..report.counts import called

            for f in packets[:50]:
                say(f"  {called(f['capture'])}:{f['packet']}  {f['text']}  {f['old']} -> {f['new']} by {f['new_rule']}")
            if len(packets) > 50:
                say(f"  and {len(packets) - 50:,} more")
            if decided:
                say(f"{len(packets):,} captured packet{'s' * (len(packets) != 1)} would change")
    return failures.code(1 if changes else 0)


def _names(stated: dict[str, Any]) -> list[str]:
    return [stated[key] for key in ("inbound", "outbound") if stated[key]]


def _captured(
    old: Any, new: Any, captures: tuple[str, ...], stated: dict[str, Any], failures: Failures
) -> tuple[list[dict[str, Any]], int]:
    """The packets of captures whose verdict changes, and how many have a verdict; captures without one are failures."""
    from ..errors import CaptureError
    from ..model.packet import Packet
    from ..model.rules import DENY
    from ..report.counts import called
    from ..report.nothing import verdictless
    from ..report.packets import packet_text
    from ..traffic.count import iterate
    from ..traffic.cut import Cuts

    found: list[dict[str, Any]] = []
    cuts = Cuts(new)
    all_decided = 0
    for path in captures:
        notes: list[str] = []
        damage = None
        count = decided = 0
        try:
            for outcome in iterate(old, path, **stated, notes=notes, also=new):
                count += 1
                decided += outcome.kind != "not-ip"
                if outcome.kind == "truncated":
                    action, rule = cuts.fate(outcome.known)
                    now_action = action or DENY
                    if outcome.action is not None and outcome.action is not now_action:
                        found.append(
                            {
                                "capture": path,
                                "packet": outcome.number,
                                "text": outcome.kind,
                                "old": outcome.action.value,
                                "new": now_action.value,
                                "old_rule": outcome.kind if outcome.rule is None else old.label(outcome.rule),
                                "new_rule": outcome.kind if rule is None else new.label(rule),
                            }
                        )
                if outcome.point is None or outcome.rule is None:
                    continue
                then, now = outcome.rule, new.tree.index(outcome.point)
                if old.action(then) is not new.action(now):
                    found.append(
                        {
                            "capture": path,
                            "packet": outcome.number,
                            "text": packet_text(Packet.from_point(outcome.point), old, new),
                            "old": old.action(then).value,
                            "new": new.action(now).value,
                            "old_rule": old.label(then),
                            "new_rule": new.label(now),
                        }
                    )
        except CaptureError as error:
            damage = error
        for text in notes:
            note(f"{called(path)}: {text}")
        if damage is not None:
            failures.tell(damage, f" (the {count:,} packet{'s' * (count != 1)} before it count)" if count else "")
        elif not decided:
            failures.add(verdictless(path, count))
        all_decided += decided
    return found, all_decided
