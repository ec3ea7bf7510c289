"""A run's folder: which files it holds, and what they say."""

import csv
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from loadtests.verdict.records import Acknowledged, Attempt, Call, Message, Run, Sample

RUN, CALLS, ACKNOWLEDGED = "run.json", "calls.jsonl", "acknowledged.jsonl"
MESSAGES, ATTEMPTS = "messages.jsonl", "attempts.jsonl"
SAMPLES, HTTP_STATS = "samples.jsonl", "locust_stats.csv"

T = TypeVar("T")


class CannotJudge(Exception):
    """A folder that nothing can be said about; the text says why, in one line."""


class HttpStat(NamedTuple):
    """One line of Locust's statistics; times in milliseconds."""

    method: str
    name: str
    requests: int
    failures: int
    median_ms: float
    p99_ms: float
    max_ms: float
    per_second: float


class Folder(NamedTuple):
    """Everything a run's folder holds."""

    run: Run
    calls: list[Call]
    messages: list[Message]
    attempts: list[Attempt]
    acknowledged: list[Acknowledged]
    samples: list[Sample]
    http: list[HttpStat]


def read(folder: Path) -> Folder:
    """Read a run's folder.

    Raises:
        CannotJudge: it is none, a file is missing or broken, or nothing happened in the run.
    """
    if not folder.is_dir():
        raise CannotJudge(f"{folder} is not a folder")
    found = Folder(
        run=_run(folder / RUN),
        calls=_lines(folder / CALLS, Call),
        messages=_lines(folder / MESSAGES, Message),
        attempts=_lines(folder / ATTEMPTS, Attempt),
        acknowledged=_lines(folder / ACKNOWLEDGED, Acknowledged),
        samples=_lines(folder / SAMPLES, Sample) if (folder / SAMPLES).exists() else [],
        http=_http(folder / HTTP_STATS),
    )
    if not found.acknowledged and not found.calls:
        raise CannotJudge(f"{folder}: the run is empty: nothing was acknowledged, nothing called")
    return found


def _run(path: Path) -> Run:
    try:
        return msgspec.json.decode(_bytes(path), type=Run)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CannotJudge(f"{path}: {_one_line(error)}") from error


def _lines(path: Path, kind: type[T]) -> list[T]:
    decoder = msgspec.json.Decoder(kind)
    found: list[T] = []
    for number, line in enumerate(_bytes(path).splitlines(), start=1):
        try:
            found.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise CannotJudge(f"{path}, line {number}: {_one_line(error)}") from error
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise CannotJudge(f"{path} is missing") from None
    except OSError as error:
        raise CannotJudge(f"{path}: {error.strerror or error}") from error


def _http(path: Path) -> list[HttpStat]:
    """Locust's statistics, if there are any: the verdict does not rest on them."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as lines:
        return [_stat(row) for row in csv.DictReader(lines)]


def _stat(row: dict[str, str]) -> HttpStat:
    return HttpStat(
        method=row.get("Type", ""),
        name=row.get("Name", ""),
        requests=int(_number(row.get("Request Count"))),
        failures=int(_number(row.get("Failure Count"))),
        median_ms=_number(row.get("Median Response Time")),
        p99_ms=_number(row.get("99%")),
        max_ms=_number(row.get("Max Response Time")),
        per_second=_number(row.get("Requests/s")),
    )


def _number(written: str | None) -> float:
    try:
        return float(written or 0)
    except ValueError:
        return 0.0  # Locust writes N/A for what it has not seen.


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
