"""Derives the tables of names that the package ships from IANA's registries; knows nothing of rules.

Usage: python bench/names_table.py SERVICES.csv[.gz] PROTOCOLS.csv [DIRECTORY]

The arguments are IANA's "Service Name and Transport Protocol Port Number Registry" (RFC 6335) and "Assigned Internet
Protocol Numbers" (RFC 5237) in their CSV form; DIRECTORY is where `services.tsv` and `protocols.tsv` go, by default
`fwengine/registry` beside this script's folder. Only numbers and names are taken over.

What is left out of the services: entries without a name, a port or a transport protocol, and de-registered ones.
Nothing is added: a service that IANA does not list has no name here.
"""

from __future__ import annotations

import csv
import gzip
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

Row = Mapping[str, str]

TRANSPORTS = ("tcp", "udp", "sctp", "dccp")

# Names to show where IANA lists several for a port and the first is not the one in use today.
PREFERRED = frozenset({"nameserver", "submissions", "biff", "kerberos-iv", "l2tp", "nfs", "pdl-datastream"})

# The usual spellings of protocols, the one to show first. IANA's keyword is kept beside them.
USUAL: Mapping[int, tuple[str, ...]] = {
    4: ("ipip", "ipencap", "ipinip"),  # IANA has `ipip` for 94, which nobody runs; Linux and Juniper mean 4 by it
    58: ("icmpv6", "icmp6"),
    89: ("ospf",),
    93: ("ax25",),  # `ax.25` is no plain word
    108: ("ipcomp", "comp"),
    124: ("isis",),
    135: ("mobility-header", "mh"),
    136: ("udplite", "udp-lite"),
}
NOT_A_KEYWORD = frozenset({"", "reserved", "unassigned"})
PLAIN = re.compile(r"[a-z][a-z0-9-]*")  # what can be shown: never read as a number, a range or `tcp/http`


def services(rows: Iterable[Row]) -> str:
    """`services.tsv`: a line a name, a column a transport protocol, in each the ports as `80` or `1-3,8`.

    Lines are in the order of their lowest port, among equals the name to show first.
    """
    found: dict[str, dict[str, set[tuple[int, int]]]] = {}
    for row in rows:
        name, port, transport = row["Service Name"].lower(), row["Port Number"], row["Transport Protocol"]
        if not (name and port and transport) or row["Description"] == "De-Registered":
            continue
        lo, _, hi = port.partition("-")
        found.setdefault(name, {}).setdefault(transport, set()).add((int(lo), int(hi or lo)))
    order = sorted(found, key=lambda name: (min(min(found[name].values()))[0], name not in PREFERRED))
    lines = ["\t".join(("name", *TRANSPORTS))]
    for name in order:
        cells = (_ports(found[name].pop(transport, set())) for transport in TRANSPORTS)
        lines.append("\t".join((name, *cells)).rstrip("\t"))
        if found[name]:
            raise ValueError(f"`{name}` has a transport protocol without a column: {', '.join(found[name])}")
    return "\n".join(lines) + "\n"


def _ports(pairs: set[tuple[int, int]]) -> str:
    return ",".join(str(lo) if lo == hi else f"{lo}-{hi}" for lo, hi in sorted(pairs))


def protocols(rows: Iterable[Row]) -> str:
    """`protocols.tsv`: number, the name to show (empty if none is a plain word), and other spellings."""
    claimed = {spelling: number for number, spellings in USUAL.items() for spelling in spellings}
    found = {number: list(spellings) for number, spellings in USUAL.items()}
    for row in rows:
        number, _, last = row["Decimal"].partition("-")
        keyword = row["Keyword"].removesuffix(" (deprecated)").lower().replace(" ", "-")
        if keyword in NOT_A_KEYWORD or claimed.get(keyword, int(number)) != int(number):
            continue
        if last:
            raise ValueError(f"`{keyword}` names a range of protocols: {row['Decimal']}")
        names = found.setdefault(int(number), [])
        if keyword not in names:
            names.append(keyword)
    lines = ["number\tname\tother"]
    for number_, names in sorted(found.items()):
        shown = names[0] if PLAIN.fullmatch(names[0]) else ""
        others = " ".join(name for name in names if name != shown)
        lines.append(f"{number_}\t{shown}\t{others}".rstrip("\t"))
    return "\n".join(lines) + "\n"


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, which may be gzipped."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    return list(csv.DictReader(text.splitlines(keepends=True)))


def main(arguments: list[str]) -> int:
    if len(arguments) not in (2, 3):
        sys.stderr.write("usage: names_table.py SERVICES.csv[.gz] PROTOCOLS.csv [DIRECTORY]\n")
        return 2
    here = Path(__file__).resolve().parents[1] / "fwengine" / "registry"
    directory = Path(arguments[2]) if len(arguments) == 3 else here
    for name, text in (
        ("services.tsv", services(read(Path(arguments[0])))),
        ("protocols.tsv", protocols(read(Path(arguments[1])))),
    ):
        (directory / name).write_text(text, encoding="ascii", newline="\n")
        sys.stdout.write(f"{directory / name}: {text.count(chr(10)) - 1} lines\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
