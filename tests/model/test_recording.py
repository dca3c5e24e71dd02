"""Names in captures that name no interface."""

from __future__ import annotations

import pytest

from fwengine.model.recording import recorded_name


@pytest.mark.parametrize(
    "name",
    [
        "", "-", "unknown", "Unknown", " - ", "stdin", "<stdin>", "Standard input", "/tmp/pipe", "/dev/fd/63",
        "Unknown/not available in original file format(libpcap)",
        "Unknown/not available in original file format(snoop)",
        "Fake IF, text2pcap", "pktap,en0",
    ],
)  # fmt: skip
def test_names_that_name_no_interface(name: str) -> None:
    assert recorded_name(name) == ""


@pytest.mark.parametrize(
    "name",
    ["eth0", "any", "unknown0", "eth0.100", "br-lan", "ge-0/0/0.0", "Ethernet 2", r"\Device\NPF_{57D38C3E}", "rpcap://host/eth0",
     "vEthernet (WSL)", "none"],
)  # fmt: skip
def test_names_that_name_one(name: str) -> None:
    assert recorded_name(name) == name
