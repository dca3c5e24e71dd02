"""What all commands share: exit codes, colours, streams that fail, names that deceive, cheap start, determinism."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from support.commands import EDGE, program, run
from support.paths import ROOT

from fwengine import cli
from fwengine._version import __version__
from fwengine.cli.failure import report
from fwengine.cli.group import COMMANDS
from fwengine.errors import CaptureError, LimitError, PacketError
from fwengine.packets.encode import write_pcap
from fwengine.report.style import Style, wants_color

PACKET = "tcp 5.6.7.8:1029 -> 192.0.2.80:80"
SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")
UNSEEN = [chr(n) for n in (7, 8, 10, 13, 27, 127, 0x9B)] + ["\u202e", "\u2066", "\u200b", "\ufeff"]
BUILT = [name for name, entry in COMMANDS.items() if (Path(cli.__file__).parent / f"{entry.module}.py").exists()]


@pytest.fixture
def edge(tmp_path: Path) -> Path:
    path = tmp_path / "edge.fwl"
    path.write_text(EDGE + "expect allow tcp 5.6.7.8:1 -> 192.0.2.80:80 by web-in\n")
    return path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "x.pcap"
    from fwengine import Packet

    write_pcap(path, [Packet.parse(f"tcp 5.6.7.8:{n} -> 192.0.2.80:80 flags syn") for n in range(20)])
    return path


def plain(text: str) -> bool:
    """Nothing in it that a terminal obeys, colours and line feeds aside."""
    return not any(unicodedata.category(c) in ("Cc", "Cf") for c in SEQUENCE.sub("", text) if c != "\n")


class TestUsage:
    def test_without_a_command_there_is_help_and_no_success(self) -> None:
        done = run()
        assert (done.code, done.out) == (2, "")
        assert done.err == run("--help").out

    @pytest.mark.parametrize("flag", ["-h", "--help"])
    def test_help_lists_every_command(self, flag: str) -> None:
        done = run(flag)
        assert (done.code, done.err) == (0, "")
        assert all(f"\n  {name} " in done.out for name in COMMANDS)
        assert "Exit codes: 0 yes" in done.out

    @pytest.mark.parametrize("command", BUILT)
    def test_every_command_has_help_in_plain_ascii(self, command: str) -> None:
        done = run(command, "--help", encoding="ascii")
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith(f"Usage: fwengine {command}")
        assert max(map(len, done.out.splitlines())) <= 100

    def test_the_version_is_told_as_people_ask(self) -> None:
        assert run("--version").out == run("version").out == f"fwengine {__version__}\n"
        assert "\npython   3." in run("version", "--verbose").out

    @pytest.mark.parametrize(
        ("word", "meant"), [("evl", "eval"), ("ev", "eval"), ("tset", "test"), ("chekc", "check"), ("xyzzy", None)]
    )
    def test_a_slip_of_a_command(self, word: str, meant: str | None) -> None:
        done = run(word)
        assert (done.code, done.out) == (2, "")
        assert f"No such command `{word}`." in done.err
        assert ("Did you mean" in done.err) == (meant is not None)
        assert f"`{meant}`" in done.err or meant is None

    @pytest.mark.parametrize("command", BUILT)
    def test_an_unknown_option(self, command: str) -> None:
        done = run(command, "--nonsense")
        assert (done.code, done.out) == (2, "")
        assert "--nonsense" in done.err
        assert f"`fwengine {command} --help`" in done.err

    def test_names_that_begin_with_a_dash(self, tmp_path: Path) -> None:
        (tmp_path / "-x.fwl").write_text(EDGE)
        done = program("eval", "--", "-x.fwl", PACKET, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, b"ALLOW  by web-in  -x.fwl:8\n")
        assert program("eval", "-x.fwl", PACKET, cwd=tmp_path).returncode == 2


class TestExplain:
    def test_every_code(self) -> None:
        listed = run("explain", env={"COLUMNS": "300"}).out.splitlines()
        assert len(listed) > 40
        for line in listed:
            code, _, gist = line.partition("  ")
            done = run("explain", code.lower())
            assert (done.code, done.out.splitlines()[0]) == (0, code)
            assert gist
            assert max(map(len, done.out.splitlines())) <= 90

    def test_an_unknown_one(self) -> None:
        done = run("explain", "FW10")
        assert (done.code, done.out) == (2, "")
        assert "Did you mean `FW" in done.err
        assert "lists them" in run("explain", "nonsense").err


class TestColor:
    @pytest.mark.parametrize(
        ("choice", "env", "tty", "wanted"),
        [
            ("auto", {}, "out err", True),
            ("auto", {}, "", False),
            ("auto", {"TERM": "dumb"}, "out err", False),
            ("auto", {"FORCE_COLOR": "1"}, "", True),
            ("auto", {"FORCE_COLOR": ""}, "", False),
            ("auto", {"NO_COLOR": "1"}, "out err", False),
            ("auto", {"NO_COLOR": ""}, "out err", True),
            ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, "out err", False),
            ("always", {"NO_COLOR": "1"}, "", True),
            ("never", {"FORCE_COLOR": "1"}, "out err", False),
        ],
    )
    def test_who_decides(self, edge: Path, choice: str, env: dict[str, str], tty: str, wanted: bool) -> None:
        """On stdout and on stderr alike, in diagnostics and in remarks."""
        good = run("eval", edge, PACKET, "--color", choice, "--expect", "deny", env=env, tty=tty)
        assert (good.code, "\x1b[" in good.out, "\x1b[" in good.err) == (1, wanted, wanted)
        edge.write_text("alow\n")
        bad = run("eval", edge, PACKET, "--color", choice, env=env, tty=tty)
        assert (bad.code, bad.out, "\x1b[" in bad.err) == (2, "", wanted)
        missing = run("eval", edge, "-r", "none", "--color", choice, env=env, tty=tty)
        assert missing.code == 2

    def test_each_stream_for_itself(self, edge: Path) -> None:
        done = run("eval", edge, PACKET, "--expect", "deny", tty="out")
        assert ("\x1b[" in done.out, "\x1b[" in done.err) == (True, False)

    def test_colours_change_nothing_else(self, edge: Path, capture: Path) -> None:
        commands: list[list[str | Path]] = [
            ["eval", edge, PACKET, "--explain"],
            ["eval", edge, "-r", capture],
            ["show", edge],
        ]
        for arguments in commands:
            plain_, coloured = run(*arguments), run(*arguments, "--color", "always")
            assert plain_.out == SEQUENCE.sub("", coloured.out) != coloured.out

    def test_json_has_none(self, edge: Path) -> None:
        assert "\x1b" not in run("eval", edge, PACKET, "--format", "json", "--color", "always").out

    def test_style_pads_outside_the_colour(self) -> None:
        assert Style(True).verdict("DENY", 6) == "\x1b[1;31mDENY\x1b[0m  "
        assert Style(False)("x", "red", bold=True) == "x"
        assert wants_color("always", sys.stdout)


class TestHostileNames:
    """Whatever stands in a file's name, nothing of it is obeyed by a terminal, and no line is forged."""

    @pytest.mark.parametrize("c", UNSEEN)
    @pytest.mark.parametrize("color", ["never", "always"])
    def test_of_policies(self, tmp_path: Path, c: str, color: str) -> None:
        path = tmp_path / f"a{c}[31mb{c}ALLOW.fwl"
        path.write_text("deny tcp to 192.0.2.80 port 81\nallow tcp\nexpect allow tcp\n")
        commands: list[list[str | Path]] = [
            ["eval", path, "tcp 1.1.1.1 -> 192.0.2.80", "--explain"],
            ["eval", path, PACKET, "udp 1.1.1.1 -> 2.2.2.2"],
            ["fmt", "--diff", path],
            ["fmt", "--check", path],
        ]
        commands += [["show", path, "--as", form] for form in ("table", "tree", "dot", "mermaid", "json")]
        for arguments in commands:
            done = run(*arguments, "--color", color)
            assert plain(done.out + done.err)
            assert not [line for line in done.out.splitlines() if line.startswith("ALLOW.fwl")]
        path.write_text("alow\n")
        done = run("eval", path, PACKET, "--color", color)
        assert done.code == 2
        assert plain(done.err)

    @pytest.mark.parametrize("c", UNSEEN)
    def test_of_captures(self, edge: Path, capture: Path, c: str) -> None:
        odd = capture.with_name(f"a{c}b.pcap")
        capture.rename(odd)
        for arguments in (
            [f"{odd}", "--expect", "deny"],
            [f"{odd}.none"],
            [f"{odd}", "-r", f"{odd}.none", "--format", "json"],
        ):
            done = run("eval", edge, "-r", *arguments)
            assert plain(done.out + done.err)
            assert len(done.err.splitlines()) <= 2

    @pytest.mark.parametrize("c", UNSEEN)
    def test_of_packets_and_commands(self, edge: Path, c: str) -> None:
        for arguments in (
            [f"x{c}[31my"],
            ["eval", edge, f"hex:45{c}[31m"],
            ["eval", edge, f"tcp 1.1.1.1{c} -> 2.2.2.2"],
            ["eval", edge, json.dumps({"proto": "tcp", "src": "1.1.1.1", "dst": "2.2.2.2", "in": f"a{c}b"})],
            ["eval", edge, json.dumps({f"a{c}b": 1})],
            ["eval", edge, "-r", "x", "--state", f"a{c}b"],
            ["explain", f"FW{c}"],
        ):
            done = run(*arguments)
            assert plain(done.out + done.err)

    def test_names_that_are_no_text(self, tmp_path: Path) -> None:
        """Bytes that are not UTF-8: told as bytes in text, as escapes in JSON."""
        path = os.fsencode(tmp_path) + b"/a\xff b.fwl"
        Path(os.fsdecode(path)).write_text(EDGE)
        done = program("eval", path, PACKET)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"a<U+DCFF> b.fwl:8" in done.stdout
        document = json.loads(program("eval", path, PACKET, "--format", "json").stdout)
        assert os.fsencode(document["results"][0]["rule"]["place"]["file"]) == path
        assert program("eval", path + b"x", PACKET).returncode == 2
        base, capture = os.fsencode(tmp_path) + b"/base.json", os.fsencode(tmp_path) + b"/out.pcap"
        assert program("check", path, "--write-baseline", base).returncode == 0
        known = program("check", path, "--baseline", base, "--strict")
        assert (known.returncode, known.stderr) == (0, b"")
        assert program("synth", path, "-o", capture).returncode == 0
        assert "\\udcff b.fwl" in Path(os.fsdecode(capture + b".jsonl")).read_text(encoding="utf-8")


