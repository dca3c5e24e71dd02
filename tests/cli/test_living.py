"""What a policy in a repository wants: baselines, a configuration, previews, a beginning, and checks that run by themselves."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.commands import program, run

from fwengine import load, loads
from fwengine.analysis.diff import equivalent
from fwengine.cli import watching
from fwengine.report.baseline import load_baseline

DAY = ("--as-of", "2026-11-25")
DRAFT = """\
net web = 192.0.2.80/30
allow tcp to web port { 80, 443 } as web-in
allow tcp to web port 80 as again  # twice
allow udp to any port 1-65535
allow udp to any port 1-65535
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "draft.fwl").write_text(DRAFT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestBaseline:
    @pytest.fixture(autouse=True)
    def written(self, folder: Path) -> Path:
        done = run("check", "rules", "--write-baseline", "base.json", *DAY)
        assert (done.code, done.out) == (0, "rules/draft.fwl: ok, 4 rules, default deny, 6 in the baseline\n")
        assert done.err == "note: base.json: 6 findings written\n"
        return folder / "rules" / "draft.fwl"

    def test_only_what_is_new_fails(self, written: Path) -> None:
        assert run("check", "rules", "--baseline", "base.json", "--strict", *DAY).code == 0
        written.write_text(DRAFT + "deny tcp to web port 443 as late\n")
        done = run("check", "rules", "--baseline", "base.json", "--format", "json", *DAY)
        assert (done.code, [(f["code"], f["rule"]["label"]) for f in done.json["findings"]]) == (1, [("FW201", "late")])
        assert (done.json["baseline"]["known"], done.json["baseline"]["stale"]) == (6, [])

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: "# a comment\n\n" + text,
            lambda text: text.replace("# twice", "# said before"),
            lambda text: text.replace("{ 80, 443 }", "{80,443,}").replace("net web =", "net     web   ="),
            lambda text: text.replace("{ 80, 443 }", "{ 80,  # http\n 443 }"),
            lambda text: "\ufeff" + text.replace("\n", "\r\n"),
            lambda text: "allow icmp from 192.0.2.1\n" + text,
        ],
    )
    def test_it_survives_what_means_the_same(self, written: Path, change: object) -> None:
        written.write_bytes(change(DRAFT).encode())  # type: ignore[operator]
        done = run("check", "rules", "--baseline", "base.json", "--strict", *DAY)
        assert (done.code, done.err) == (0, "")

    def test_from_another_folder_and_under_another_spelling(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert run("check", "./rules/../rules", "--baseline", folder / "base.json", "--strict", *DAY).code == 0
        monkeypatch.chdir(folder / "rules")
        assert run("check", "draft.fwl", "--baseline", "../base.json", "--strict", *DAY).code == 0

    def test_what_is_changed_is_new(self, written: Path) -> None:
        written.write_text(DRAFT.replace("to web port 80 as again", "to web port 443 as again"))
        done = run("check", "rules", "--baseline", "base.json", *DAY)
        assert done.code == 1
        assert "FW202" in done.out
        assert "not found any more: FW202 rules/draft.fwl: allow tcp to web port 80 as again" in done.err

    def test_alike_ones_are_counted(self, written: Path) -> None:
        written.write_text(DRAFT + "allow udp to any port 1-65535\n")
        done = run("check", "rules", "--baseline", "base.json", "--select", "FW202", *DAY)
        assert (done.code, done.out.count("warning[FW202]")) == (1, 1)

    def test_stale_entries_are_of_what_was_looked_at(self, written: Path) -> None:
        (written.parent / "other.fwl").write_text("allow icmp from 192.0.2.1\n")
        assert run("check", "rules/other.fwl", "--baseline", "base.json", *DAY).err == ""
        written.write_text("allow icmp from 192.0.2.1\n")
        assert run("check", "rules", "--baseline", "base.json", "--select", "FW301", *DAY).err == ""
        done = run("check", "rules", "--baseline", "base.json", *DAY)
        assert (done.code, done.err.count("not found any more")) == (0, 6)

    def test_what_was_not_looked_for_is_not_gone(self, written: Path) -> None:
        """An unused comment is found where its code is looked for, and in its own file; so it is not gone elsewhere."""
        (written.parent / "names.fwl").write_text("net a = 192.0.2.1  # fwengine: ignore FW303: no rule\n")
        (written.parent / "main.fwl").write_text('include "names.fwl"\ndeny icmp to a\n')
        assert run("check", "rules", "--write-baseline", "base.json", *DAY).code == 0
        for more in (["rules", "--select", "FW2"], ["rules/main.fwl"], ["rules", "--ignore", "FW303"], ["rules"]):
            assert run("check", *more, "--baseline", "base.json", *DAY).err == ""
        (written.parent / "names.fwl").write_text("net a = 192.0.2.1\n")
        assert run("check", "rules", "--baseline", "base.json", *DAY).err.count("gone") == 1
        assert "FW221 rules/names.fwl" in run("check", "rules", "--baseline", "base.json", *DAY).err

    def test_what_is_told_once_hides_no_other(self, written: Path) -> None:
        """Of FW303 one is enough, but the one that is known is not the one that is new."""
        written.write_text(DRAFT + "allow sctp to 192.0.2.9 port 99\n")
        done = run("check", "rules", "--baseline", "base.json", "--format", "json", *DAY)
        assert [(f["code"], f["place"]["line"]) for f in done.json["findings"]] == [("FW303", 6)]

    def test_errors_are_never_known(self, written: Path) -> None:
        written.write_text("alow tcp\n")
        assert run("check", "rules", "--baseline", "base.json", *DAY).code == 2
        kept = Path("base.json").read_bytes()
        done = run("check", "rules", "--write-baseline", "base.json", *DAY)
        assert (done.code, "is not written" in done.err) == (2, True)
        assert Path("base.json").read_bytes() == kept

    def test_the_same_text_every_time(self) -> None:
        before = Path("base.json").read_bytes()
        run("check", "rules", "--write-baseline", "base.json", *DAY)
        assert Path("base.json").read_bytes() == before

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: text.replace('"1.0"', '"2.0"'),
            lambda text: text.replace('"FW202"', '"FW201"', 1),
            lambda text: text.replace('"statement"', '"state"', 1),
            lambda text: "[]",
            lambda text: "",
            lambda text: '{"findings": [1], "format_version": "1.0"}',
            lambda text: "[" * 100_000,
            lambda text: text.replace("web", "\udcff"),
        ],
    )
    @pytest.mark.parametrize("form", ["text", "json", "sarif", "github"])
    def test_damage_is_exit_2(self, damage: object, form: str) -> None:
        text = damage(Path("base.json").read_text())  # type: ignore[operator]
        Path("base.json").write_bytes(text.encode("utf-8", "surrogateescape"))
        done = run("check", "rules", "--baseline", "base.json", "--format", form, *DAY)
        assert done.code == 2
        assert "FW514" in done.err
        assert form == "text" or "FW514" in done.out

    def test_one_that_is_not_there(self) -> None:
        done = run("check", "rules", "--baseline", "none.json", "--format", "json")
        assert (done.code, done.json["errors"][0]["code"], done.json["errors"][0]["kind"]) == (2, "FW001", "file")
        both = run("check", "rules", "--baseline", "base.json", "--write-baseline", "base.json")
        assert (both.code, both.out) == (2, "")

    def test_every_fingerprint_is_its_own(self) -> None:
        known = load_baseline("base.json").known
        assert len({entry.fingerprint for entry in known}) == len(known) == 5
        assert known.total() == 6


