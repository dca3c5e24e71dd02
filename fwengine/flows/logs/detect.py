"""Which log is it? A log's first lines, or what people say of it -> the reader of its lines. Knows every log, and no file."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

from ..flow import Flow
from . import columns, vpc, zeek
from .columns import NEEDED, Columns, Role
from .words import UnreadError

LINES: Final = 50  # that are looked at
END: Final = "Summary"  # what stands behind the flows in nfdump's CSV
_AZURE: Final = re.compile(r'"(?:flowTuples|flowRecords)"|"category"\s*:\s*"\w+FlowEvent"')
Numbered = tuple[int, str]
Read = Iterator[tuple[int, Flow | UnreadError]]  # with the number of the line
Reader = Callable[[Iterable[Numbered]], Read]
Of = Callable[[Mapping[str, Any]], Flow | Iterable[Flow | UnreadError]]


class UnknownLogError(ValueError):
    """A log that is not known, or whose columns are not: the message says what to state."""


class Stated(NamedTuple):
    """What people say of a log: the fields of its lines, as AWS has it; or what its columns are called."""

    format: tuple[str, ...] | None = None
    columns: Mapping[Role, str] | None = None


UNSTATED: Final = Stated()


@dataclass
class Table:
    """Lines with a separator between their fields; the header was read, or there is none."""

    reader: Columns
    separator: str
    header: int = 0  # lines that stand before the flows

    def __call__(self, lines: Iterable[Numbered]) -> Read:
        for number, line in itertools.islice(lines, self.header, None):
            if line.startswith(END):
                return
            found = self.flow(line)
            if found is not None:
                yield number, found

    def flow(self, line: str) -> Flow | UnreadError | None:
        """The flow of one line; None if there is nothing on it to be counted."""
        simple = self.separator == " "
        if not line.strip() or (simple and vpc.is_header(line)):  # of files put together
            return None
        try:
            return self.reader.flow(line.split(" ") if simple else _row(line, self.separator))
        except UnreadError as error:
            return error


def _row(line: str, separator: str) -> list[str]:
    if '"' in line:
        try:
            return [cell.strip() for cell in next(csv.reader([line], delimiter=separator))]
        except csv.Error as error:  # a carriage return within the line, a field without end
            raise UnreadError(f"no line of a CSV: {str(error).partition(' - ')[0]}") from None
    return [cell.strip() for cell in line.split(separator)]


@dataclass
class Tabbed:
    """Zeek's lines."""

    reader: zeek.Tabbed = field(default_factory=zeek.Tabbed)

    def __call__(self, lines: Iterable[Numbered]) -> Read:
        for number, line in lines:
            if not line:
                continue
            try:
                found = self.reader.flow(line)
            except UnreadError as error:
                yield number, error
            else:
                if found is not None:
                    yield number, found


@dataclass
class Packets:
    """Log lines of firewalls."""

    def __call__(self, lines: Iterable[Numbered]) -> Read:
        from .packets import of_text

        for number, line in lines:
            if line.strip():
                try:
                    yield number, of_text(line)
                except UnreadError as error:
                    yield number, error


@dataclass
class Objects:
    """JSON: `of` makes a flow of an object, or several."""

    of: Of

    def __call__(self, lines: Iterable[Numbered]) -> Read:
        from .objects import objects

        for number, value in objects(lines):
            if not isinstance(value, Mapping):
                yield number, UnreadError("not JSON" if value is None else "no JSON object")
                continue
            try:
                found = self.of(value)
                if isinstance(found, Flow):
                    yield number, found
                else:
                    yield from ((number, flow) for flow in found)
            except UnreadError as error:
                yield number, error


def reader_of(first: Sequence[str], stated: Stated) -> Reader:
    """The reader of a log that begins with these lines.

    Raises:
        UnknownLogError: if nothing here reads it.
    """
    if stated.format is not None:
        return Table(vpc.columns(stated.format), " ")
    lines = [line for line in first if line.strip()]
    if not lines:
        raise UnknownLogError("there is no line in it")
    head = lines[0].lstrip("\ufeff")
    if head.lstrip().startswith(("{", "[")):
        return Objects(_of_objects(lines, stated))
    if stated.columns is not None:
        return _table(head, stated.columns)
    if vpc.is_header(head):
        return Table(vpc.columns(_vpc_fields(head)), " ", 1)
    if vpc.looks(head) or any(map(vpc.looks, lines)):
        return Table(vpc.columns(vpc.DEFAULT), " ")
    if head.startswith(("#separator", "#fields")):
        return Tabbed()
    separator = _separator(head)
    if separator is not None:
        row = _header(head, separator)
        found = columns.roles_of(row)
        if all(role in found for role in NEEDED):
            return Table(Columns(found, opens=columns.opens_in(row)), separator, 1)
    from . import packets

    if any(map(packets.looks, lines)):
        return Packets()
    raise UnknownLogError(
        "this is no flow log that is known: state what its columns are called with `--columns src=NAME,dst=NAME,protocol=NAME`"
        + (" (one column is called otherwise than expected)" if separator is not None else "")
    )


def _vpc_fields(head: str) -> list[str]:
    try:
        vpc.format_fields(head)
    except ValueError as error:
        raise UnknownLogError(str(error)) from None
    return head.split(" ")


def _header(head: str, separator: str) -> list[str]:
    try:
        return _row(head, separator)
    except UnreadError as error:
        raise UnknownLogError(f"this is no flow log: its first line is {error}") from None


def _table(head: str, stated: Mapping[Role, str]) -> Table:
    separator = _separator(head) or ","
    row = _header(head, separator)
    bare = all(name.isdigit() for name in stated.values())
    try:
        found = columns.located(stated, None if bare else row)
        return Table(Columns(found, opens=columns.opens_in(row)), separator, 0 if bare else 1)
    except ValueError as error:
        raise UnknownLogError(str(error)) from None


def _separator(head: str) -> str | None:
    """What stands between the fields of a header."""
    most = max(",\t;| ", key=head.count)
    return most if head.count(most) >= 2 else None


def _of_objects(lines: Sequence[str], stated: Stated) -> Of:
    from . import azure, gcp, mapped, suricata
    from .objects import objects

    if stated.columns is not None:
        return mapped.reader(stated.columns)
    if _AZURE.search("\n".join(lines)):  # of which one record may be longer than what is looked at
        return azure.of_mapping
    for _, value in objects(enumerate(lines, 1)):
        if not isinstance(value, Mapping):
            continue
        if zeek.looks(value):
            return zeek.of_mapping
        for log in (suricata, azure, gcp):
            if log.looks(value):
                return cast("Of", log.of_mapping)
        if mapped.looks(value):
            return mapped.reader(None)
    raise UnknownLogError(
        "its JSON is of no flow log that is known: state what its keys are called with `--columns src=KEY,dst=KEY,protocol=KEY`"
    )
