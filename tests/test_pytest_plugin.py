"""The pytest plugin: expectations are tests; failures, errors and names are what people and other plugins need."""

from __future__ import annotations

import datetime
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

from fwengine.analysis.prove import prove
from fwengine.errors import LimitError
from fwengine.model.box import Box
from fwengine.model.fields import PROTOCOL
from fwengine.model.interval import EMPTY
from fwengine.model.rules import DENY, Expectation
from fwengine.policy import Policy
from fwengine.report.outcomes import Outcome, failure_lines

pytest_plugins = ("pytester",)


EDGE = """\
default deny
net web = { 192.0.2.80-192.0.2.83, 2001:db8::80 }
allow tcp from any to web port { http, https } as web-in
allow tcp from 10.20.0.0/16 to web port ssh until 2026-12-31
expect allow tcp 5.6.7.8:1029 -> 192.0.2.80:80 by web-in
expect deny tcp from any to web port telnet
expect deny tcp from any to web port ssh
"""
FAILURE = """\
edge.fwl:7  expect deny tcp from any to web port ssh
  expected  deny
  got       allow by edge.fwl:4
  packet    tcp 10.20.9.17:49152 -> 192.0.2.80:22 flags syn
  try       fwengine eval edge.fwl 'tcp 10.20.9.17:49152 -> 192.0.2.80:22 flags syn' --explain --as-of 2026-11-21"""


@pytest.fixture(autouse=True)
def _only_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the package is installed, and its entry point registered, or not: the plugin is loaded by name, once."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    plain = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "fwengine.pytest_plugin")
    return pytester.runpytest_inprocess(*plain, "--fwl-as-of", "2026-11-21", *args)


def lines(result: pytest.RunResult) -> str:
    return "\n".join(result.outlines)


@pytest.fixture
def edge(pytester: pytest.Pytester) -> Path:
    path = pytester.path / "edge.fwl"
    path.write_text(EDGE)
    return path


def test_expectations_are_tests(pytester: pytest.Pytester, edge: Path) -> None:
    result = run(pytester)
    result.assert_outcomes(passed=2, failed=1)
    assert FAILURE in lines(result)
    assert "Traceback" not in lines(result)
    assert "pytest_plugin.py" not in lines(result)


def test_names(pytester: pytest.Pytester, edge: Path) -> None:
    result = run(pytester, "--collect-only", "-q", "edge.fwl")
    assert result.outlines[:3] == [
        "edge.fwl::5[expect allow tcp 5.6.7.8:1029 -> 192.0.2.80:80 by web-in]",
        "edge.fwl::6[expect deny tcp from any to web port telnet]",
        "edge.fwl::7[expect deny tcp from any to web port ssh]",
    ]


@pytest.mark.parametrize("chosen", ["5", "5[expect allow tcp 5.6.7.8:1029 -> 192.0.2.80:80 by web-in]"])
def test_one_expectation_is_selected(pytester: pytest.Pytester, edge: Path, chosen: str) -> None:
    run(pytester, f"edge.fwl::{chosen}").assert_outcomes(passed=1)


def test_keywords(pytester: pytest.Pytester, edge: Path) -> None:
    run(pytester, "-k", "telnet").assert_outcomes(passed=1, deselected=2)
    run(pytester, "-k", "edge and not ssh").assert_outcomes(passed=2, deselected=1)


def test_colons_of_addresses_do_not_end_a_name(pytester: pytest.Pytester) -> None:
    text = "allow udp from 2001:db8::/32\nexpect allow udp from 2001:db8::/48\nexpect allow udp [2001:db8::1]:53 -> [::1]:53\n"
    (pytester.path / "six.fwl").write_text(text)
    for name in (
        "2[expect allow udp from 2001:db8::/48]",
        "3[expect allow udp [2001:db8::1]:53 -> [::1]:53]",
        "2",
        "3",
    ):
        run(pytester, f"six.fwl::{name}").assert_outcomes(passed=1)
    run(pytester, "six.fwl::4").assert_outcomes()