class TestConfiguration:
    @pytest.mark.parametrize(("name", "head"), [("fwengine.toml", ""), ("pyproject.toml", "[tool.fwengine]\n")])
    def test_what_it_says_is_assumed(self, folder: Path, name: str, head: str, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / name).write_text(
            f'[project]\nname = "x"\n{head}' * bool(head) + 'paths = ["rules"]\nselect = ["FW302"]\n'
        )
        deep = folder / "a" / "b"
        deep.mkdir(parents=True)
        monkeypatch.chdir(deep)
        done = run("check", *DAY)
        assert done.code == 0
        assert "../../rules/draft.fwl: 2 info" in done.out
        assert "FW202" not in done.out
        assert run("check", "--strict", *DAY).code == 1
        assert "config   ../../" + name in run("version", "--verbose").out
        assert run("fmt", "--check").code == 1
        assert run("test").code == 2  # no expectation
        assert run("check", "--no-config").code == 2
        assert "Missing argument" in run("check", "--no-config").err

    def test_options_win(self, folder: Path) -> None:
        (folder / "fwengine.toml").write_text('strict = true\nignore = ["FW2"]\n')
        assert run("check", "rules", *DAY).code == 1
        assert run("check", "rules", "--no-strict", *DAY).code == 0
        assert "FW202" in run("check", "rules", "--select", "FW202", *DAY).out
        assert "FW202" in run("check", "rules", "--ignore", "FW302", *DAY).out
        (folder / "other.toml").write_text("strict = false\n")
        assert "FW202" in run("check", "rules", "--config", "other.toml", *DAY).out
        assert run("check", "rules", "--config", "none.toml").code == 2
        assert run("check", "rules", "--config", "other.toml", "--no-config").code == 2

    def test_the_nearest_one_counts(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "fwengine.toml").write_text("strict = true\n")
        (folder / "rules" / "pyproject.toml").write_text('[project]\nname = "fwengine-rules"\n')
        monkeypatch.chdir(folder / "rules")
        assert "config   ../fwengine.toml" in run("version", "--verbose").out
        (folder / "rules" / "pyproject.toml").write_text("[tool.fwengine]\nstrict = false\n")
        assert "config   pyproject.toml" in run("version", "--verbose").out

    def test_a_baseline_is_found_from_the_file(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "fwengine.toml").write_text('baseline = "base.json"\nstrict = true\n')
        assert run("check", "rules", "--write-baseline", "base.json", *DAY).code == 0
        monkeypatch.chdir(folder / "rules")
        assert run("check", ".", *DAY).code == 0

    def test_interfaces_that_there_are(self, folder: Path) -> None:
        (folder / "fwengine.toml").write_text('interfaces = ["lan0", "wan0"]\n')
        text = "deny any from 10.0.0.0/8 in wan1 as spoofed\nallow tcp in lan0\nexpect deny udp in lan0\n"
        (folder / "a.fwl").write_text(text)
        done = run("check", "a.fwl")
        assert (done.code, "error[FW137]: `wan1` is not a declared interface" in done.out) == (2, True)
        assert run("test", "a.fwl").code == 2
        (folder / "a.fwl").write_text(text.replace("wan1", "wan0"))
        assert run("check", "a.fwl").code == 0
        assert run("test", "a.fwl").code == 0
        (folder / "b.fwl").write_text("interface lan0 = eth7\nallow tcp in lan0\nallow udp in wan0\n")
        assert run("check", "b.fwl").code == 0

    @pytest.mark.parametrize(
        "command",
        ["eval a.fwl 'tcp 10.0.0.1:1 -> 10.0.0.2:2'", "query a.fwl 'allow any'", "prove a.fwl 'allow any'", "diff a.fwl a.fwl",
         "show a.fwl", "synth a.fwl -o a.pcap"],
    )  # fmt: skip
    def test_every_command_knows_them(self, folder: Path, command: str) -> None:
        (folder / "fwengine.toml").write_text('interfaces = ["lan0", "wan0"]\n')
        (folder / "a.fwl").write_text("allow tcp in wan1\n")
        words = shlex.split(command)
        if words[0] == "diff":
            (folder / "b.fwl").write_text("allow udp\n")
            words[2] = "b.fwl"
        done = run(*words)
        assert (done.code, "`wan1` is not a declared interface" in done.err) == (2, True)
        assert "`wan1`" not in run(*words, "--no-config").err
        (folder / "a.fwl").write_text("allow tcp\n")
        if words[0] in ("eval", "query", "prove"):
            asked = run(*words[:2], words[2] + " in wan1")
            assert (asked.code, "`wan1` is not a declared interface" in asked.err) == (2, True)

    def test_interfaces_change_no_verdict(self) -> None:
        text = "deny any in wan0\nallow tcp in { none, lan0 }\nallow udp in not lan0\n"
        assert equivalent(loads(text), loads(text, interfaces=["lan0", "wan0", "dmz0"]))

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ('selct = ["FW2"]', 1, "there is no key `selct`"),
            ('\nselect = "FW2"', 2, "`select` is a text, and must be a list of codes"),
            ('strict = "yes"', 1, "`strict` is a text, and must be `true` or `false`"),
            ("strict = 1", 1, "`strict` is a number"),
            ("paths = [1]", 1, "`paths` is a list of other things"),
            ('paths = [""]', 1, "`paths` holds an empty text"),
            ("baseline = { a = 1 }", 1, "`baseline` is a table"),
            ('interfaces = ["eth0:1"]', 1, "`interfaces` holds `eth0:1`"),
            ('interfaces = ["any"]', 1, "`interfaces` holds `any`"),
            ('interfaces = ["lan0", "lan0"]', 1, "names an interface twice"),
            ('select = ["FW999"]', 1, "`FW999` is not a code of a finding"),
            ("strict = \n", 1, "is not TOML: invalid value"),
            ("strict = true\nstrict = true", 2, "is not TOML: cannot overwrite a value"),
        ],
    )
    def test_what_is_wrong_is_told_at_its_place(self, folder: Path, text: str, line: int, said: str) -> None:
        (folder / "fwengine.toml").write_text(text)
        done = run("check", "rules", "--format", "json", *DAY)
        (error,) = done.json["errors"]
        assert (done.code, error["code"], error["kind"], error["place"]["file"]) == (
            2,
            "FW515",
            "file",
            "fwengine.toml",
        )
        assert (error["place"]["line"], said in error["message"]) == (line, True), error["message"]

    def test_all_mistakes_at_once_with_what_was_meant(self, folder: Path) -> None:
        (folder / "pyproject.toml").write_text(
            '[other]\nselct = 1\n[tool.fwengine]\nselct = []\n"strickt" = true\nx = 1\n'
        )
        done = run("check", "rules")
        assert (done.code, done.out) == (2, "")
        assert "--> pyproject.toml:4:1" in done.err
        assert "did you mean `select`?" in done.err
        assert "did you mean `strict`?" in done.err
        assert "there are `select`, `ignore`" in done.err
        assert run("version", "--verbose").code == 2

    def test_other_files_of_python_are_nobodys_business(self, folder: Path) -> None:
        for text in ("[project]\n", "no TOML at all", "[tool.other]\n"):
            (folder / "pyproject.toml").write_text(text)
            assert "config   none" in run("version", "--verbose").out

    def test_toml_is_read_where_there_is_a_file_only(self, folder: Path) -> None:
        script = (
            "import sys\nfrom fwengine import cli\nsys.argv = ['fwengine', 'check', 'rules']\n"
            "try:\n    cli.main()\nexcept SystemExit:\n    print('tomllib' in sys.modules)\n"
        )
        assert program(script=script, cwd=folder).stdout.splitlines()[-1] == b"False"
        (folder / "fwengine.toml").write_text("strict = true\n")
        assert program(script=script, cwd=folder).stdout.splitlines()[-1] == b"True"


