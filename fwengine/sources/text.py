"""The bytes of a policy's file -> its text, or what the file is instead: a capture, an archive, a program.

Knows first bytes only. What kind of text it is, is not its affair.
"""

from __future__ import annotations

from typing import Final

from ..errors import Diagnostic, PolicyError, Span
from ..language.syntax.mistakes import decode

NOT_TEXT: Final = "FW006"

_PCAP: Final = tuple(
    magic.to_bytes(4, order)  # microseconds, nanoseconds, and the modified format
    for magic in (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
    for order in ("little", "big")
)
_PCAPNG: Final = b"\n\r\r\n"
_BYTE_ORDER: Final = (b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a")
_PACKED: Final = {
    b"\x1f\x8b": "gzip", b"\xfd7zXZ\0": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip",
}  # fmt: skip
_PROGRAMS: Final = (b"\x7fELF", b"MZ\x90")


def decoded(data: bytes, name: str) -> str:
    """The text of a policy's file, without a byte order mark.

    Raises:
        PolicyError: FW006 if the file is of a kind that is no text; FW002 as `decode`, at the first byte that is none.
    """
    kind = _kind(data, name)
    if kind is not None:
        what, help = kind
        raise PolicyError([Diagnostic(NOT_TEXT, f"this is {what}, not a policy", Span(name, 1, 1, 1, 1), help=help)])
    return decode(data, name)


def _kind(data: bytes, name: str) -> tuple[str, str] | None:
    if data.startswith(_PCAP) or (data.startswith(_PCAPNG) and data[8:12] in _BYTE_ORDER):
        given = "-" if name == "<stdin>" else name
        return "a capture", f"a policy is a text; `fwengine eval POLICY -r {given}` runs a capture through one"
    for magic, packer in _PACKED.items():
        if data.startswith(magic):
            return f"compressed with {packer}", "unpack it first; captures are given with `-r`, compressed or not"
    if data.startswith(_PROGRAMS):
        return "a program", "a policy is a text"
    return None
