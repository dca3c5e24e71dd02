"""An answer about nothing is never a success: files that others include, folders, expired rules, claims about no packet."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.commands import run
from support.paths import RULES

from fwengine import loads
from fwengine.cli.group import COMMANDS as NAMES
from fwengine.report.nothing import Covered, no_rule

PACKET = "tcp 5.6.7.8:1029 -> 192.0.2.80:80"


class TestNothing:
    """The rule about files that others include: definitions are not a policy, and need not be one."""

    @pytest.fixture
    def shop(self, tmp_path: Path) -> Path:
        (tmp_path / "nets.fwl").write_text("net web = 192.0.2.80\n")
        (tmp_path / "edge.fwl").write_text('include "nets.fwl"\nallow tcp to web port 80 as web-in\n')
        (tmp_path / "edge-test.fwl").write_text('include "edge.fwl"\nexpect deny udp\n')
        return tmp_path

    @pytest.mark.parametrize(
        ("command", "files", "code"),
        [
            ("check", ["edge"], 0), ("check", ["nets"], 2), ("check", ["nets", "edge"], 0), ("check", ["edge", "nets"], 0),
            ("check", ["."], 0), ("check", ["nets", "."], 0),
            ("test", ["edge-test"], 0), ("test", ["edge"], 2), ("test", ["nets"], 2), ("test", ["nets", "edge"], 2),
            ("test", ["edge-test", "edge", "nets"], 0), ("test", ["."], 0),
        ],
    )  # fmt: skip
    def test_what_is_included_is_covered(
        self, shop: Path, command: str, files: list[str], code: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(shop)
        names = [name if name == "." else f"{'./' * (n % 2)}{name}.fwl" for n, name in enumerate(files)]
        done = run(command, *names, "--ignore", "FW209") if command == "check" else run(command, *names)
        assert done.code == code
        assert ("nothing was" in done.err) == bool(code)

    def test_expectations_of_a_file_without_rules_need_those_of_one_that_includes_it(self) -> None:
        done = run("test", RULES)
        assert (done.code, done.err) == (0, "")
        assert "common.fwl: 3 passed" in done.out
        done = run("test", RULES / "common.fwl")
        assert done.code == 2
        assert "FW501" in done.err

    def test_a_folder_of_definitions_is_no_policy(self, shop: Path) -> None:
        (shop / "sub").mkdir()
        shutil.copy(shop / "nets.fwl", shop / "sub" / "nets.fwl")
        done = run("check", shop, shop / "sub", "--ignore", "FW209", "--format", "json")
        assert (done.code, [(e["code"], e["place"]["file"]) for e in done.json["errors"]]) == (
            2,
            [("FW501", str(shop / "sub"))],
        )

    def test_nothing_is_not_ok(self, tmp_path: Path) -> None:
        (tmp_path / "nets.fwl").write_text("net office = 10.0.0.0/8\n")
        done = run("check", tmp_path / "nets.fwl", "--ignore", "FW209")
        assert done.code == 2
        assert "nets.fwl: no rules: every packet is denied by the default\n" in done.out

    def test_an_empty_file_in_a_folder_is_told(self, shop: Path) -> None:
        (shop / "lost.fwl").write_bytes(b"")
        done = run("check", shop, "--ignore", "FW209", "--format", "json")
        assert (done.code, [(e["code"], e["place"]["file"]) for e in done.json["errors"]]) == (
            2,
            [("FW504", str(shop / "lost.fwl"))],
        )

    def test_expired_rules_are_no_rules(self, tmp_path: Path) -> None:
        path = tmp_path / "old.fwl"
        path.write_text("allow tcp until 2026-01-31\nexpect deny udp\n")
        for day, code in (("2026-01-31", 0), ("2026-02-01", 2)):
            commands: list[list[str | Path]] = [
                ["prove", path, "deny udp"],
                ["test", path],
                ["eval", path, "udp 1.1.1.1 -> 2.2.2.2"],
            ]
            for command in commands:
                done = run(*command, "--as-of", day)
                assert done.code == code
                assert ("no rule counts on 2026-02-01: every packet is denied by the default" in done.err) == bool(code)

    def test_the_answer_is_given_all_the_same(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.fwl"
        path.write_bytes(b"")
        assert run("prove", path, "deny udp").out.startswith("PROVED")
        assert run("diff", path, path).out.startswith("EQUIVALENT")
        assert run("eval", path, PACKET).out.startswith("DENY")
        assert run("query", path, "allow udp").out.startswith("none")

    def test_claims_about_no_packet_are_answered_no(self, tmp_path: Path) -> None:
        (tmp_path / "good.fwl").write_text("allow tcp to 192.0.2.80 port 80 as web\n")
        for name in ("query", "prove"):
            done = run(name, tmp_path / "good.fwl", "deny tcp from any port 80 fragment later", "--format", "json")
            assert done.code in (1, 2)
            assert done.code == 2 or done.json["status"] == "about no packet"

    def test_the_rule_of_python(self) -> None:
        assert no_rule(loads("allow tcp")) is None
        assert str(no_rule(loads("default allow", file="x.fwl"))) == (
            "x.fwl: error[FW501]: no rule: every packet is allowed by the default"
        )
        covered = Covered("rule")
        covered.add(loads("allow tcp", file="a/b.fwl"))
        assert covered.missing("x", ["x"])
        assert covered.missing("a/./b.fwl", ["a/./b.fwl"]) is None

    def test_every_help_tells_it(self) -> None:
        for name in NAMES:
            text = " ".join(run(name, "--help").out.split())
            assert ("2 could not answer, or an answer about nothing" in text) == (
                name not in ("explain", "init", "lsp", "play", "schema", "version")
            )
            assert "Exit codes: 0 " in text, name

    def test_the_examples_say_something(self) -> None:
        assert "errors" not in run("check", RULES, "--format", "json", "--ignore", "FW209").json
