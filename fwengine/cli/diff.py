"""`fwengine diff`: the packets that two policies treat differently."""

from __future__ import annotations

import datetime
from typing import Any

import click

from .failure import complain
from .options import (
    as_of_option,
    color_option,
    format_option,
    note,
    say,
    say_json,
    say_json_line,
    stated_options,
    style_of,
)


@click.command("diff")
@click.argument("old", type=click.Path(path_type=str))
@click.argument("new", type=click.Path(path_type=str))
@click.option(
    "-r", "--read", "captures", multiple=True, metavar="CAPTURE", help="Also tell which packets of a capture change."
)
@click.option(
    "--limit", type=click.IntRange(1), default=100_000, show_default=True, help="Regions after which to give up."
)
@stated_options
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
    as_of: datetime.date | None,
    color: str,
) -> int:
    """Tell which packets change their verdict from OLD to NEW, as few disjoint regions.

    OLD and NEW are files, or REV:PATH of the git repository around the working directory. Exits 0 if the policies are
    equivalent, 1 if they differ.
    """
    from ..analysis.diff import diff
    from ..policy import load
    from ..report.answers import change_json, confirmed_json, diff_lines
    from ..report.attribution import attribute, attribution_json, attribution_lines

    for given, name in ((inbound, "in"), (outbound, "out"), (state, "state")):
        if given is not None and not captures:
            raise click.UsageError(f"`--{name}` goes with `-r`")
    stated = {"inbound": inbound, "outbound": outbound, "state": state or "new"}
    before, after = load(old, as_of=as_of), load(new, as_of=as_of)
    changes = diff(before, after, limit)
    causes = attribute(before, after, changes)
    packets, failed = _captured(before, after, captures, stated)
    if format_ == "json":
        extra: dict[str, Any] = {"captured": packets} if captures else {}
        extra["confirmed"] = confirmed_json(changes.confirmed)
        extra["definitions"] = [attribution_json(cause) for cause in causes]
        say_json(equivalent=not changes, changes=[change_json(c, before, after) for c in changes], **extra)
    elif format_ == "jsonl":
        for change in changes:
            say_json_line(**change_json(change, before, after))
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
            say(f"{len(packets):,} captured packet{'s' * (len(packets) != 1)} would change")
    return 2 if failed else 1 if changes else 0


def _captured(
    old: Any, new: Any, captures: tuple[str, ...], stated: dict[str, Any]
) -> tuple[list[dict[str, Any]], bool]:
    """The packets of captures whose verdict changes."""
    from ..errors import CaptureError
    from ..model.packet import Packet
    from ..model.rules import DENY
    from ..report.counts import called
    from ..report.packets import packet_text
    from ..traffic.count import iterate
    from ..traffic.cut import Cuts

    found: list[dict[str, Any]] = []
    cuts = Cuts(new)
    failed = False
    for path in captures:
        notes: list[str] = []
        damage = None
        try:
            for outcome in iterate(old, path, **stated, notes=notes, also=new):
                if outcome.kind == "truncated":
                    action, decided = cuts.fate(outcome.known)
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
                                "new_rule": outcome.kind if decided is None else new.label(decided),
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
            failed = True
            damage = error
        for text in notes:
            note(f"{called(path)}: {text}")
        if damage is not None:
            complain(str(damage))
    return found, failed
