"""`python -m tests.core.mutants`: break the core in every small way, and see that its tests notice.

mutmut changes one operator, number, word or argument at a time, in a copy of the tree in a
temporary folder, and runs the tests that reach it. What survives is shown as a difference, to be
killed by a test, deleted, or explained in SURVIVORS.md. Not one of the pinned requirements: mutmut
brings a pytest of its own.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MUTMUT = "mutmut==3.8.1"
TOOLS = PROJECT / ".bench" / MUTMUT
TREE = ("waqcore", "tests", "pyproject.toml")
SETTINGS = """
[tool.mutmut]
source_paths = ["waqcore/core/"]
also_copy = ["waqcore"]
pytest_add_cli_args = ["--hypothesis-profile=mutants"]
pytest_add_cli_args_test_selection = ["tests/core/"]
timeout_multiplier = 4.0
"""
SCORE_MIN = 0.95
NOTICED = ("", "killed", "timeout", "not checked")
INSTALL_WITHIN_S = 600


def main() -> int:
    """Run every mutant; 1 if fewer than `SCORE_MIN` of them are noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.core.mutants")
    parser.add_argument("--children", type=int, default=os.cpu_count(), help="at a time: all cores")
    parser.add_argument("names", nargs="*", help="only mutants of such names: '*standing*'")
    asked = parser.parse_args()
    _install()
    with tempfile.TemporaryDirectory(prefix="waqcore-broken-") as folder:
        tree = Path(folder)
        _copy(tree)
        _mutmut(tree, "run", "--max-children", str(asked.children), *asked.names)
        _show_survivors(tree)
        return _score(tree)


def _install() -> None:
    ready = TOOLS / ".ready"
    if ready.exists():
        return
    print(f"installing {MUTMUT} into .bench (once)", file=sys.stderr)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    target = ["--upgrade", "--target", str(TOOLS)]
    subprocess.run([*pip, *target, MUTMUT], check=True, timeout=INSTALL_WITHIN_S)
    ready.touch()


def _copy(tree: Path) -> None:
    skipped = shutil.ignore_patterns("__pycache__")
    for name in TREE:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=skipped)
        else:
            shutil.copy(source, tree / name)
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as settings:
        settings.write(SETTINGS)


def _mutmut(tree: Path, *words: str, quiet: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(TOOLS)},
        stdout=subprocess.PIPE if quiet else None,
        text=True,
        check=True,
    )
    return done.stdout or ""


def _show_survivors(tree: Path) -> None:
    for line in _mutmut(tree, "results", quiet=True).splitlines():
        name, _, what = line.strip().partition(": ")
        if what not in NOTICED:
            print(f"\n{what}: {name}")
            print(_mutmut(tree, "show", name, quiet=True))


def _score(tree: Path) -> int:
    """Of all that were tried; one that never ends is noticed, too."""
    _mutmut(tree, "export-cicd-stats", quiet=True)
    counted = json.loads((tree / "mutants" / "mutmut-cicd-stats.json").read_text())
    tried = {what.replace("_", " "): n for what, n in counted.items() if n and what != "total"}
    score = (counted["killed"] + counted["timeout"]) / sum(tried.values())
    print(f"mutation score {score:.1%}: {', '.join(f'{n} {what}' for what, n in tried.items())}")
    return 0 if score >= SCORE_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
