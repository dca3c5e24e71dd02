from collections.abc import Buffer
from typing import final

# The capsule that holds one family's table.
@final
class _Family: ...

def engines() -> tuple[str, ...]: ...
def family(
    dims: int,
    rules: int,
    of_protocol: Buffer,
    stages: tuple[tuple[int, Buffer, int, Buffer], ...],
    lo: Buffer,
    hi: Buffer,
    rule: Buffer,
    box: Buffer,
    offset: Buffer,
    words: Buffer,
    budget: int,
    /,
) -> _Family: ...
def describe(family: _Family, /) -> tuple[int, int, int, int, int]: ...
def classify(
    family: _Family, engine: str, columns: tuple[Buffer | None, ...], out: Buffer, begin: int, end: int, /
) -> None: ...
