"""What `prove` is asked: which of its operands are policies and which are claims, and claims from a file."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from ..errors import Diagnostic, PolicyError, Span
from ..language.syntax.statements import comment_at
from ..model.rules import Claim
from ..policy import Policy, read_claim
from ..sources.source import ENDING, STDIN, read_file, read_stdin
from ..sources.text import decoded
from ..sources.writing import failure

_CLAIM = re.compile(r"\s*(?:allow|deny)(?:\s|$)")


@dataclass(frozen=True)
class Written:
    """A claim as it was written: on the command line, or on a line of a file, where it begins in `column`."""

    text: str
    file: str | None = None
    line: int = 1
    column: int = 1

    def read(self, policy: Policy) -> Claim:
        """What it claims of a policy, whose names it may use.

        Raises:
            PolicyError: pointing into the file, if it is of one.
        """
        try:
            return read_claim(policy, self.text)
        except PolicyError as error:
            if self.file is None:
                raise
            raise self._placed(error) from None

    def _placed(self, error: PolicyError) -> PolicyError:
        assert self.file is not None
        own = " " * (self.column - 1) + self.text
        sources = {file: text for file, text in error.sources.items() if file != "<region>"}
        sources[self.file] = "\n" * (self.line - 1) + own
        return PolicyError([self._moved(d) for d in error.diagnostics], sources)

    def _moved(self, d: Diagnostic) -> Diagnostic:
        return replace(
            d,
            span=self._at(d.span),
            labels=tuple(replace(label, span=self._at(label.span)) for label in d.labels),
            suggestions=tuple(replace(s, span=self._at(s.span)) for s in d.suggestions),
        )

    def _at(self, span: Span) -> Span:
        if span.file != "<region>" or self.file is None:
            return span
        by = self.column - 1  # a claim is one line
        return Span(self.file, self.line, span.column + by, self.line, span.end_column + by)


def operands(words: Sequence[str], more: bool) -> tuple[list[str], list[Written]]:
    """Policies and claims among the operands: what begins with `allow` or `deny`, or has a space and is no file, is a claim.

    Without any such, the last operand is one, unless `more` claims are to come from a file.

    Raises:
        UsageError: if either is missing.
    """
    claims = [
        word
        for word in words
        if (_CLAIM.match(word) or (" " in word and not word.endswith(ENDING))) and not os.path.lexists(word)
    ]
    policies = [word for word in words if word not in claims]
    if not claims and not more and len(policies) > 1:
        claims.append(policies.pop())
    if not policies:
        raise click.UsageError("Missing argument 'POLICY...'.")
    if not claims and not more:
        raise click.UsageError("Missing argument 'CLAIM...': write it, or name a file of claims with `--claims`.")
    return policies, [Written(claim) for claim in claims]


def claims_of(file: str) -> list[Written]:
    """The claims in a file, or on standard input for `-`: one a line, with comments as in policies.

    Raises:
        PolicyError: if it cannot be read.
    """
    name = STDIN if file == "-" else file
    try:
        text = decoded(read_stdin() if file == "-" else read_file(file), name)
    except OSError as error:
        raise failure("read", name, error) from None
    found = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        bare = line[: comment_at(line)].rstrip()
        claim = bare.lstrip()
        if claim:
            found.append(Written(claim, name, number, len(bare) - len(claim) + 1))
    return found
