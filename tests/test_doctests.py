"""Every example in a docstring is run."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import fwengine

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(fwengine.__path__, "fwengine.")
    if not module.name.endswith(("__main__", "_native"))
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    """The examples of one module print what they show."""
    if name.startswith("fwengine.lsp."):
        pytest.importorskip("pygls", reason="the extra `lsp` is not installed")
    module = import_module(name)
    # Names that an example needs and its module does not import are those of the public surface.
    public = {key: getattr(fwengine, key) for key in fwengine.__all__}
    result = doctest.testmod(module, extraglobs={k: v for k, v in public.items() if k not in vars(module)})
    assert result.failed == 0
