"""What kind of file somebody gave: by its first bytes; `looks` tells it by the lines of a text.

Knows no format further than to name it. A file with errors is asked for its kind before its errors are told, since one
sentence that names it says more than a hundred that fit none of its lines. Whoever reads a format can ask here, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from ..errors import Diagnostic, Span

Family = Literal["rules", "packets", "capture", "packed", "document"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    Attributes:
        name: for programs; of rule sets the name of their format.
        title: what people call it, with its article.
        family: "rules" for other firewalls' rule sets; "packets" for packets as text; "capture"; "packed" for what holds
            other files; "document" for the rest.
        advice: what to do with it, where it is not what to do with all of its family.
    """

    name: str
    title: str
    family: Family
    advice: str = ""

    def help(self, file: str = "CAPTURE") -> str:
        """What to do with a file of this kind where a policy was expected."""
        return (self.advice or _HELP[self.family]).replace("CAPTURE", "-" if file == "<stdin>" else file)


_HELP: dict[Family, str] = {
    "rules": "write its rules in this language, such as `allow tcp from any to 192.0.2.80 port https`",
    "packets": "give a policy first; packets stand behind it, or come on standard input with `-`",
    "capture": "a policy is a text; `fwengine eval POLICY -r CAPTURE` runs a capture through one",
    "packed": "unpack it first: a policy is a plain text file; a capture is read with `-r`, also compressed with gzip",
    "document": "a policy is a plain text file of statements such as `allow tcp from any to 192.0.2.80 port https`",
}


def _packed(name: str, title: str) -> Kind:
    return Kind(name, title, "packed")


def _document(name: str, title: str) -> Kind:
    return Kind(name, title, "document")


_PCAP = Kind("pcap", "a capture (pcap)", "capture")
_PCAPNG, _BYTE_ORDER = b"\n\r\r\n", (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")  # the former alone might be empty lines
_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\xd4\xc3\xb2\xa1", _PCAP), (b"\xa1\xb2\xc3\xd4", _PCAP), (b"\x4d\x3c\xb2\xa1", _PCAP), (b"\xa1\xb2\x3c\x4d", _PCAP),
    (b"\x34\xcd\xb2\xa1", _PCAP), (b"\xa1\xb2\xcd\x34", _PCAP),
    (b"snoop\0\0\0", Kind("snoop", "a snoop capture", "capture")), (b"GMBU", Kind("netmon", "a Network Monitor capture", "capture")),
    (b"RTSS", Kind("netmon", "a Network Monitor capture", "capture")),
    (b"TRSNIFF data", Kind("ngsniffer", "a Sniffer capture", "capture")),
    (b"\x1f\x8b", _packed("gzip", "compressed with gzip")), (b"PK\x03\x04", _packed("zip", "a zip archive")),
    (b"PK\x05\x06", _packed("zip", "a zip archive")), (b"BZh", _packed("bzip2", "compressed with bzip2")),
    (b"\xfd7zXZ\0", _packed("xz", "compressed with xz")), (b"\x28\xb5\x2f\xfd", _packed("zstd", "compressed with zstd")),
    (b"\x04\x22\x4d\x18", _packed("lz4", "compressed with lz4")), (b"7z\xbc\xaf\x27\x1c", _packed("7z", "a 7-Zip archive")),
    (b"Rar!\x1a\x07", _packed("rar", "a RAR archive")),
    (b"%PDF-", _document("pdf", "a PDF document")), (b"\x7fELF", _document("elf", "a program")),
    (b"MZ\x90\0", _document("exe", "a program")), (b"\x89PNG\r\n", _document("png", "a PNG picture")),
    (b"\xff\xd8\xff", _document("jpeg", "a JPEG picture")), (b"GIF8", _document("gif", "a GIF picture")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _document("office", "an old Office document")),
    (b"SQLite format 3\0", _document("sqlite", "an SQLite database")), (b"PAR1", _document("parquet", "a Parquet file")),
)  # fmt: skip
_TFPLAN = Kind(
    "tfplan", "a plan as terraform saves it", "packed", "`terraform show -json tfplan > plan.json` makes JSON of it"
)
_TAR_AT: Final = 257


def of_bytes(data: bytes) -> Kind | None:
    """The kind that a file's first bytes give away; None for text, and for what is not known."""
    if data.startswith(b"PK\x03\x04") and data[30:36] == b"tfplan":
        return _TFPLAN
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith(_PCAPNG) and data[8:12] in _BYTE_ORDER:
        return Kind("pcapng", "a capture (pcapng)", "capture")
    if data[_TAR_AT : _TAR_AT + 5] == b"ustar":
        return _packed("tar", "a tar archive")
    return None


NOT_TEXT: Final = "FW006"


def refused(kind: Kind, file: str) -> Diagnostic:
    """What to say of a file that is not a text."""
    return Diagnostic(NOT_TEXT, f"this is {kind.title}, not a policy", Span(file, 1, 1, 1, 1), help=kind.help(file))
