"""The targets of `fuzz/readers.py` over what Hypothesis makes of their files; what is to hold is said there."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import ROOT

sys.path.insert(0, str(ROOT / "fuzz"))

from readers import TARGETS, changed, corpus

NAMES = sorted(TARGETS)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(draw=st.randoms(use_true_random=False))
def test_changed_files_are_read_or_refused(name: str, draw: random.Random) -> None:
    TARGETS[name](changed(draw, corpus(name)))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40)
@given(data=st.binary(max_size=200))
def test_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", NAMES)
def test_its_own_files_keep_what_is_to_hold(name: str) -> None:
    for data in corpus(name):
        TARGETS[name](data)


@pytest.mark.parametrize(
    "data",
    [
        b"table inet t { }\n}\n",  # a block that ends twice was read for ever
        b"tcp dport $\n",
        b"table x { chain c { type filter hook ingress priority 0; } }",
        b"table x { chain c { type filter hook egress priority 0; } }",
    ],
)
def test_what_broke_the_reader_of_nft(data: bytes) -> None:
    TARGETS["nft"](data)


@pytest.mark.parametrize("name", ["a" * 300, "a" * 254 + "+", "\0x", "\0+"])
def test_what_broke_the_reader_of_iptables(name: str) -> None:
    TARGETS["iptables"](f"*filter\n:INPUT DROP [0:0]\n-A INPUT -i {name} -j ACCEPT\nCOMMIT\n".encode())
