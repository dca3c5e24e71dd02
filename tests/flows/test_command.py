"""`fwengine flows` as it is called, and `fwengine.evaluate_flows`."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.commands import run
from support.schemas import hold

import fwengine
from fwengine.flows.options import Reading

LOGS = Path(__file__).with_name("logs")
POLICY = """\
allow any state established as known
allow tcp to { 192.0.2.80, 2001:db8::80 } port https as web-in
allow icmp to 192.0.2.80 type echo-request as ping
allow udp to 192.0.2.53 port domain as dns
deny tcp to any port telnet as no-telnet
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    (tmp_path / "p.fwl").write_text(POLICY)
    return str(tmp_path / "p.fwl")


def test_counts(policy: str) -> None:
    done = run("flows", policy, LOGS / "vpc-v5.log", LOGS / "conn.log", "--coverage", "--format", "json")
    assert done.code == 0
    answer = done.json
    hold({"format_version": "2.0", "command": "flows", **answer, "errors": []}, "flows")
    assert answer["flows"] == 7 == sum(answer["fates"].values())
    assert answer["fates"] == {"allow": 4, "deny": 1, "one_way": 0, "depends": 2}
    assert answer["accepted"] == {"allow": 2, "deny": 0, "one_way": 0, "depends": 1}
    assert answer["rejected"] == {"allow": 0, "deny": 1, "one_way": 0, "depends": 0}
    assert [log["flows"] for log in answer["logs"]] == [4, 3]
    assert [rule["label"] for rule in answer["unexercised"]] == ["dns", "no-telnet"]
    assert {row["reason"]: row["lines"] for row in answer["unread"] if row["flawed"]} == {
        "both ports are 0: not looked at, or a later fragment": 1,
        "`id.resp_p` is no number from 0 to 65535": 1,
    }
    assert sum(row["bytes"] for row in answer["results"]) == answer["bytes"]


def test_a_side_may_be_taken(policy: str) -> None:
    done = run("flows", policy, LOGS / "vpc-v5.log")
    assert (
        "1 flow depends on who opened it, which the log does not tell: `--opener lower-port` takes a side" in done.err
    )
    assert (
        run("flows", policy, LOGS / "vpc-v5.log", "--opener", "lower-port", "--format", "json").json["fates"]["depends"]
        == 0
    )


@pytest.mark.parametrize(
    ("words", "code"), [([], 0), (["--expect", "allow"], 1), (["--expect", "deny"], 1), (["--since", "2030-01-01"], 2)]
)
def test_exit_codes(policy: str, words: list[str], code: int) -> None:
    assert run("flows", policy, LOGS / "eve.json", *words).code == code


def test_standard_input(policy: str) -> None:
    done = run("flows", policy, "-", stdin=(LOGS / "conn.json").read_bytes())
    assert done.code == 0
    assert "<stdin>: 2 flows" in done.out


def test_the_biggest_flows(policy: str) -> None:
    done = run(
        "flows",
        policy,
        LOGS / "vpc-v5.log",
        "--opener",
        "lower-port",
        "--top",
        "2",
        "--only",
        "allow",
        "--format",
        "json",
    )
    first, *others = done.json["top"]
    assert (first["source"], first["destination"], first["service"]) == ("203.0.113.12", "192.0.2.80", "tcp/https")
    assert (first["flows"], first["bytes"], first["rule"]["label"], first["exact"]) == (3, 55979, "web-in", True)
    assert not others
    assert [flow["service"] for flow in run("flows", policy, LOGS / "vpc-v5.log", "--top", "9", "--format", "json").json["top"]] == [
        "tcp/https", "tcp/ssh",
    ]  # fmt: skip


class TestAnswersAboutNothing:
    def test_a_log_of_which_no_line_is_read(self, policy: str, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("src,dst,proto\nx,y,z\nx,y,z\n")
        done = run("flows", policy, tmp_path / "a.csv", "--format", "json")
        assert done.code == 2
        (error,) = done.json["errors"]
        assert error["message"] == "none of its 2 lines can be read as a flow: line 2: the protocol is not known"
        beside = run("flows", policy, tmp_path / "a.csv", LOGS / "eve.json", "--format", "json")
        assert (beside.code, beside.json["flows"], len(beside.json["errors"])) == (2, 2, 1)

    def test_a_log_of_no_flow(self, policy: str, tmp_path: Path) -> None:
        (tmp_path / "a.log").write_text((LOGS / "vpc-v2.log").read_text().splitlines()[0] + "\n")
        done = run("flows", policy, tmp_path / "a.log")
        assert (done.code, done.out) == (2, "")
        assert "error[FW503]: no flow in it: nothing was decided" in done.err

    def test_a_policy_without_a_rule(self, tmp_path: Path) -> None:
        (tmp_path / "p.fwl").write_text("default deny\n")
        done = run("flows", tmp_path / "p.fwl", LOGS / "eve.json")
        assert done.code == 2
        assert "error[FW501]" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--columns", "src"], "`--columns`: `src` is not as in `src=srcaddr`"),
        (["--log-format", "${srcaddr}"], "`--log-format`: the format has no `dstaddr`"),
        (["--columns", "src=a,dst=b,protocol=c", "--log-format", "x"], "say the same thing twice"),
        (["--since", "yesterday"], "`yesterday` is no time: expected YYYY-MM-DD"),
        (["--since", "2026-13-01"], "`2026-13-01` is no time"),
        (["--only", "deny"], "`--only` goes with `--top`"),
        (["nowhere/*.gz"], "the pattern matches no file"),
        (["nowhere.log"], "cannot be read"),
        (["-", "-"], "`-` stands twice"),
    ],
)
def test_what_cannot_be_is_told(policy: str, words: list[str], message: str) -> None:
    done = run("flows", policy, LOGS / "vpc-v2.log", *words)
    assert done.code == 2
    assert message in done.err


