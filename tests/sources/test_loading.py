"""Loading: includes, defaults, encodings, files that cannot be read, and what a load must not import."""

from __future__ import annotations

import datetime
import errno
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from fwengine.errors import PolicyError
from fwengine.model.rules import ALLOW, DENY, Claim
from fwengine.policy import Policy, load, load_from, loads, region
from fwengine.policy import read_claim as claim

DAY = datetime.date(2026, 1, 1)


def from_files(files: Mapping[str, str | bytes], main: str = "main.fwl") -> Policy:
    def reader(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", name)
        data = files[name]
        return data if isinstance(data, bytes) else data.encode()

    return load_from(main, reader, as_of=DAY)


def codes(files: Mapping[str, str | bytes], main: str = "main.fwl") -> list[tuple[str, str, int]]:
    with pytest.raises(PolicyError) as caught:
        from_files(files, main)
    return [(d.code, d.span.file, d.span.line) for d in caught.value.diagnostics]


def test_an_include_stands_for_the_text_of_the_file() -> None:
    policy = from_files(
        {
            "main.fwl": 'deny udp\ninclude "a.fwl"\ndeny tcp from n',
            "a.fwl": "net n = ::1\nallow tcp as x\nexpect allow tcp by x",
        }
    )
    assert [r.label for r in policy.rules] == ["main.fwl:1", "x", "main.fwl:3"]
    assert list(policy.sources) == ["main.fwl", "a.fwl"]
    assert policy.expectations[0].span.file == "a.fwl"


def test_paths_are_relative_to_the_file_that_includes() -> None:
    files = {
        "d/main.fwl": 'include "sub/a.fwl"',
        "d/sub/a.fwl": 'include "../b.fwl"\ninclude "./c.fwl"',
        "d/b.fwl": "deny tcp",
        "d/sub/c.fwl": "deny udp",
    }
    assert [r.label for r in from_files(files, "d/main.fwl").rules] == ["d/b.fwl:1", "d/sub/c.fwl:1"]


def test_a_file_counts_once_where_it_came_first() -> None:
    files = {
        "main.fwl": 'include "a.fwl"\ninclude "b.fwl"\ninclude "./x/../a.fwl"',
        "a.fwl": 'include "c.fwl"\ndeny tcp',
        "b.fwl": 'include "c.fwl"',
        "c.fwl": "net n = ::1\ndeny udp as u",
    }
    assert [r.label for r in from_files(files).rules] == ["u", "a.fwl:2"]


def test_the_same_file_under_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a.fwl").write_text("net n = ::1\ndeny tcp from n as x")
    (tmp_path / "link.fwl").symlink_to(tmp_path / "a.fwl")
    (tmp_path / "main.fwl").write_text(f'include "a.fwl"\ninclude "link.fwl"\ninclude "{tmp_path}/a.fwl"')
    assert [r.label for r in load(tmp_path / "main.fwl").rules] == ["x"]


def test_circles_are_errors() -> None:
    assert codes({"main.fwl": 'include "main.fwl"'}) == [("FW022", "main.fwl", 1)]
    assert codes({"main.fwl": '\ninclude "a.fwl"', "a.fwl": 'include "b.fwl"', "b.fwl": 'include "a.fwl"'}) == [
        ("FW022", "b.fwl", 1)
    ]
    with pytest.raises(PolicyError, match="circle") as caught:
        from_files({"main.fwl": 'include "a.fwl"', "a.fwl": 'include "main.fwl"'})
    assert caught.value.diagnostics[0].label == "main.fwl -> a.fwl -> main.fwl"


def test_includes_are_bounded() -> None:
    deep = {f"{i}.fwl": f'include "{i + 1}.fwl"' for i in range(500)}
    assert codes(deep, "0.fwl") == [("FW022", "63.fwl", 1)]
    wide: dict[str, str | bytes] = {f"{i}.fwl": "" for i in range(2000)}
    wide["main.fwl"] = "\n".join(f'include "{i}.fwl"' for i in range(2000))
    assert len(codes(wide)) == 1001


def test_a_default_may_come_from_an_included_file() -> None:
    assert from_files({"main.fwl": 'include "a.fwl"', "a.fwl": "default allow"}).default is ALLOW
    assert codes({"main.fwl": 'default deny\ninclude "a.fwl"', "a.fwl": "default deny"}) == [("FW023", "a.fwl", 1)]


def test_names_are_one_space_over_all_files() -> None:
    assert codes({"main.fwl": 'net n = ::1\ninclude "a.fwl"', "a.fwl": "net n = ::2"}) == [("FW102", "a.fwl", 1)]
    assert codes({"main.fwl": 'deny any as x\ninclude "a.fwl"', "a.fwl": "deny any as x"}) == [("FW126", "a.fwl", 1)]
    assert from_files({"main.fwl": 'allow tcp from n\ninclude "a.fwl"', "a.fwl": "net n = ::2"}).rules


def test_errors_come_file_by_file_in_the_order_of_reading() -> None:
    files = {"main.fwl": 'alow tcp\ninclude "a.fwl"\nallow tcp from n', "a.fwl": "deny upd\nnet m = 10.0.0.1/8"}
    assert codes(files) == [
        ("FW012", "main.fwl", 1),
        ("FW101", "main.fwl", 3),
        ("FW115", "a.fwl", 1),
        ("FW106", "a.fwl", 2),
    ]


def test_what_a_missing_file_may_define_is_not_called_unknown() -> None:
    assert codes({"main.fwl": 'include "gone.fwl"\nallow s from n to any\nallow tcp to any port p'}) == [
        ("FW021", "main.fwl", 1)
    ]
    assert codes({"main.fwl": 'include "a.fwl"\nallow tcp from n', "a.fwl": b"\xff"}) == [("FW002", "a.fwl", 1)]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), "no such file"),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), "it is a directory"),
        (PermissionError(errno.EACCES, "Permission denied"), "permission denied"),
        (OSError("odd"), "odd"),
        (OSError(), "cannot be opened"),
    ],
)
def test_a_file_that_cannot_be_read(error: OSError, said: str) -> None:
    def reader(name: str) -> bytes:
        raise error

    with pytest.raises(PolicyError) as caught:
        load_from("x.fwl", reader)
    (d,) = caught.value.diagnostics
    assert (d.code, d.span.file) == ("FW001", "x.fwl")
    assert said in d.message