def test_json_is_whole(folder: Path) -> None:
    document = json.loads(run("check", "rules", "--format", "json", *DAY).out)
    assert (document["ignored"], document["baseline"]) == ([], None)


class TestBeginning:
    def test_what_it_writes_is_clean(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        done = run("init", "net")
        assert (done.code, done.err) == (0, "")
        monkeypatch.chdir(tmp_path / "net")
        assert run("check", "--no-config", "--strict", "rules").code == 0
        for words in (["check"], ["test"], ["fmt", "--check"]):
            done = run(*words)
            assert (done.code, done.err) == (0, ""), words
        assert run("test").out.endswith("11 passed, 0 failed\n")
        assert run("test", "--coverage", "--fail-under", "100").code == 0

    @pytest.mark.parametrize(
        ("checks", "file"),
        [
            ("github", ".github/workflows/fwengine.yml"),
            ("gitlab", ".gitlab-ci.yml"),
            ("pre-commit", ".pre-commit-config.yaml"),
        ],
    )
    def test_what_checks_every_change_passes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checks: str, file: str
    ) -> None:
        """Each command of the file is run as it stands there."""
        monkeypatch.chdir(tmp_path)
        assert run("init", "--ci", checks).code == 0
        text = (tmp_path / file).read_text("utf-8")
        assert sorted(p.name for p in tmp_path.iterdir()) == sorted(["rules", "fwengine.toml", file.partition("/")[0]])
        assert "\t" not in text
        asked = re.findall(r"(?:run|entry): fwengine (.*)|- fwengine (.*)", text)
        commands = [(one or other).partition(" > ")[0].split() for one, other in asked]
        assert sorted(words[0] for words in commands) == ["check", "fmt", "test"]
        for words in commands:
            operands = ["rules/edge.fwl"] if checks == "pre-commit" and words[0] == "fmt" else []
            done = run(*words, *operands)
            assert (done.code, done.err) == (0, ""), words

    def test_several_checks_or_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        refused = run("init", "--no-ci", "--ci", "gitlab")
        assert refused.code == 2
        assert "contradict" in refused.err
        assert list(tmp_path.iterdir()) == []
        assert run("init", "--ci", "gitlab", "--ci", "github").code == 0
        assert {".github", ".gitlab-ci.yml"} <= {path.name for path in tmp_path.iterdir()}

    def test_nothing_is_overwritten(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "fwengine.toml").write_text("mine")
        done = run("init")
        assert (done.code, done.out) == (2, "")
        assert "`fwengine.toml` is there already" in done.err
        assert [path.name for path in tmp_path.iterdir()] == ["fwengine.toml"]
        (tmp_path / "fwengine.toml").unlink()
        assert run("init", "--no-ci").code == 0
        assert sorted(path.name for path in tmp_path.iterdir()) == ["fwengine.toml", "rules"]
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert run("init").code == 2
        assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = run("init", tmp_path / "file" / "net")
        assert done.code == 2
        assert "cannot make" in done.err
        assert "Traceback" not in done.err


