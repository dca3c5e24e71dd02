"""Packages that are no part of an installation, loaded when they are first needed; what to install if they are not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import MissingExtraError


def needed(module: str, extra: str, what: str) -> Any:
    """A module of such a package.

    Raises:
        MissingExtraError: if it is not here.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != package:
            raise
        raise MissingExtraError(what, package, extra) from None
