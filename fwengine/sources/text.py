"""The bytes of a policy's file -> its text, or what the file is instead: a capture, an archive, a program.

Knows first bytes only. What kind of text it is, is not its affair.
"""

from __future__ import annotations

from ..errors import PolicyError
from ..language.syntax.mistakes import decode
from ..limits import current
from .kinds import of_bytes, refused

_GZIP = b"\x1f\x8b"


def unpacked(data: bytes) -> bytes:
    """A rule set as it was before gzip; other bytes, damaged ones, and what would be larger than the limit of bytes, as they are."""
    if not data.startswith(_GZIP):
        return data
    import gzip  # late: few rule sets are packed
    import io
    import zlib

    most = current().bytes
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            found = stream.read(most + 1)
    except (OSError, EOFError, zlib.error):
        return data
    return found if len(found) <= most else data


def decoded(data: bytes, name: str) -> str:
    """The text of a policy's file, without a byte order mark.

    Raises:
        PolicyError: FW006 if the file is of a kind that is not a text; FW002 as `decode`, at the first byte that is none.
    """
    kind = of_bytes(data)
    if kind is not None:
        raise PolicyError([refused(kind, name)])
    return decode(data, name)
