"""Is the native module here, which engines can this processor run, and if it is not: why."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from ..model.fields import STAGES, TABLE

native: ModuleType | None
_why: str | None = None
try:
    from . import _native as native
except ImportError as error:
    native = None
    _why = (
        "not built: there was no C compiler when the package was installed"
        if not list(Path(__file__).parent.glob("_native.*[od]"))  # .so, .pyd
        else f"built, but it cannot be loaded: {error}"
    )
else:
    assert native is not None
    if getattr(native, "fields", tuple)() != tuple((TABLE[f].attribute, TABLE[f].bytes) for f in STAGES):
        native, _why = None, "built of other sources than these: install the package anew"


def available() -> bool:
    """Can the native module be used here?"""
    return native is not None


def why_not() -> str | None:
    """Why the native module cannot be used; None if it can."""
    return _why


def engines() -> tuple[str, ...]:
    """The engines that this processor can run, the fastest first: of "avx512", "avx2" and "portable".

    Their results are identical. Empty if the native module is absent.
    """
    names: tuple[str, ...] = native.engines() if native is not None else ()
    return names
