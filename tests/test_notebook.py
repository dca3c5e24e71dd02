"""The notebook under docs/: run cell by cell as a script, and, with the extra `notebook`, by Jupyter itself."""

from __future__ import annotations

import ast
import json
import sys
import warnings
from typing import Any

import pytest
from support.paths import ROOT

PATH = ROOT / "docs" / "how-to" / "review.ipynb"
CELLS: list[dict[str, Any]] = json.loads(PATH.read_text("utf-8"))["cells"]


def test_it_is_kept_without_what_it_printed() -> None:
    for cell in CELLS:
        assert cell["cell_type"] == "markdown" or (cell["outputs"] == [] and cell["execution_count"] is None)


def shown(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell; what its last expression gives."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names) if isinstance(last, ast.Expr) else None


def test_as_a_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cells that need pandas."""
    monkeypatch.chdir(PATH.parent)
    names: dict[str, Any] = {}
    pieces = []
    for cell in CELLS:
        if cell["cell_type"] == "code" and "pandas" not in cell["metadata"].get("tags", ()):
            value = shown("".join(cell["source"]), names)
            pieces.append(value._repr_html_() if hasattr(value, "_repr_html_") else "")
    text = "".join(pieces)
    assert text.count("<table") >= 5
    assert "no-guest-ssh" in text
    assert "can never match" in text
    assert "<svg" in text


def test_in_jupyter() -> None:
    """As a reader sees it: tables of pandas, values that show themselves, a picture."""
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    client = pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    pytest.importorskip("ipykernel", reason="the extra `notebook` is not installed")
    pytest.importorskip("pandas", reason="the extra `notebook` is not installed")
    book = nbformat.read(PATH, as_version=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of Jupyter are its own affair
        client.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(PATH.parent)}}).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    html = "".join(output.data.get("text/html", "") for output in outputs if output.output_type == "execute_result")
    assert html.count('class="dataframe"') == 2, sys.version
    assert html.count('class="fwengine"') >= 6
    assert "<svg" in html
    assert any("no-guest-ssh" in output.get("text", "") for output in outputs)
