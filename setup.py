"""The optional native classifier; everything else about the package is in pyproject.toml."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from setuptools import Extension, setup  # type: ignore[import-untyped, unused-ignore]  # stubs are seldom there

HERE = Path("fwengine/native")
MSVC = sys.platform == "win32"


def digest() -> str:
    """What `fwengine.build.native_digest` computes of the same files: the module tells what it was built of."""
    found = hashlib.sha256()
    for path in sorted([*HERE.glob("*.c"), *HERE.glob("*.h")]):
        found.update(f"{path.name}\0{path.stat().st_size}\0".encode() + path.read_bytes())
    return found.hexdigest()


# FWENGINE_PURE=1 builds a wheel without it, for any platform: for Pyodide, for `fwengine.pyz`, for odd machines
PURE = bool(os.environ.get("FWENGINE_PURE"))

setup(
    ext_modules=[]
    if PURE
    else [
        Extension(
            "fwengine.native._native",
            sources=[str(path) for path in sorted(HERE.glob("*.c"))],
            depends=[str(path) for path in sorted(HERE.glob("*.h"))],
            extra_compile_args=["/O2", "/std:c11"]
            if MSVC
            else ["-std=c11", "-O3", "-fvisibility=hidden", "-Wall", "-Wextra"],
            define_macros=[
                ("FWK_SOURCES", digest()),
                *([("FWK_TUNE", "1")] if os.environ.get("FWENGINE_TUNE") else []),
            ],
            py_limited_api=True,
            optional=True,  # without a compiler the package installs and works all the same, only slower
        )
    ],
    options={} if PURE else {"bdist_wheel": {"py_limited_api": "cp311"}},
)