def test_names_are_unique_and_of_one_line(pytester: pytest.Pytester) -> None:
    """Whatever the expectation's text is like, and even if a file is included: what pytest-xdist compares."""
    ports = ",\n    ".join(str(port) for port in range(100))
    (pytester.path / "part.fwl").write_text(
        f"expect deny tcp from any to any port {{\n    {ports}\n}}\nexpect deny udp\n"
    )
    (pytester.path / "sub").mkdir()
    (pytester.path / "sub" / "all.fwl").write_text(
        'include "../part.fwl"\nallow icmp\nexpect deny udp\nexpect deny udp\n'
    )
    for _ in range(2):
        names = run(pytester, "--collect-only", "-q", "sub").outlines[:4]
        assert [name[:40] for name in names] == [
            "sub/all.fwl::../part.fwl:1[expect deny t",
            "sub/all.fwl::../part.fwl:103[expect deny",
            "sub/all.fwl::3[expect deny udp]",
            "sub/all.fwl::4[expect deny udp]",
        ]
        assert all(len(name) < 300 for name in names)
    run(pytester, "sub").assert_outcomes(passed=4)
    run(pytester, "sub/all.fwl::../part.fwl:103").assert_outcomes(passed=1)


def test_a_test_file_states_expectations_of_the_policy_it_includes(pytester: pytest.Pytester, edge: Path) -> None:
    folder = pytester.path / "tests"
    folder.mkdir()
    (folder / "more.fwl").write_text('include "../edge.fwl"\nexpect allow tcp from any to web port 81\n')
    result = run(pytester, "tests")
    result.assert_outcomes(passed=2, failed=2)
    assert "tests/more.fwl:2  expect allow tcp from any to web port 81" in lines(result)
    assert "got       deny by default" in lines(result)
    assert "fwengine eval tests/more.fwl 'tcp" in lines(result)


def test_an_expectation_of_nothing_fails() -> None:
    """The language refuses such a claim; one made by hand is refuted without a counterexample."""
    policy = Policy(())
    proof = prove(policy, Expectation(DENY, (Box.of({PROTOCOL: EMPTY}),), text="nothing"))
    result = Outcome.of(proof, policy, "a.fwl", None)
    assert failure_lines(result) == ["  expected  deny", "  got       nothing: it is about no packet"]


def test_an_error_is_one_collection_error_with_the_screen(pytester: pytest.Pytester, edge: Path) -> None:
    (pytester.path / "typo.fwl").write_text("alow tcp from any\nallow tcp form any\nexpect deny any\n")
    result = run(pytester)
    result.assert_outcomes(errors=1)
    text = lines(result)
    assert "ERROR collecting typo.fwl" in text
    assert "error[FW012]: `alow` is not a statement\n --> typo.fwl:1:1\n  |\n1 | alow tcp from any\n  | ^^^^" in text
    assert " --> typo.fwl:2:" in text
    assert "Traceback" not in text
    assert "pytest_plugin" not in text


def test_a_missing_include_is_a_collection_error(pytester: pytest.Pytester) -> None:
    (pytester.path / "a.fwl").write_text('include "b.fwl"\n')
    result = run(pytester)
    result.assert_outcomes(errors=1)
    assert "cannot read `b.fwl`: no such file" in lines(result)