class TestWatch:
    """Looks are counted here, never timed: the pause between two of them is where the tests change files."""

    def test_it_asks_again_after_a_change(self, folder: Path) -> None:
        path = folder / "rules" / "draft.fwl"
        new = folder / "rules" / "new.fwl"
        steps: Iterator[Callable[[], object]] = iter(
            [
                lambda: None,  # nothing changes: nothing is asked
                lambda: path.write_text("alow tcp\n"),
                lambda: path.write_text('include "part/nets.fwl"\nallow tcp to web\n'),
                lambda: (folder / "rules" / "part").mkdir(),
                lambda: (folder / "rules" / "part" / "nets.fwl").write_text("net web = 192.0.2.80\n"),
                lambda: new.write_text("allow udp to 192.0.2.1\nallow udp to 192.0.2.1 \n"),
                new.unlink,
            ]
        )
        codes = []

        def pause(_: float) -> None:
            step = next(steps, None)
            if step is None:
                raise KeyboardInterrupt
            step()

        def ask() -> int:
            codes.append(run("check", "rules", "--ignore", "FW209", *DAY).code)
            return codes[-1]

        assert watching.watch(ask, ["rules"], pause=pause) == codes[-1]
        assert codes == [1, 2, 2, 0, 1, 0]

    def test_the_last_exit_code(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def pause(_: float) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(watching.watch, "__defaults__", ((), pause))
        done = run("check", "rules", "--watch", *DAY)
        assert (done.code, done.out.count("4 rules")) == (1, 1)
        assert done.err == "note: watching 1 file; Ctrl-C ends\n"
        (folder / "fwengine.toml").write_text('baseline = "none.json"\n')
        missing = run("check", "rules", "--watch", *DAY)
        assert (missing.code, "cannot read `none.json`" in missing.err) == (2, True)
        assert "watching 3 files" in missing.err

    @pytest.mark.parametrize("named", ["-", "HEAD:x.fwl"])
    def test_what_cannot_change(self, named: str) -> None:
        done = run("check", "--watch", named)
        assert (done.code, "looks at files" in done.err) == (2, True)

    def test_as_a_program_an_interruption_ends_it(self, folder: Path) -> None:
        script = (
            "import signal, sys, os\nfrom fwengine.cli import main, watching\n"
            "watching.watch.__defaults__ = ((), lambda _: os.kill(os.getpid(), signal.SIGINT))\n"
            "sys.argv = ['fwengine', 'check', '--watch', '--select', 'FW301', 'rules']\nmain()\n"
        )
        done = program(script=script, cwd=folder)
        assert done.returncode == 0
        assert b"Traceback" not in done.stderr


SHARED = """\
# fwengine: ignore FW302: not here
net office = { 10.20.0.0/16, 10.20.1.0/24 }
net guests = 10.21.0.0/16
# fwengine: ignore FW203: blocked everywhere
deny any from guests as blocked
"""


class TestFilesThatOthersInclude:
    """Of such a file its own policy does not tell what it is good for."""

    @pytest.fixture
    def rules(self, folder: Path) -> Path:
        for old in (folder / "rules").iterdir():
            old.unlink()
        (folder / "rules" / "shared.fwl").write_text(SHARED)
        (folder / "rules" / "edge.fwl").write_text(
            'default allow\ninclude "shared.fwl"\ndeny udp from office to any port 53 as no-dns\n'
        )
        return folder / "rules"

    def test_a_name_that_another_policy_uses_is_used(self, rules: Path) -> None:
        assert "FW209" not in run("check", "rules", *DAY).out
        assert "net `office` is never used" in run("check", "rules/shared.fwl", *DAY).out

    def test_fix_leaves_their_statements(self, rules: Path) -> None:
        """`edge.fwl` needs a name that nothing in the file itself uses."""
        text = SHARED.replace("# fwengine: ignore FW203: blocked everywhere\n", "")
        (rules / "shared.fwl").write_text(text)
        before = load("rules/edge.fwl")
        assert run("check", "rules", "--fix", *DAY).code == 0
        assert (rules / "shared.fwl").read_text() == text.split("\n", 1)[1].replace(", 10.20.1.0/24", "")
        assert equivalent(before, load("rules/edge.fwl"))
        assert run("check", "rules", "--fix", "--diff", *DAY).code == 0

    def test_fix_leaves_comments_that_others_need(self, rules: Path) -> None:
        """Also if lines have moved by what was mended before."""
        shared = SHARED.replace("FW203", "FW202").replace(
            "deny any from guests", "allow tcp from guests to any port 80"
        )
        (rules / "shared.fwl").write_text(shared)
        (rules / "edge.fwl").write_text(
            'allow tcp from any to any port 80 as wide\ninclude "shared.fwl"\nallow udp from office\n'
        )
        assert run("check", "rules", "--fix", *DAY).code == 0
        assert (rules / "shared.fwl").read_text() == shared.split("\n", 1)[1].replace(", 10.20.1.0/24", "")
