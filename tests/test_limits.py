"""Limits and deadlines: each is told by its name, holds where it was set and nowhere else, and in any thread."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from support.commands import run
from support.paths import ROOT

import fwengine
from fwengine.cli.output import FORMS
from fwengine.deadline import Deadline, OutOfTime
from fwengine.errors import LimitError
from fwengine.limits import MEANINGS, Limits, current, question, reached, spend
from fwengine.model.fields import SRC

SHORT = 0.05


def forever() -> None:
    while True:
        pass


def test_each_limit_has_a_meaning_and_stands_in_the_docs() -> None:
    assert [f.name for f in fields(Limits)] == list(MEANINGS)
    table = (ROOT / "docs/reference/limits.md").read_text("utf-8")
    told = {name: default.replace(",", "") for name, default in re.findall(r"\| `(\w+)` \| ([\d,a-z]+) \|", table)}
    assert told == {f.name: str(f.default).lower() for f in fields(Limits)}


@pytest.mark.parametrize("wrong", [0, -1, float("nan"), float("inf"), True, "3"])
def test_a_limit_is_a_number_above_zero(wrong: Any) -> None:
    with pytest.raises(ValueError, match="`rules`"):
        Limits(rules=wrong)
    with pytest.raises(ValueError, match="at most 100"):
        Limits(nesting=101)


def test_limits_hold_in_their_block_and_in_no_other_thread() -> None:
    seen: list[int] = []
    with Limits(rules=3).applied():
        with Limits(rules=2).applied():
            assert current().rules == 2
        assert current().rules == 3
        other = threading.Thread(target=lambda: seen.append(current().rules))
        other.start()
        other.join()
    assert (current(), seen) == (Limits(), [Limits().rules])


def test_work_is_that_of_one_question_with_all_its_parts() -> None:
    @question
    def part() -> None:
        spend(6)

    @question
    def whole() -> None:
        part()
        part()

    with Limits(work=10).applied():
        part()
        part()
        with pytest.raises(LimitError, match="10 steps of all searches") as told:
            whole()
    assert told.value.limit == "work"


TEXT = (
    "net n = { 10.0.0.1, 10.0.0.3, 10.0.0.5 }\nallow tcp from n to not n port { 1, 3, 5 } as a\ndeny tcp from n as b\n"
)
MANY = "".join(f"allow tcp to 10.0.{n}.0/24 port {n} as r{n}\n" for n in range(1, 40))
HIT: dict[str, tuple[str, Callable[[fwengine.Policy], Any], int]] = {
    "rules": (MANY, lambda policy: policy, 38),
    "elements": (TEXT, lambda policy: policy, 2),
    "edges": (MANY, lambda policy: policy.tree, 5),
    "regions": (MANY, lambda policy: policy.query("deny any"), 3),
    "cases": (MANY, lambda policy: policy.evaluate("tcp 1.1.1.1 -> 10.0.3.1"), 1),
    "work": (MANY, lambda policy: policy.query("deny any"), 20),
    "ranges": (
        "allow any from 10.0.1.1/255.0.3.255",
        lambda policy: list(policy.rules[0].boxes[0].sets[SRC].ranges),
        3,
    ),
}


@pytest.mark.parametrize("name", HIT)
def test_each_limit_is_told_by_its_name(name: str) -> None:
    text, ask, most = HIT[name]
    ask(fwengine.loads(text))
    with (
        pytest.raises(LimitError, match=f"unknown: limit reached \\({most:,} ") as told,
        Limits(**{name: most}).applied(),
    ):
        ask(fwengine.loads(text))
    assert told.value.limit == name


def test_a_policy_keeps_its_limits_for_its_methods() -> None:
    policy = fwengine.loads(MANY, limits=Limits(regions=3, cases=1))
    for ask in (lambda: policy.query("deny any"), lambda: policy.evaluate("tcp 1.1.1.1 -> 10.0.3.1")):
        with pytest.raises(LimitError):
            ask()
    assert policy == fwengine.loads(MANY, as_of=policy.as_of)
    with pytest.raises(LimitError):
        fwengine.loads(MANY, limits=Limits(rules=1))


def test_nesting_and_bytes_are_told_with_their_place(tmp_path: Path) -> None:
    with Limits(nesting=2).applied(), pytest.raises(fwengine.PolicyError, match="more than 2 deep"):
        fwengine.loads("allow tcp from { { { 10.0.0.1 } } }")
    large = tmp_path / "large.fwl"
    large.write_text(MANY)
    with pytest.raises(fwengine.PolicyError, match="larger than 100 bytes, which is the limit"):
        fwengine.load(large, limits=Limits(bytes=100))


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_signal", [False, True])
def test_what_never_ends_ends_in_time(by_signal: bool) -> None:
    with pytest.raises(LimitError, match=r"0\.05 seconds") as told, Deadline(SHORT, by_signal=by_signal):
        forever()
    assert told.value.limit == "seconds"


def test_a_deadline_holds_in_any_thread() -> None:
    ends: list[str] = []

    def work() -> None:
        try:
            with Limits(seconds=SHORT).applied():
                forever()
        except LimitError as error:
            ends.append(error.limit)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends == ["seconds"] * 3


@pytest.mark.parametrize("by_signal", [False, True])
def test_nothing_comes_after_the_block(by_signal: bool) -> None:
    """Whoever ends about when the time is over gets an answer or the limit, and nothing later."""
    for n in range(60):
        try:
            with Deadline(0.002, by_signal=by_signal):
                end = time.monotonic() + 0.0005 * (n % 8)
                while time.monotonic() < end:
                    pass
        except LimitError:
            pass
        for _ in range(2000):
            pass


def test_who_swallows_it_is_told_again() -> None:
    swallowed = 0

    def work() -> None:
        nonlocal swallowed
        while True:
            try:
                forever()
            except OutOfTime:
                swallowed += 1
                if swallowed == 2:
                    raise

    with pytest.raises(LimitError), Deadline(SHORT, by_signal=False):
        work()
    assert swallowed == 2


def test_one_within_another_is_told_apart() -> None:
    with pytest.raises(LimitError, match=r"0\.05 seconds"), Deadline(SHORT), Deadline(60):
        forever()
    with Deadline(60), pytest.raises(LimitError, match=r"0\.05 seconds"), Deadline(SHORT):
        forever()


def test_handlers_of_errors_do_not_keep_it() -> None:
    def work() -> None:
        while True:
            with suppress(Exception):  # as a program may do
                forever()

    with pytest.raises(LimitError), Deadline(SHORT):
        work()


# --- on the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "many.fwl"
    path.write_text(MANY)
    return path


def fwengine_run(*words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "fwengine", *words], capture_output=True, check=False, timeout=60, **more
    )


@pytest.mark.parametrize("form", FORMS)
def test_a_command_that_waits_for_ever_answers_in_its_form(policy: Path, form: str) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as nothing, os.fdopen(theirs, "wb"):
        done = fwengine_run("eval", str(policy), "-", "--format", form, "--timeout", "0.3", stdin=nothing)
    assert done.returncode == 2
    assert b"unknown: limit reached (0.3 seconds)" in done.stderr
    if form == "json":
        (error,) = json.loads(done.stdout)["errors"]
        assert (error["kind"], error["code"]) == ("limit", "FW512")
    elif form != "text":
        assert b"limit reached (0.3 seconds)" in done.stdout


def test_every_command_takes_a_timeout() -> None:
    from fwengine.cli.group import COMMANDS

    for name in COMMANDS:
        done = run(name, "--help")
        assert (done.code, "--timeout SECONDS" in done.out) == (0, name != "lsp")
        assert ("--limit-WHAT N" in done.out) == (name not in ("explain", "lsp", "play", "schema", "version"))


def test_limits_on_the_command_line(policy: Path) -> None:
    for option, words in (
        ("--limit-rules", ["check", str(policy)]),
        ("--limit-edges", ["show", str(policy), "--as", "tree"]),
        ("--limit-work", ["query", str(policy), "deny any"]),
        ("--limit-cases", ["eval", str(policy), "tcp 1.1.1.1 -> 10.0.3.1"]),
    ):
        done = run(*words, option, "1")
        assert (done.code, done.err.count("unknown: limit reached (1 ")) == (2, 1), option
    for seconds in ("0", "-1", "nan", "inf", "1e300"):
        done = run("check", str(policy), "--timeout", seconds)
        assert (done.code, "Invalid value for '--timeout'" in done.err) == (2, True), seconds
    with pytest.raises(ValueError, match="at most 1,000,000,000"):
        Limits(seconds=1e300)
    assert run("check", str(policy), "--timeout", "60").code == 0


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no such signals here")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_command_that_waits(policy: Path, sent: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "fwengine", "eval", str(policy), "-r", "-", "--per-packet"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stderr is not None
        time.sleep(1)  # whether it waits by then or not: it ends
        process.send_signal(sent)
        assert process.wait(30) in (code, -sent)  # before Python heeds signals, the system does
        assert b"Traceback" not in process.stderr.read()


def test_reached_says_what_was_limited() -> None:
    assert str(reached("steps", "steps of a walk", 7)) == "unknown: limit reached (7 steps of a walk)"


def test_a_limit_of_time_leaves_nothing_behind() -> None:
    """What is taken back by sending nothing stays to be looked at for ever: CPython 3.11 then hangs under any tracer."""
    code = """
import sys, threading
from fwengine.errors import LimitError
from fwengine.limits import Limits

def block(seconds):
    try:
        with Limits(seconds=seconds).applied():
            while seconds < 1:
                pass
    except LimitError:
        pass
    told = []
    sys.settrace(lambda frame, event, arg: told.append(event))
    (lambda: sum(range(3)))()
    sys.settrace(None)
    assert told

for seconds in (0.05, 60.0):
    block(seconds)
    thread = threading.Thread(target=block, args=(seconds,))
    thread.start()
    thread.join()
print("done")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "done\n", done.stderr
