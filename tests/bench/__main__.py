"""`python -m tests.bench`: every figure beside its bar; exit code 1 if one is missed."""

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.bench import (
    backlog,
    dispatches,
    enqueues,
    forecasts,
    gateway,
    hot,
    lanes,
    models,
    pages,
    processes,
    service,
)
from tests.bench.report import Figure, save, show

BENCHES = {
    "enqueue": enqueues.run,
    "dispatch": dispatches.run,
    "backlog": backlog.run,
    "forecast": forecasts.run,
    "processes": processes.run,
    "lanes": lanes.run,
    "hot": hot.run,
    "gateway": gateway.run,
    "service": service.run,
    "pages": pages.run,
    "simulations": models.run,
}


def main() -> int:
    """Run the benches asked for, one after the other."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*BENCHES, []], help="some of them")
    wanted = parser.parse_args().only or list(BENCHES)
    console = Console(stderr=True)
    figures: list[Figure] = []
    for name in wanted:
        with (
            console.status(f"measuring {name}"),
            tempfile.TemporaryDirectory(prefix="waq-bench-") as folder,
        ):
            figures += BENCHES[name](Path(folder))
    show(figures)
    save(figures, Path(".bench/figures.json"))
    return 0 if all(figure.holds for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
