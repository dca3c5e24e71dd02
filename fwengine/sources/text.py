"""The bytes of a policy's file -> its text, or what the file is instead: a capture, an archive, a program.

Knows first bytes only. What kind of text it is, is not its affair.
"""

from __future__ import annotations

from ..errors import PolicyError
from ..language.syntax.mistakes import decode
from .kinds import of_bytes, refused


def decoded(data: bytes, name: str) -> str:
    """The text of a policy's file, without a byte order mark.

    Raises:
        PolicyError: FW006 if the file is of a kind that is not a text; FW002 as `decode`, at the first byte that is none.
    """
    kind = of_bytes(data)
    if kind is not None:
        raise PolicyError([refused(kind, name)])
    return decode(data, name)
