"""Rules of AWS's command line and of Junos that are not understood get no translation."""

from __future__ import annotations

import pytest

from fwengine import PolicyError, loads


@pytest.mark.parametrize(
    "line",
    [
        "aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --source-group sg-2",
        "aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --cidr 10.0.0.0/8",
        "aws ec2 authorize-security-group-ingress --group-id sg-1 --protocol icmp --port 8 --cidr 10.0.0.0/8",
        "aws ec2 authorize-security-group-ingress --protocol tcp --port 22 --cidr 10.0.0.0/8 --port 23",
        "aws ec2 authorize-security-group-ingress --protocol tcp --port 22 --cidr",
        "aws ec2 authorize-security-group-ingress --protocol tcp --port 22 --cidr 10.0.0.0/8 --ip-permissions x",
        "term x { from { tcp-established; } then accept; }",
        "term x { from { protocol [ tcp udp ]; } then accept; }",
        "term x { from { protocol tcp; } then next term; }",
        "term x { from { protocol tcp; } }",
        "term x { from { destination-port 80; } then accept; }",
        "term x { from { protocol tcp; protocol udp; } then accept; }",
        "term x { from { protocol tcp; } then accept; } term y { then discard; }",
        "term x { from { protocol tcp; ",
        "set firewall family inet filter edge term ssh from source-address 10.0.0.0/8",
    ],
)
def test_what_is_not_understood_is_not_translated(line: str) -> None:
    with pytest.raises(PolicyError) as caught:
        loads(line + "\n")
    d = caught.value.diagnostics[0]
    assert d.code in ("FW026", "FW014")
    assert not d.suggestions