def test_a_carriage_return_within_a_line_is_no_csv(policy: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'a"b\rc,"d\re,f,g\n1,2\n')
    for words in ([], ["--columns", "src=a,dst=b,protocol=c"]):
        done = run("flows", policy, path, *words)
        assert (done.code, "error[FW907]: this is no flow log: its first line is no line of a CSV" in done.err) == (
            2,
            True,
        )
    path.write_bytes(b'src,dst,protocol\n10.0.0.1,192.0.2.80,tcp\n10.0.0.1,"x"\ry,tcp\n')
    done = run("flows", policy, path)
    assert (done.code, "1 flow:" in done.out, "no line of a CSV" in done.out) == (0, True, True)


def test_damage_comes_behind_what_was_read(policy: str, tmp_path: Path) -> None:
    import gzip

    lines = (LOGS / "vpc-v2.log").read_text()
    data = gzip.compress((lines + lines.partition("\n")[2] * 2000).encode())
    (tmp_path / "a.log.gz").write_bytes(data[: len(data) // 2])
    done = run("flows", policy, tmp_path / "a.log.gz", "--format", "json")
    assert done.code == 2
    assert done.json["flows"] > 0
    assert "flows before it count" in done.err


def test_in_python(policy: str) -> None:
    report = fwengine.evaluate_flows(fwengine.load(policy), LOGS / "vpc-v5.log", reading=Reading(opener="lower-port"))
    assert (report.flows, report.count("allow"), report.count("deny")) == (4, 3, 1)


OLD = """\
net office = 203.0.113.0/24
net web = { 192.0.2.80, 2001:db8::80 }
allow any state established
allow tcp to web port { https, ssh } as web-in
"""
NEW = OLD.replace("{ https, ssh }", "https").replace("to web", "from office to web")


class TestChanges:
    @pytest.fixture
    def policies(self, tmp_path: Path) -> list[str]:
        for name, text in (("old", OLD), ("new", NEW)):
            (tmp_path / f"{name}.fwl").write_text(text)
        return [str(tmp_path / "old.fwl"), str(tmp_path / "new.fwl")]

    def test_flows_whose_fate_changes(self, policies: list[str]) -> None:
        words = ["--flows", str(LOGS / "vpc-v5.log"), "--flows", str(LOGS / "conn.log"), "--opener", "lower-port"]
        done = run("diff", *policies, *words, "--format", "json")
        assert done.code == 1
        hold({"format_version": "2.0", "command": "diff", **done.json, "errors": []}, "diff")
        flows = done.json["flows"]
        assert (flows["flows"], flows["bytes"], flows["of"], flows["exact"]) == (2, 260, 7, True)
        assert [
            (row["old"], row["new"], row["old_rule"]["label"], row["new_rule"]["label"]) for row in flows["rules"]
        ] == [("allow", "deny", "web-in", "default")]
        assert {(row["source"], row["destination"], row["service"], row["flows"]) for row in flows["names"]} == {
            ("2001:db8::7", "web", "tcp/https", 1), ("2001:db8::99", "web", "tcp/ssh", 1),
        }  # fmt: skip
        text = run("diff", *policies, *words).out
        assert "2 of 7 flows change their fate" in text
        page = run("diff", *policies, *words, "--format", "markdown").out
        assert "### Flows whose fate changes" in page
        told = run("flows", policies[0], LOGS / "vpc-v5.log", LOGS / "conn.log", "--format", "json").json
        assert flows["unread"] == told["unread"]
        assert len(told["unread"]) == 3
        assert all(row["reason"] in text for row in told["unread"])
        assert all(row["reason"] in page for row in told["unread"])

    def test_flows_of_other_times_are_no_answer(self, policies: list[str]) -> None:
        words = ["--flows", str(LOGS / "vpc-v5.log"), "--since", "2030-01-01"]
        done = run("diff", policies[0], policies[0], *words)
        assert done.code == 2
        assert "4 flows of other times left out" in done.out
        assert "all 4 flows are of other times than were asked for: nothing was decided" in done.err

    def test_none_changes(self, policies: list[str]) -> None:
        done = run("diff", policies[0], policies[0], "--flows", LOGS / "vpc-v5.log", "--opener", "lower-port")
        assert (done.code, "0 of 4 flows change their fate" in done.out) == (0, True)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--top", "3"], "`--top` goes with `--flows`"),
            (["--opener", "src"], "`--opener` goes with `--flows`"),
            (["--log-format", "x"], "`--log-format` goes with `--flows`"),
            (["--flows", str(LOGS / "vpc-v5.log"), "--state", "new"], "`--state` goes with `-r`"),
            (["--flows", "nowhere.log"], "cannot be read"),
        ],
    )
    def test_what_cannot_be_is_told(self, policies: list[str], words: list[str], message: str) -> None:
        done = run("diff", *policies, *words)
        assert done.code == 2
        assert message in done.err