@pytest.mark.parametrize("path", ["nowhere/x.fwl", ".", "a\0b", "\ud800", "x" * 5000])
def test_paths_that_are_no_files(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PolicyError) as caught:
        load(path)
    assert [d.code for d in caught.value.diagnostics] == ["FW001"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs a file without an end")
@pytest.mark.slow
def test_a_file_without_an_end() -> None:
    with pytest.raises(PolicyError, match="larger than"):
        load("/dev/zero")


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"# nothing\r\n", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_denies_everything(data: bytes) -> None:
    policy = from_files({"main.fwl": data})
    assert (policy.rules, policy.default) == ((), DENY)


@pytest.mark.parametrize(
    ("data", "line", "column", "said"),
    [
        (b"deny any\nallow \xff", 2, 7, "0xff"), ("déné \udcff".encode("utf-8", "surrogateescape"), 1, 6, "0xff"),
        ("deny any".encode("utf-16"), 1, 1, "UTF-16"), (b"\xef\xbb\xbfdeny \xc3", 1, 6, "0xc3"), (b"\xed\xa0\x80", 1, 1, "0xed"),
    ],
)  # fmt: skip
def test_what_is_no_utf8(data: bytes, line: int, column: int, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        from_files({"main.fwl": data})
    (d,) = caught.value.diagnostics
    assert (d.code, d.span.line, d.span.column) == ("FW002", line, column)
    assert said in d.label


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_change_nothing(end: str, mark: str) -> None:
    text = mark + end.join(
        ["default allow", "net n = {", "\t10.0.0.1, # x", " 10.0.0.2  ", "}", "deny tcp from n as x "]
    )
    policy = from_files({"main.fwl": text})
    assert policy == from_files({"main.fwl": "default allow\n\n\n\n\ndeny tcp from 10.0.0.1-10.0.0.2 as x"})
    assert policy.rules[0].span[1:] == (6, 1, 6, 21)


def test_loads_reads_what_it_includes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.fwl").write_text("deny tcp as x")
    assert loads('include "a.fwl"').rules[0].name == "x"


def test_regions_and_claims() -> None:
    policy = loads("net n = {\n 10.0.0.0/8 # c\n}\nports p = 80\nservice s = udp/53\nallow tcp", as_of=DAY)
    assert region(policy, "tcp from n to any port p") == region(None, "tcp from 10.0.0.0/8 to any port 80")
    assert claim(policy, "deny s") == Claim(DENY, region(None, "udp to any port 53"))
    with pytest.raises(PolicyError):
        region(None, "tcp from n")


def test_the_policy_of_a_text_without_language_has_no_names() -> None:
    policy = Policy((), sources={"x.iptables": "*filter\n-A INPUT -j ACCEPT\nnet: odd {\nports are strange"})
    assert region(policy, "tcp")


def test_a_load_imports_nothing_heavy() -> None:
    program = (
        "import sys; import fwengine.policy as l; assert not {'netaddr', 'click', 'hypothesis'} & set(sys.modules)\n"
        "import fwengine.registry.names, fwengine.language.meaning.literals, fwengine.language.syntax.mistakes\n"
        "l.loads('allow tcp to 10.0.0.1')\n"
        "assert 'netaddr' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[1])


def test_errors_behind_bytes_that_are_no_text_are_told_too() -> None:
    text = b"allow tcp\n# \xff\xfe in a comment\nallow udp frm any\nallow t\xffcp\nnet a = 10.0.0.1/8\n"
    assert codes({"main.fwl": text}) == [
        ("FW002", "main.fwl", 2),
        ("FW013", "main.fwl", 3),
        ("FW002", "main.fwl", 4),
        ("FW106", "main.fwl", 5),
    ]
    assert codes({"main.fwl": bytes(range(128, 256)) + b"\nalow\n"}) == [("FW002", "main.fwl", 1)]
