"""Packages that are no part of an installation, loaded when they are first needed; what to install if they are not there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..errors import LimitError


def needed(module: str, extra: str, what: str) -> Any:
    """A module of such a package.

    Raises:
        LimitError: if it is not here, with what to install.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != package:
            raise
        raise LimitError(f"{what} needs {package}, which is not here: `pip install 'fwengine[{extra}]'`") from None
