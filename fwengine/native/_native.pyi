from typing import final

from typing_extensions import Buffer

# Capsules: one family's table; the state of a walk over a capture.
@final
class _Family: ...

@final
class _Walker: ...

@final
class _Groups: ...

@final
class _Flows: ...

@final
class _Plan: ...

_Decoded = tuple[int, int, int, bytes, bytes, int, int, tuple[int, ...], int, int]

sources: str  # the digest of the sources it was built of; empty if nobody told

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
def walker(
    pcapng: bool,
    big: bool,
    header: int,
    swapped: int,
    link: int,
    scale: int,
    inside: int,
    outside: int,
    state_in: bool,
    state_out: bool,
    /,
) -> _Walker: ...
def walk(
    walker: _Walker, data: Buffer, at: int, frames: Buffer, /
) -> tuple[int, int, int, int, int, int, bytes, int, int]: ...
def interface(walker: _Walker, inside: int, outside: int, name: int, clock: int, /) -> None: ...
def named(walker: _Walker, inside: int, outside: int, name: int, /) -> None: ...
def used(walker: _Walker, /) -> bytes: ...
def count(
    family4: _Family,
    family6: _Family,
    engine: str,
    data: Buffer,
    frames: Buffer,
    n: int,
    state: int,
    counts: Buffer,
    recorded: Buffer,
    kinds: Buffer,
    /,
) -> tuple[int, list[int]]: ...
def groups(keys: int, /) -> _Groups: ...
def grouped(groups: _Groups, /) -> list[tuple[tuple[int, ...], int, int, int, int, int, int]]: ...
def group(
    groups: _Groups,
    answers: tuple[Buffer, ...],
    recorded: Buffer | None,
    bytes: Buffer | None,
    packets: Buffer | None,
    first: Buffer | None,
    last: Buffer | None,
    /,
) -> int: ...
def plan(
    questions: tuple[tuple[int, ...], ...], asked: int, side: int, other: int, allows: Buffer, answered: Buffer, /
) -> _Plan: ...
def count_flows(
    groups: _Groups,
    plan: _Plan,
    family: _Family,
    engine: str,
    flows: tuple[Buffer | None, ...],
    recorded: Buffer | None,
    bytes: Buffer | None,
    packets: Buffer | None,
    first: Buffer | None,
    last: Buffer | None,
    /,
) -> int: ...
def sort(
    columns: tuple[Buffer | None, ...],
    kinds: Buffer,
    opener: int,
    flags: int,
    since: int,
    until: int,
    exists: Buffer,
    /,
) -> list[tuple[int, int]]: ...
def pick(kinds: Buffer, kind: int, column: Buffer, size: int, /) -> bytearray: ...
def addresses(data: Buffer, offsets: Buffer, numbers: Buffer, wide: Buffer, family: Buffer, /) -> int: ...
def rows(
    data: Buffer,
    layout: tuple[int, ...],
    separator: str,
    width: int,
    opener: int,
    flags: int,
    since: int,
    until: int,
    exists: Buffer,
    columns: tuple[tuple[Buffer, ...] | None, ...],
    most: int,
    /,
) -> tuple[int, int, int, int, list[int], list[tuple[int, int, int]]]: ...
def flow_table(most: int, has: Buffer, takes: Buffer, seed: int, other: int, /) -> _Flows: ...
def add_flows(table: _Flows, data: Buffer, frames: Buffer, n: int, indices: Buffer, /) -> list[tuple[int, int]]: ...
def told_flows(
    table: _Flows, /
) -> list[tuple[int, bytes, bytes, int, int, int, int, int, int, int, int, int, int]]: ...
def flow_sums(table: _Flows, /) -> tuple[int, int, int]: ...
def decoded(data: Buffer, frames: Buffer, n: int, /) -> list[_Decoded]: ...
