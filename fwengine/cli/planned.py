"""`fwengine diff PLAN`: a file that tells what was and what is to be, list by list."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from .loading import reading

if TYPE_CHECKING:
    from ..policy import Policy
    from ..report.changed import Compared


def compared(path: str, as_of: datetime.date, plain: bool) -> list[Compared]:
    """Each policy of a plan before and after it; one that comes or goes is compared with one without rules.

    Raises:
        PolicyError: if the file cannot be read, or tells one version.
        LimitError: if a comparison exceeds a limit.
    """
    from ..policy import load_versions

    before, after = load_versions(path, as_of=as_of, reading=reading())
    pairs = zip(before, after, strict=True)
    return [_one(old, new, plain) for old, new in pairs]


def _one(old: Policy, new: Policy, plain: bool) -> Compared:
    from ..analysis.diff import diff
    from ..doubted import doubted
    from ..report.changed import Compared
    from ..report.review import Review

    review = Review(old, new, diff(old, new), plain=plain, doubted=doubted(old, new))
    return Compared.planned(review)
