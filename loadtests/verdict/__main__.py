"""`python -m loadtests.verdict RUN_DIR`: judges a run and writes its report."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.folder import CannotJudge, read
from loadtests.verdict.judge import Verdict, judge
from loadtests.verdict.page import as_json, page
from loadtests.verdict.terminal import show

REPORT, FOR_MACHINES = "report.html", "verdict.json"
CLEAN, NOT_CLEAN, COULD_NOT_JUDGE = 0, 1, 2

_EPILOG = """\
RUN_DIR holds run.json, calls.jsonl (the gateway's log), messages.jsonl and attempts.jsonl (`waq
export … --format jsonl`), acknowledged.jsonl (a line for each message a 202 promised) and, if
there are any, samples.jsonl and locust_stats.csv. Written beside them: report.html, verdict.json.

Ends with 0 if the run is clean, 1 if it is not, 2 if it could not be judged.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(
        prog="python -m loadtests.verdict",
        description="Judge a load test from the gateway's log, the database and Locust's record.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("run_dir", type=Path, metavar="RUN_DIR")
    found.add_argument(
        "--quiet", action="store_true", help="no table, only the exit code and files"
    )
    return found


def give(folder: Path, console: Console) -> Verdict:
    """Judge a run's folder, show it, and write the report.

    Raises:
        CannotJudge: there is nothing to judge by.
    """
    evidence = Evidence(read(folder))
    verdict = judge(evidence)
    show(console, verdict, evidence)
    (folder / FOR_MACHINES).write_text(as_json(verdict, evidence), encoding="utf-8")
    (folder / REPORT).write_text(page(verdict, evidence), encoding="utf-8")
    console.print(f"report: {folder / REPORT}", highlight=False, markup=False, soft_wrap=True)
    return verdict


def main() -> int:
    """Judge one run."""
    chosen = parser().parse_args()
    try:
        verdict = give(chosen.run_dir, Console(quiet=chosen.quiet))
    except CannotJudge as error:
        print(f"cannot judge: {error}", file=sys.stderr)
        return COULD_NOT_JUDGE
    return CLEAN if verdict.clean else NOT_CLEAN


if __name__ == "__main__":
    sys.exit(main())
