"""Every notebook runs from top to bottom, and its two halves agree."""

from pathlib import Path

import jupytext
import nbformat
import pytest

from tests.notebooks.notebooks import FOLDER, cells, executed, sources

pytestmark = pytest.mark.parametrize("source", sources(), ids=lambda source: source.stem)


def test_it_runs_from_top_to_bottom(source: Path) -> None:
    notebook = executed(source, fast=True)

    pictures = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert pictures, "a notebook answers with at least one picture"


def test_its_halves_agree(source: Path) -> None:
    """`make notebooks` writes the outputs anew where they do not."""
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)

    assert cells(jupytext.read(source)) == cells(kept)


def test_its_outputs_are_kept(source: Path) -> None:
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    code = [cell for cell in kept.cells if cell.cell_type == "code"]

    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [o for cell in code for o in cell.outputs if o.output_type == "error"]


def test_it_defines_nothing(source: Path) -> None:
    """Code belongs where it is tested."""
    assert not [
        line for line in source.read_text().splitlines() if line.startswith(("def ", "class "))
    ]


def test_there_is_no_notebook_without_its_script(source: Path) -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {path.stem for path in sources()}
