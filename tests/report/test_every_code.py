"""Each code of a finding is explained, and shown on a screen without a stumble."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.commands import run
from support.paths import ROOT

from fwengine.codes import EXPLANATIONS, FINDINGS

SHOWN = {
    "FW201": "allow tcp\ndeny tcp to any port 22\n",
    "FW202": "allow tcp\nallow tcp to any port 22\n",
    "FW203": "allow tcp to 192.0.2.1 port 22\nallow tcp to 192.0.2.0/24\n",
    "FW205": "deny tcp to any port 22\nallow tcp\n",
    "FW206": "deny tcp to 192.0.2.0/24\nallow tcp from 192.0.2.0/24\n",
    "FW207": "allow tcp until 2020-01-01\nallow udp\n",
    "FW209": "net a = 192.0.2.1\nallow tcp\n",
    "FW210": "allow tcp to any port { 80, 80-90 }\n",
    "FW211": "net both = { 192.0.2.1, 2001:db8::1 }\nallow tcp from 192.0.2.9 to both\n",
    "FW301": "allow any\n",
    "FW302": "allow tcp to any port 1-65535\n",
    "FW303": "allow tcp to any port 80\n",
    "FW304": "allow tcp to not 10.0.0.0/8\n",
    "FW305": "default allow\ndeny ipv6-route\n",
    "FW310": "allow tcp in eth0\nallow udp in eth0\nallow icmp in eht0\n",
}


@pytest.mark.parametrize("code", sorted(FINDINGS))
def test_a_code_is_explained(code: str) -> None:
    assert code in EXPLANATIONS


@pytest.mark.parametrize("code", sorted(SHOWN))
def test_a_code_is_shown(code: str, tmp_path: Path) -> None:
    (tmp_path / "p.fwl").write_text(SHOWN[code])
    done = run("check", tmp_path / "p.fwl", "--select", "all")
    assert code in done.out
    assert done.code in (0, 1)


def test_each_code_is_named_once() -> None:
    """In the catalogue and where it is issued: none without an explanation, none that nothing issues."""
    issued: set[str] = set()
    for path in (ROOT / "fwengine").rglob("*.py"):
        text = path.read_text("utf-8")
        if path.name == "codes.py":
            constants = dict(re.findall(r'^([A-Z_]+): Final = "(FW[0-9]+)"', text, re.M))
        else:
            issued |= set(re.findall(r'"(FW[0-9]{3})"', text))
    for path in (ROOT / "fwengine").rglob("*.py"):
        if path.name != "codes.py":
            text = path.read_text("utf-8")
            issued |= {code for name, code in constants.items() if re.search(rf"\b{name}\b", text)}
    assert issued == set(EXPLANATIONS)
    assert list(EXPLANATIONS) == sorted(EXPLANATIONS)
    assert EXPLANATIONS.keys() >= FINDINGS.keys()