def test_files_without_expectations_are_no_tests(pytester: pytest.Pytester) -> None:
    (pytester.path / "quiet.fwl").write_text("allow tcp\n")
    (pytester.path / "other.txt").write_text("expect deny any\n")
    result = run(pytester)
    result.assert_outcomes()
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_the_day_comes_from_the_option_or_the_configuration(pytester: pytest.Pytester, edge: Path) -> None:
    run(pytester, "--fwl-as-of", "2027-01-01").assert_outcomes(passed=3)
    (pytester.path / "pytest.ini").write_text("[pytest]\nfwl_as_of = 2027-01-01\n")
    run(pytester, "--fwl-as-of", "").assert_outcomes(passed=3)
    run(pytester).assert_outcomes(passed=2, failed=1)
    result = run(pytester, "--fwl-as-of", "tomorrow")
    assert "`tomorrow` is not a date: expected YYYY-MM-DD" in lines(result) + "\n".join(result.errlines)
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_limit_is_told_without_a_traceback(
    pytester: pytest.Pytester, edge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(*_: object, **__: object) -> None:
        raise LimitError("unknown: the limit is reached")

    monkeypatch.setattr("fwengine.analysis.prove.prove", spent)
    result = run(pytester, "edge.fwl::6")
    result.assert_outcomes(failed=1)
    assert "edge.fwl:6: unknown: the limit is reached" in lines(result)
    assert "Traceback" not in lines(result)
    assert "pytest_plugin.py" not in lines(result)


def test_junit_and_the_working_directory(
    pytester: pytest.Pytester, edge: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another directory the names in messages are those that a shell there understands."""
    other = pytester.mkdir("other")
    monkeypatch.chdir(other)
    result = run(pytester, str(edge), f"--junitxml={other / 'out.xml'}")
    result.assert_outcomes(passed=2, failed=1)
    assert f"fwengine eval {edge} " in lines(result)
    assert "expect deny tcp from any to web port ssh" in (other / "out.xml").read_text()


def test_a_policy_without_a_rule_is_no_success(pytester: pytest.Pytester) -> None:
    (pytester.path / "empty.fwl").write_text("expect deny any\n")
    (pytester.path / "old.fwl").write_text("allow tcp until 2026-01-31\nexpect deny any\n")
    (pytester.path / "nets.fwl").write_text("net office = 10.0.0.0/8\n")  # says nothing, and claims nothing
    result = run(pytester)
    result.assert_outcomes(failed=2)
    assert "empty.fwl: error[FW501]: no rule: every packet is denied by the default" in lines(result)
    assert "old.fwl: error[FW501]: no rule counts on 2026-11-21" in lines(result)


def test_what_a_policy_with_rules_includes_needs_none(pytester: pytest.Pytester) -> None:
    (pytester.path / "common.fwl").write_text("expect deny udp\n")
    (pytester.path / "web.fwl").write_text('include "common.fwl"\nallow tcp to any port 80\n')
    run(pytester).assert_outcomes(passed=2)
    run(pytester, "common.fwl").assert_outcomes(failed=1)


def test_a_session_reads_the_clock_once(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []

    class Clock(datetime.date):
        @classmethod
        def today(cls) -> Clock:
            reads.append(1)
            return cls(2026, 1, 30 + len(reads))

    for name in ("a", "b"):
        (pytester.path / f"{name}.fwl").write_text("allow tcp until 2026-01-31\nexpect allow tcp\n")
    monkeypatch.setattr(datetime, "date", Clock)
    plain = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "fwengine.pytest_plugin")
    pytester.runpytest_inprocess(*plain).assert_outcomes(passed=2)
    assert len(reads) == 1


def test_loading_the_plugin_costs_nothing(tmp_path: Path) -> None:
    """Neither the engine nor what it needs is imported before a policy is met; click never is."""
    (tmp_path / "test_nothing.py").write_text("def test_nothing(): pass\n")
    program = inspect.cleandoc(
        """
        import sys
        import pytest
        before = set(sys.modules)
        import fwengine.pytest_plugin
        print(sorted(name for name in set(sys.modules) - before))
        quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-p", "fwengine.pytest_plugin"]
        assert pytest.main([*quiet, "test_nothing.py"]) == 0
        print(sorted(name for name in sys.modules if name.startswith(("fwengine", "lark", "netaddr", "click"))))
        open("a.fwl", "w").write("allow tcp\\nexpect deny udp\\n")
        assert pytest.main([*quiet, "a.fwl"]) == 0
        print(sorted({"lark", "click"} & set(sys.modules)))
        """
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    }
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    printed = [line for line in done.stdout.split("\n") if line.startswith("[")]
    ours = "['fwengine', 'fwengine._version', 'fwengine.handed', 'fwengine.pytest_plugin']"
    assert printed == [ours, ours, "[]"]  # Lark is for what is wrong