class TestEncodings:
    @pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
    def test_what_the_encoding_cannot_say_is_escaped(self, tmp_path: Path, encoding: str) -> None:
        path = tmp_path / "é\u20ac\U0001f600.fwl"
        path.write_text('allow tcp in "é\u20ac" as a\nalow \u20ac\n', encoding="utf-8")
        assert run("eval", path, PACKET, encoding=encoding).code == 2
        path.write_text('allow tcp in "é\u20ac" as a\n', encoding="utf-8")
        for form in ("table", "tree", "dot", "mermaid"):
            assert run("show", path, "--as", form, encoding=encoding).code == 0
        text = run("eval", path, PACKET, "--explain", encoding=encoding)
        assert text.code == 0
        document = run("eval", path, PACKET, "--format", "json", encoding=encoding).json
        assert document["results"][0]["cases"][0]["rule"]["place"]["file"] == str(path)

    @pytest.mark.parametrize("env", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
    def test_as_programs(self, tmp_path: Path, env: dict[str, str]) -> None:
        (tmp_path / "é.fwl").write_text('allow tcp in "é" as a\n', encoding="utf-8")
        done = program("show", "é.fwl".encode(), cwd=tmp_path, env=env)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"\\xe9" in done.stdout or "é".encode() in done.stdout
        assert program("fmt", "-", stdin='allow tcp in "é"\n'.encode(), env=env).stdout == 'allow tcp in "é"\n'.encode()


class TestStreams:
    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_a_reader_that_leaves(self, tmp_path: Path, unbuffered: str) -> None:
        """As in `fwengine show … | head -1`: no traceback, no success."""
        policy = tmp_path / "p.fwl"
        policy.write_text("".join(f"allow tcp to 10.{n >> 8}.{n & 255}.0/24 port {n} as r{n}\n" for n in range(1500)))
        command = [sys.executable, "-m", "fwengine", "show", str(policy), "--as", "json"]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": unbuffered}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline() == b"{\n"
            running.stdout.close()
            assert (running.wait(60), running.stderr.read()) == (2, b"")

    def test_help_to_a_reader_that_left(self) -> None:
        read, write = os.pipe()
        os.close(read)
        try:
            done = program("--help", stdout=write)
        finally:
            os.close(write)
        assert (done.returncode, done.stderr) == (2, b"")

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
    @pytest.mark.parametrize("arguments", [["--help"], ["version"], ["eval", "{edge}", PACKET], ["show", "{edge}"]])
    def test_a_full_disk(self, edge: Path, arguments: list[str]) -> None:
        with Path("/dev/full").open("wb") as full:
            done = program(*[a.replace("{edge}", str(edge)) for a in arguments], stdout=full)
        assert done.returncode == 2
        assert done.stderr == b"fwengine: cannot write the answer: no space left on device\n"

    def test_streams_that_are_closed(self, edge: Path) -> None:
        def shell(command: str) -> tuple[int, bytes]:
            script = f'exec "{sys.executable}" -m fwengine {command}'
            done = subprocess.run(
                ["sh", "-c", script], capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
            )
            assert b"Traceback" not in done.stderr
            return done.returncode, done.stdout + done.stderr

        said = b"fwengine: cannot write the answer: standard output is closed\n"
        assert shell(f"eval '{edge}' '{PACKET}' >&-") == (2, said)
        assert shell("eval none 'x' 2>&-") == (2, b"")
        assert shell("eval - 'x' <&-")[0] == 2
        assert shell(f"eval '{edge}' - <&-")[0] == 2
        assert shell(f"eval '{edge}' -r - <&-")[0] == 2
        assert shell("fmt - <&-")[0] == 2

    def test_a_stderr_that_is_full_changes_no_answer(self, edge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        class Full(io.StringIO):
            def write(self, text: str) -> int:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr(sys, "stderr", Full())
        monkeypatch.setattr(sys, "argv", ["fwengine", "eval", str(edge), PACKET, "--expect", "deny"])
        with pytest.raises(SystemExit) as left:
            cli.main()
        assert left.value.code == 1

    def test_on_a_terminal(self, edge: Path) -> None:
        """Through a real one: colours come, and the lines are those of a pipe."""
        ours, theirs = pty.openpty()
        try:
            done = program("eval", edge, PACKET, stdout=theirs, env={"TERM": "xterm"})
            assert select.select([ours], [], [], 10)[0]
            shown = os.read(ours, 10_000).decode()
        finally:
            os.close(ours)
            os.close(theirs)
        assert (done.returncode, "\x1b[1;32mALLOW\x1b[0m" in shown) == (0, True)
        assert SEQUENCE.sub("", shown).replace("\r\n", "\n") == run("eval", edge, PACKET).out


class TestInterruption:
    def test_exits_130(self, edge: Path) -> None:
        """The program waits for its standard input when the signal comes."""
        command = [sys.executable, "-c", _TELLS_WHEN_IT_READS, "eval", str(edge), "-"]
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background inherits SIG_IGN
        ) as running:
            assert running.stdout is not None
            assert running.stderr is not None
            assert running.stdout.readline() == b"reading\n"
            running.send_signal(signal.SIGINT)
            assert running.wait(60) == 130
            assert b"Traceback" not in running.stderr.read()

    def test_wherever_it_comes(self, edge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for place in (
            "fwengine.policy.load",
            "fwengine.cli.evaluate._record",
            "fwengine.cli.group.cli.main",
        ):

            def interrupted(*_: object, **__: object) -> None:
                raise KeyboardInterrupt

            with monkeypatch.context() as patch:
                patch.setattr(place, interrupted)
                assert run("eval", edge, PACKET).code == 130


_TELLS_WHEN_IT_READS = """
import sys
from fwengine import cli
from fwengine.sources import source
waits = source.read_stdin
def read():
    print("reading", flush=True)
    return waits()
source.read_stdin = read
cli.main()
"""


class TestErrorsAreNotSwallowed:
    def test_a_bug_keeps_its_traceback(self, edge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise AssertionError("a bug")

        monkeypatch.setattr("fwengine.cli.evaluate._record", broken)
        with pytest.raises(AssertionError, match="a bug"):
            run("eval", edge, PACKET)
        with pytest.raises(ZeroDivisionError):
            report(ZeroDivisionError())

    def test_all_that_a_user_can_mend_exits_2(self, capsys: pytest.CaptureFixture[str]) -> None:
        for error in (PacketError("p"), CaptureError("FW901", "f", "m"), LimitError("l")):
            assert report(error) == 2
        assert capsys.readouterr().err == "error: p\nf: error[FW901]: m\nerror: l\n"


class TestStart:
    """What a command does not need it does not load: figures of time would depend on the machine."""

    HEAVY = (
        "lark",
        "netaddr",
        "dataclasses",
        "json",
        "hypothesis",
        "numpy",
        "fwengine.model.rules",
        "fwengine.language",
    )

    @pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
    def test_help_loads_nothing_heavy(self, arguments: list[str]) -> None:
        loaded = self._loaded(arguments)
        click_needs = self._loaded([], "import click\n")
        assert not [name for name in self.HEAVY if name in loaded and name not in click_needs]
        assert "fwengine.cli.group" in loaded

    def test_an_eval_loads_no_grammar_of_addresses_or_tests(self, edge: Path) -> None:
        loaded = self._loaded(["eval", str(edge), PACKET])
        assert {"hypothesis", "pytest", "numpy", "difflib", "unittest", "fwengine.analysis.anomalies"}.isdisjoint(
            loaded
        )

    def _loaded(self, arguments: list[str], before: str = "from fwengine import cli\n") -> set[str]:
        tell = 'print(*sys.modules, file=sys.stderr, sep="\\n")'
        call = "cli.main()" if "cli" in before.split() else "pass"
        script = f"import sys\n{before}try:\n    {call}\nfinally:\n    {tell}\n"
        return set(program(*arguments, script=script).stderr.decode().splitlines())


@pytest.mark.parametrize(
    "arguments",
    [
        [
            "eval",
            "{edge}",
            "tcp 10.20.9.17 -> 192.0.2.80",
            "icmp 1.1.1.1 -> 192.0.2.80",
            "--explain",
            "--format",
            "json",
        ],
        ["eval", "{edge}", "-r", "{capture}", "--per-packet", "--format", "jsonl"],
        ["show", "{edge}", "--as", "json"],
        ["show", "{edge}", "--as", "dot"],
        ["show", "{edge}", "--as", "tree"],
        ["eval", "{edge}.none", "x"],
        ["explain"],
    ],
)
def test_the_same_bytes_for_every_hash_seed(edge: Path, capture: Path, arguments: list[str]) -> None:
    words = [a.replace("{edge}", str(edge)).replace("{capture}", str(capture)) for a in arguments]
    seen = {(done.returncode, done.stdout, done.stderr) for seed in "012" if (done := _seeded(words, seed))}
    assert len(seen) == 1


def _seeded(words: list[str], seed: str) -> subprocess.CompletedProcess[bytes]:
    return program(*words, env={"PYTHONHASHSEED": seed})


@pytest.mark.parametrize("name", BUILT)
def test_help_fits_into_eighty_columns(name: str) -> None:
    done = run(name, "--help", env={"COLUMNS": "80"})
    assert [line for line in done.out.splitlines() if len(line) > 80] == []
    assert re.search(r"^  Exit codes: ", done.out, re.MULTILINE)
