"""Words and their sets, against the standard library and against wrong spellings."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwengine.language.meaning import addresses, literals
from fwengine.language.meaning.literals import Mistake
from fwengine.model import address
from fwengine.model.fields import FLAG_NAMES, SCTP, TCP, UDP, UDPLITE
from fwengine.model.interval import IntervalSet
from fwengine.policy import loads

v4 = st.integers(0, 2**32 - 1)
v6 = st.integers(0, 2**128 - 1)


def points(family: int, chosen: IntervalSet) -> list[tuple[int, int]]:
    return [
        (address.to_value(lo), address.to_value(hi)) for lo, hi in chosen & (address.V4 if family == 4 else address.V6)
    ]


@given(v4 | v6, st.integers(0, 128))
def test_prefixes_are_those_of_the_standard_library(value: int, length: int) -> None:
    family = 4 if value < 2**32 else 6
    length = min(length, 32 if family == 4 else 128)
    plain = ipaddress.ip_address(value) if family == 6 else ipaddress.IPv4Address(value)
    network = ipaddress.ip_network((plain, length), strict=False)
    assert points(family, addresses.literal(str(network))) == [(int(network[0]), int(network[-1]))]
    if network[0] != plain:
        with pytest.raises(Mistake) as caught:
            addresses.literal(f"{plain}/{length}")
        assert caught.value.code == "FW106"
        assert str(network) in caught.value.help


@given(st.sampled_from([4, 6]), v6, v6)
def test_ranges(family: int, a: int, b: int) -> None:
    if family == 4:
        a, b = a % 2**32, b % 2**32
    kind = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
    lo, hi = sorted((a, b))
    assert points(family, addresses.literal(f"{kind(lo)}-{kind(hi)}")) == [(lo, hi)]
    if lo < hi:
        with pytest.raises(Mistake) as caught:
            addresses.literal(f"{kind(hi)}-{kind(lo)}")
        assert caught.value.code == "FW107"


def asks(value: int, mask: int, bits: int) -> bool:
    """Is a mask of a value without bits refused, since an inverse mask may be meant? By its bits as text."""
    shown = f"{mask:0{bits}b}"
    if value or not mask or ("01" not in shown and mask != 2**bits - 1):
        return False
    return mask == 2**bits - 1 or "10" not in shown or shown.startswith("1" * 8)


@given(v4, st.lists(st.integers(0, 31), max_size=8), st.lists(v4, max_size=20))
def test_wildcards_of_ipv4_compare_the_one_bits(value: int, free: list[int], others: list[int]) -> None:
    mask = (2**32 - 1) & ~sum({1 << bit for bit in free})
    value &= mask
    text = f"{ipaddress.IPv4Address(value)}/{ipaddress.IPv4Address(mask)}"
    if asks(value, mask, 32):
        return  # read in two ways, and refused
    chosen = addresses.literal(text)
    assert chosen.size == 2 ** (32 - mask.bit_count())
    for other in [*others, value, value | (~mask & (2**32 - 1)), value ^ 1, value ^ (1 << 31)]:
        assert (other in chosen) == (other & mask == value), (text, other)


@given(v6, st.lists(st.integers(0, 127), max_size=8), st.lists(v6, max_size=20))
def test_wildcards_of_ipv6(value: int, free: list[int], others: list[int]) -> None:
    mask = (2**128 - 1) & ~sum({1 << bit for bit in free})
    value &= mask
    if asks(value, mask, 128):
        return
    chosen = addresses.literal(f"{ipaddress.IPv6Address(value)}/{ipaddress.IPv6Address(mask)}")
    for other in [*others, value, value ^ 1]:
        assert (address.to_point(6, other) in chosen) == (other & mask == value)


@pytest.mark.parametrize(
    ("text", "said", "fixes"),
    [
        # the ones of the mask cover the first octet: nobody compares that with zeros
        ("0.0.0.0/255.255.254.255", "for the inverse", ("{ 0.0.0.0, 0.0.1.0 }", "0.0.0.0/0.0.1.0")),
        ("0.0.0.0/255.0.255.255", "`0.0.0.0/0.255.0.0`", ("0.0.0.0/0.255.0.0",)),
        ("0.0.0.0/255.255.255.254", "for the address, or", None),
        ("0.0.0.0/255.255.253.0", "for the inverse", ("0.0.0.0/0.0.2.255",)),
        ("::/ff00::ffff", "for the inverse", ("::/ff:ffff:ffff:ffff:ffff:ffff:ffff:0",)),
        ("0.0.0.0/0.0.255.255", "`0.0.0.0/16` for the block", ("0.0.0.0/16",)),
        # value bits where an inverse mask compares, and nowhere else
        ("10.0.0.0/0.255.0.255", "`10.0.0.0/255.0.255.0`", ("10.0.0.0/255.0.255.0",)),
        ("10.0.1.0/0.255.254.255", "`10.0.1.0/255.0.1.0`", ("10.0.1.0/255.0.1.0",)),
        ("10.0.0.7/0.0.0.255", "`10.0.0.0/24`", ("10.0.0.0/24",)),
        ("10.0.0.1/255.0.0.0", "`10.0.0.0/8` for the block, or `10.0.0.1`", ("10.0.0.0/8", "10.0.0.1")),
        ("10.1.2.3/255.0.255.0", "`10.0.2.0/255.0.255.0`", ()),
    ],
)
def test_masks_that_read_better_inverted_ask(text: str, said: str, fixes: tuple[str, ...] | None) -> None:
    if fixes is None:
        assert addresses.literal(text).size == 2  # a netmask, of which the value says nothing
        return
    with pytest.raises(Mistake) as caught:
        addresses.literal(text)
    assert (caught.value.code, caught.value.fixes) == ("FW109", fixes)
    assert said in caught.value.help
    for fix in fixes:
        loads(f"net a = {fix}")


def test_wildcards_have_no_limit() -> None:
    assert addresses.literal("0.0.0.1/0.0.127.255").size == 2**17
    odd = addresses.literal("0.0.1.0/0.0.1.0")
    assert (odd.size, len(odd.ranges), odd.ranges[1]) == (2**31, 2**23, (0x300, 0x3FF))
    assert addresses.literal("::1/::1").size == 2**127


WRONG_ADDRESSES = [
    # spelling, code, what the message or the help must say
    ("010.0.0.1", "FW104", "`10.0.0.1`"), ("1.2.3.04", "FW104", "`1.2.3.4`"), ("00.0.0.0", "FW104", "`0.0.0.0`"),
    ("1.2.3", "FW104", "1.2.3.0/24"), ("10.1", "FW104", "10.1.0.0/16"), ("1", "FW104", "four parts"), ("1.2.3.4.5", "FW104", "no IP"),
    ("256.0.0.1", "FW104", "above 255"), ("1.2.3.4.", "FW104", "`1.2.3.4`"), ("1..2.3.4", "FW104", "`1.2.3.4`"),
    ("1_0.0.0.1", "FW104", "`10.0.0.1`"), ("١.2.3.4", "FW104", "`1.2.3.4`"), ("0x7f.0.0.1", "FW104", "no IP"),
    ("10.0.0.*", "FW104", "`10.0.0.0/24`"), ("10.x.x.x", "FW104", "`10.0.0.0/8`"), ("1.2.3.4:80", "FW104", "`1.2.3.4 port 80`"),
    ("[::1]", "FW104", "`::1`"), ("::1%eth0", "FW104", "zone"), (":::1", "FW104", "`::1`"), ("1:2:3", "FW104", "eight groups"),
    ("::12345", "FW104", "four digits"), ("::g", "FW104", ""), ("1.2.3.4/", "FW105", "0 to 32"), ("1.2.3.4/33", "FW105", "/32"),
    ("::/129", "FW105", "/128"), ("10.0.0.0/00024", "FW105", "`/24`"), ("10.0.0.0/+24", "FW105", "`10.0.0.0/24`"),
    ("10.0.0.0/2_4", "FW105", "/24"), ("10.0.0.0/٢٤", "FW105", "/24"), ("10.0.0.0/8/8", "FW105", "two slashes"),
    ("10.0.0.0/-1", "FW105", "0 to 32"), ("10.0.0.1/24", "FW106", "`10.0.0.0/24`"), ("::1/64", "FW106", "`::/64`"),
    ("1.2.3.4/0", "FW106", "`0.0.0.0/0`"), ("1.2.3.4/0.0.0.0", "FW109", ""), ("1.2.3.4/0.0.0.255", "FW109", "`1.2.3.0/24`"),
    ("10.0.0.1/255.0.0.0", "FW109", "`10.0.0.0/8`"), ("0.0.0.0/255.255.255.255", "FW109", "two ways"),
    ("0.0.0.0/0.0.255.255", "FW109", "`0.0.0.0/16`"), ("::/::ffff", "FW109", "two ways"), ("1.2.3.4/ffff::", "FW108", ""),
    ("1.2.3.9-1.2.3.4", "FW107", "`1.2.3.4-1.2.3.9`"), ("1.2.3.4-9", "FW104", "`1.2.3.4-1.2.3.9`"), ("1.2.3.4-::1", "FW108", ""),
    ("1.2.3.4-", "FW104", ""), ("1.2.3.0/24-1.2.4.0/24", "FW104", "list blocks"), ("1" * 300, "FW104", "characters"),
    (":" * 100_000, "FW104", "characters"), ("1.2.3.4/" + "9" * 5000, "FW104", "characters"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said"), WRONG_ADDRESSES)
def test_wrong_addresses_are_refused(text: str, code: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        addresses.literal(text)
    assert caught.value.code == code
    assert said in f"{caught.value.message} {caught.value.label} {caught.value.help}"
    assert len(caught.value.message) < 200


WRONG_PORTS = [
    ("65536", "FW111", "65535"), ("-1", "FW111", "smallest is 0"), ("1_000", "FW116", "`1000`"), ("+80", "FW116", "`80`"),
    ("٨٠", "FW116", "`80`"), ("８０", "FW116", "`80`"), ("²", "FW116", ""), ("080", "FW116", "`80`"), ("00", "FW116", "`0`"),
    ("0x50", "FW116", "`80`"), ("0b1", "FW116", "`1`"), ("80-79", "FW107", "`79-80`"), ("80:90", "FW111", "`80-90`"),
    ("80..90", "FW111", "`80-90`"), ("80-", "FW111", "`80-65535`"), ("1-65536", "FW111", "65535"), ("080-90", "FW116", "`80`"),
    ("9" * 5000, "FW111", "65535"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "said"), WRONG_PORTS)
def test_wrong_ports_are_refused(text: str, code: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        literals.port_literal(text)
    assert caught.value.code == code
    assert said in f"{caught.value.message} {caught.value.label} {caught.value.help}"
    assert len(caught.value.message) < 200


@given(st.integers(0, 65535), st.integers(0, 65535))
def test_port_literals(a: int, b: int) -> None:
    lo, hi = sorted((a, b))
    assert literals.port_literal(f"{lo}-{hi}") == IntervalSet.of((lo, hi))
    assert literals.port_literal(str(a)) == IntervalSet.single(a)


NAMED = [
    ("http", TCP, [(80, 80)]), ("HTTP", UDP, [(80, 80)]), ("imap", TCP, [(143, 143)]), ("x11", TCP, [(6000, 6063)]),
    ("well-known", SCTP, [(0, 1023)]), ("ephemeral", UDPLITE, [(49152, 65535)]), ("unprivileged", TCP, [(1024, 65535)]),
    ("ftp-ssh", TCP, [(21, 22)]), ("ftp-data-ssh", TCP, [(20, 22)]), ("ssh-1024", TCP, [(22, 1024)]), ("imap", None, [(143, 143)]),
    ("ms-sql-s", TCP, [(1433, 1433)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "protocol", "ranges"), NAMED)
def test_named_ports(text: str, protocol: int | None, ranges: list[tuple[int, int]]) -> None:
    assert list(literals.named_ports(text, protocol)) == ranges


WRONG_NAMES = [
    ("imap", UDP, "FW113", "tcp only"), ("http", UDPLITE, "FW113", "tcp and udp"), ("htpt", TCP, "FW112", "`http`"),
    ("ssh-ftp", TCP, "FW107", "`21-22`"), ("x11-ssh", TCP, "FW112", ""), ("qqqqqq", TCP, "FW112", "registry"),
    ("tcp/http", TCP, "FW112", "`http`"), ("x" * 100_000, TCP, "FW112", ""), ("-" * 100_000, TCP, "FW112", ""),
    ("\u212a", TCP, "FW112", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "protocol", "code", "said"), WRONG_NAMES)
def test_wrong_port_names(text: str, protocol: int, code: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        literals.named_ports(text, protocol)
    assert caught.value.code == code
    assert said in f"{caught.value.message} {caught.value.label} {caught.value.help}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("256", "255"), ("-1", "smallest"), ("06", "`6`"), ("ip", "`any`"), ("ipv4", "two ways"), ("ipv6", "two ways"),
        ("IPv6", "two ways"), ("rdp", "two ways"), ("upd", "`udp`"), ("ayn", "`any`"), ("http", "`tcp/http`"), ("imap", "`tcp/imap`"),
        ("s\u212aip", "no protocol"), ("zzzzzz", "0 to 255"), ("*", "`any`"),
    ],
)  # fmt: skip
def test_wrong_protocols(text: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        literals.protocol(text)
    assert caught.value.code in ("FW115", "FW116")
    assert said in f"{caught.value.message} {caught.value.label} {caught.value.help}"


@pytest.mark.parametrize("number", range(256))
def test_a_protocol_is_read_back(number: int) -> None:
    assert literals.protocol(literals.protocol_text(number)) == number == literals.protocol(str(number))


@given(st.integers(0, 255), st.integers(0, 255))
def test_flag_tests_compare_under_a_mask(value: int, mask: int) -> None:
    names = [",".join(n for i, n in enumerate(FLAG_NAMES) if byte >> i & 1) or "none" for byte in (value, mask)]
    text = "/".join(names)
    if value & ~mask:
        with pytest.raises(Mistake, match="never hold"):
            literals.flag_test(text)
    else:
        chosen = literals.flag_test(text)
        assert {v for v in range(256) if v in chosen} == {v for v in range(256) if v & mask == value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("syn", "`syn/syn,ack`"), ("ack", "`ack/ack`"), ("none", "`none/all`"), ("syn/ack", "`syn/syn,ack`"), ("syn/", "flags are"),
        ("sny/syn", "`syn`"), ("syn/syn/ack", "two masks"), ("ac\u212a/ack", "not a tcp flag"), ("syn,,ack/all", "flags are"),
    ],
)  # fmt: skip
def test_wrong_flag_tests(text: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        literals.flag_test(text)
    assert caught.value.code == "FW121"
    assert said in f"{caught.value.message} {caught.value.label} {caught.value.help}"


def test_established_is_ack_or_rst() -> None:
    assert {v for v in range(256) if v in literals.ESTABLISHED} == {v for v in range(256) if v & 4 or v & 16}


def test_dates() -> None:
    assert literals.date("2024-02-29") == datetime.date(2024, 2, 29)
    for text, said in [
        ("2027-6-3", "`2027-06-03`"), ("20270603", "`2027-06-03`"), ("2027/06/03", "`2027-06-03`"), ("03.06.2027", "2027-06-30"),
        ("2023-02-29", "no day"), ("0000-01-01", "no day"), ("2027-13-01", "no day"), ("٢٠٢٧-06-03", "not a date"),
        ("2027-06-03T00", "not a date"),
    ]:  # fmt: skip
        with pytest.raises(Mistake) as caught:
            literals.date(text)
        assert caught.value.code == "FW124"
        assert said in f"{caught.value.message} {caught.value.help}"


@pytest.mark.parametrize("operator", [">=", "<=", ">", "<"])
@given(value=st.integers(0, 255))
def test_comparisons(operator: str, value: int) -> None:
    wanted = {n for n in range(256) if eval(f"{n} {operator} {value}")}
    if wanted:
        chosen = literals.compared(operator, str(value), value, 255)
        assert {n for n in range(256) if n in chosen} == wanted
    else:
        with pytest.raises(Mistake, match="no number"):
            literals.compared(operator, str(value), value, 255)
