"""Files of another kind in the place of a policy: one message that names the kind and says what to do."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from support.commands import run
from support.paths import ROOT

from fwengine.errors import PolicyError
from fwengine.policy import load, loads
from fwengine.sources import looks
from fwengine.sources.kinds import Kind, of_bytes
from fwengine.sources.looks import of_text

# a sample of each kind, in our own words
TEXTS = {
    "iptables-save": "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n",
    "nft-script": "#!/bin/sh\nnft add table inet filter\nnft add chain inet filter input\n",
    "iptables-script": "#!/bin/sh\niptables -P INPUT DROP\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n",
    "iptables-list": "Chain INPUT (policy DROP)\ntarget prot opt source destination\nACCEPT tcp -- anywhere anywhere\n",
    "nft": "table inet filter {\n  chain input {\n    type filter hook input priority 0; policy drop;\n"
        "    tcp dport 22 accept\n  }\n}\n",
    "ufw": "Status: active\n\nTo                         Action      From\n--                         ------      ----\n"
        "22/tcp ALLOW Anywhere\n",
    "ipfw": "00100 allow ip from any to any via lo0\n00200 deny ip from any to 127.0.0.0/8\n65535 deny ip from any to any\n",
    "pf": 'ext_if = "em0"\nset skip on lo\nblock in all\npass out all keep state\npass in on $ext_if proto tcp to port 22\n',
    "junos": "firewall {\n    family inet {\n        filter edge {\n            term web {\n                then accept;\n"
        "            }\n        }\n    }\n}\n",
    "cisco-listing": "Extended IP access list 101\n 10 permit ip any any (12 matches)\n 20 deny ip any any\n 30 deny ip any any\n",
    "nft-json": '{"nftables": [{"metainfo": {"version": "1.0.6"}}]}',
    "cisco": "hostname edge\n!\nip access-list extended WEB\n permit tcp any host 192.0.2.1 eq 80\n deny ip any any\n",
    "asa": "ASA Version 9.8\naccess-list outside extended permit tcp any host 192.0.2.1 eq www\n"
        "access-group outside in interface outside\n",
    "fortigate": 'config firewall policy\n    edit 1\n        set srcintf "wan1"\n    next\nend\n',
    "mikrotik": "/ip firewall filter\nadd action=accept chain=input protocol=tcp dst-port=22\n",
    "aws": '{ "SecurityGroups": [ { "GroupId": "sg-1", "IpPermissions": [] } ] }',
    "aws-listing": "NETWORKACLS\tFalse\tacl-1\nENTRIES\t0.0.0.0/0\tFalse\t-1\tallow\t100\n",
    "aws-other": '{ "RouteTables": [ { "RouteTableId": "rtb-1" } ] }',
    "cloudformation": '{ "AWSTemplateFormatVersion": "2010-09-09", "Resources": {} }',
    "terraform-listing": '# aws_network_acl.main:\nresource "aws_network_acl" "main" {\n    id = "acl-1"\n}\n',
    "terraform-log": '{"@level":"info","@message":"Plan: 1 to add","type":"change_summary"}\n'
        '{"@level":"info","@message":"Apply complete"}\n',
    "terraform-json": '{ "terraform_version": "1.9.5", "values": {} }',
    "gcp": '[ { "kind": "compute#firewall", "sourceRanges": ["0.0.0.0/0"] } ]',
    "azure": '{ "properties": { "securityRules": [] } }',
    "json": '{ "a": 1 }',
    "kubernetes": "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: web\n",
    "terraform": 'resource "aws_security_group" "web" {\n  name = "web"\n}\n',
    "pfsense": "<?xml version='1.0'?>\n<pfsense>\n <filter/>\n</pfsense>\n",
    "xml": "<?xml version='1.0'?>\n<a/>\n",
    "html": "<!DOCTYPE html>\n<html><body>404</body></html>\n",
    "aerleon": "header {\n  target:: cisco edge\n}\nterm web {\n  action:: accept\n}\n",
    "snort": 'alert tcp any any -> any 80 (msg:"a"; sid:1;)\nalert udp any any -> any 53 (msg:"b"; sid:2;)\n',
    "classbench": "@10.0.0.0/8\t0.0.0.0/0\t0 : 65535\t80 : 80\t0x06/0xFF\n@10.0.0.0/9\t0.0.0.0/0\t0 : 65535\t80 : 80\t0x06/0xFF\n",
    "git-lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n",
    "conflict": "net a = ::1\n<<<<<<< ours\nallow tcp\n=======\nallow udp\n>>>>>>> theirs\n",
    "netfilter-log": "kernel: IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 LEN=60 PROTO=TCP\n"
        "kernel: IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.3 LEN=60\n",
    "tcpdump": "12:00:00.1 IP 192.0.2.1.5 > 192.0.2.2.80: Flags [S], length 0\n"
        "12:00:00.2 IP 192.0.2.1.5 > 192.0.2.2.81: Flags [S], length 0\n",
}  # fmt: skip
BYTES = {
    "pcap": bytes.fromhex("d4c3b2a1020004000000000000000000"), "pcapng": bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000"),
    "tfplan": b"PK\x03\x04".ljust(30, b"\0") + b"tfplan", "zip": b"PK\x03\x04rest",
    "gzip": gzip.compress(b"allow tcp\n"), "pdf": b"%PDF-1.7\n",
    "xz": b"\xfd7zXZ\0\0", "zstd": b"\x28\xb5\x2f\xfd\0", "png": b"\x89PNG\r\n\x1a\n",
    "tar": b"a.fwl".ljust(257, b"\0") + b"ustar\0", "elf": b"\x7fELF\2\1", "netmon": b"GMBU\0\2", "snoop": b"snoop\0\0\0\0\0\0\2",
}  # fmt: skip


def name(kind: Kind | None) -> str:
    return kind.name if kind is not None else ""


@pytest.mark.parametrize("expected", TEXTS)
def test_texts_are_recognised(expected: str) -> None:
    assert name(of_text(TEXTS[expected])) == expected
    assert name(of_text(TEXTS[expected].replace("\n", "\r\n"))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("----------------\n|  DescribeNetworkAcls  |\n+-----+\n||  NetworkAcls  ||\n", "aws-listing"),
        ("SecurityGroups:\n- Description: web\n  GroupId: sg-1\n", "aws-listing"),
        (
            "Terraform will perform the following actions:\n\n  # aws_security_group.web will be created\n",
            "terraform-listing",
        ),
        ("Plan: 1 to add, 0 to change, 0 to destroy.\n", "terraform-listing"),
    ],
)
def test_other_looks_of_a_kind(text: str, expected: str) -> None:
    assert name(of_text(text)) == expected


@pytest.mark.parametrize("expected", BYTES)
def test_bytes_are_recognised(expected: str) -> None:
    assert name(of_bytes(BYTES[expected])) == expected


@pytest.mark.parametrize("expected", [*TEXTS, *BYTES])
def test_one_message_names_the_kind_and_says_what_to_do(expected: str, tmp_path: Path) -> None:
    path = tmp_path / "given.fwl"
    data = TEXTS[expected].encode() if expected in TEXTS else BYTES[expected]
    path.write_bytes(data)
    with pytest.raises(PolicyError) as caught:
        load(path)
    (d,) = caught.value.diagnostics
    kind = of_bytes(data) or of_text(data.decode())
    assert kind is not None
    assert (d.code, d.message) == ("FW007" if expected in TEXTS else "FW006", f"this is {kind.title}, not a policy")
    assert d.help == kind.help(str(path))


def test_captures_are_to_be_read_with_r(tmp_path: Path) -> None:
    kind = of_bytes(BYTES["pcap"])
    assert kind is not None
    assert "-r CAPTURE" in kind.help()


@pytest.mark.parametrize(
    "command", [["check"], ["test"], ["fmt", "--check"], ["show"], ["eval"], ["prove"], ["query"], ["diff"]]
)
@pytest.mark.parametrize("kind", ["iptables-save", "pcap", "pdf"])
def test_every_command_says_so_once(command: list[str], kind: str, tmp_path: Path) -> None:
    path = tmp_path / "given.fwl"
    path.write_bytes(TEXTS[kind].encode() if kind in TEXTS else BYTES[kind])
    more = {
        "eval": ["tcp 192.0.2.1 -> 192.0.2.2"],
        "prove": ["deny tcp"],
        "query": ["deny tcp"],
        "diff": ["rules/edge.fwl"],
    }
    done = run(*command, str(path), *more.get(command[0], []))
    assert done.code == 2
    assert (done.out + done.err).count("FW0") == 1, done


def test_a_policy_with_foreign_lines_is_still_a_policy() -> None:
    """Its errors are told one by one, each with its translation."""
    text = (
        "default deny\nnet web = 192.0.2.80\nallow tcp to web port 80\niptables -A INPUT -p tcp --dport 22 -j ACCEPT\n"
    )
    with pytest.raises(PolicyError) as caught:
        loads(text)
    assert [d.code for d in caught.value.diagnostics] == ["FW026"]


def test_what_is_included_is_asked_for_its_kind_too(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text(TEXTS["nft"])
    (tmp_path / "top.fwl").write_text('include "rules"\nallow tcp from office\n')
    with pytest.raises(PolicyError) as caught:
        load(tmp_path / "top.fwl")
    (d,) = caught.value.diagnostics
    assert (d.code, d.span.line) == ("FW459", 2)  # another firewall's policy stands alone
    assert [(label.text, label.span.line) for label in d.labels] == [("included here", 1)]


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.fwl")), ids=lambda p: p.name)
def test_a_policy_looks_like_nothing_else(path: Path) -> None:
    assert of_bytes(path.read_bytes()) is None
    assert of_text(path.read_text("utf-8")) is None


def test_every_kind_has_its_sample() -> None:
    known = {entry.kind.name for entry in looks._TEXTS} | {kind.name for _, kind in looks._WORDS}
    assert known - set(TEXTS) <= {"vyos", "windows", "firewalld", "panos"}


def test_a_long_policy_with_a_line_of_another_firewall_keeps_its_errors() -> None:
    good = "".join(f"allow tcp to 192.0.2.{n} port 443\n" for n in range(9))
    with pytest.raises(PolicyError) as caught:
        loads(good + "-A INPUT -p tcp --dport 22 -j ACCEPT\n-A INPUT -j DROP\n")
    assert [(d.code, d.span.line) for d in caught.value.diagnostics] == [("FW026", 10), ("FW026", 11)]
