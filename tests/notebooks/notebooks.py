"""Notebooks as pairs: a percent script that can be reviewed, and the same with its outputs kept."""

from pathlib import Path
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
CELL_TIMEOUT_S = 1_800
WIDGET = "application/vnd.jupyter.widget-view+json"
PARAMETERS = "parameters"
"""The tag of the cell that a fast run is told in: it sets `FAST`."""


def sources() -> list[Path]:
    """The scripts, by name."""
    return sorted(FOLDER.glob("*.py"))


def cells(notebook: Any) -> list[tuple[str, str]]:
    """What a notebook says, without what came out of it."""
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells]


def executed(source: Path, *, fast: bool) -> Any:
    """Run a script from top to bottom; raises the error of a cell that fails."""
    notebook = jupytext.read(source)
    if fast:
        tagged = [
            n
            for n, cell in enumerate(notebook.cells)
            if PARAMETERS in cell.metadata.get("tags", [])
        ]
        assert len(tagged) == 1, f"{source.name}: one cell is tagged {PARAMETERS!r}"
        notebook.cells.insert(tagged[0] + 1, nbformat.v4.new_code_cell("FAST = True"))
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(FOLDER)}},
        store_widget_state=False,
    )
    # nbclient's stand-in for an Output widget answers on the shell channel, where that may swallow
    # the wake-up for a reply: one run in ten hung. Without it what a slider shows is an output of
    # its cell, and no random ids are kept.
    client.comm_open_handlers = {"jupyter.widget": lambda _: None}
    client.execute()
    return notebook


def keep(source: Path, notebook: Any) -> Path:
    """Write the outputs beside the script, without what differs from run to run."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            # A slider is nothing without a kernel; what it shows at first is kept.
            cell.outputs = [o for o in cell.outputs if WIDGET not in o.get("data", {})]
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    notebook.metadata.pop("language_info", None)
    for n, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{n}"
    path = source.with_suffix(".ipynb")
    nbformat.write(notebook, path)
    return path
