from pathlib import Path

import numpy as np
import pytest

from simulations import trace
from simulations.written import ScenarioError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "arrivals.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_trace_is_replayed_from_the_start_in_order(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "to,at\n62811,2026-03-01T10:00:05+07:00\n62812,1772334000000000\n"
        "62813,2026-03-01T03:00:07.5+00:00\n",
    )

    read = trace.read(path)

    # 10:00:00, 10:00:05 and 10:00:07.5 in Jakarta, whatever way each was written.
    starts_at = 9_000_000
    instants = read.instants(starts_at, np.random.default_rng())
    assert instants.tolist() == [9_000_000, 14_000_000, 16_500_000]
    assert read.priority is None


def test_priorities_go_with_their_rows(tmp_path: Path) -> None:
    path = written(tmp_path, "enqueued_at,priority\n3000000,low\n1000000,high\n2000000,normal\n")

    read = trace.read(path)

    assert read.priority is not None
    assert read.priority.tolist() == [1, 2, 3]


def test_a_trace_of_nobody_is_one(tmp_path: Path) -> None:
    read = trace.read(written(tmp_path, "at\n"))

    assert len(read.instants(5, np.random.default_rng())) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("at\n1000\nyesterday\n", "line 3: at = 'yesterday': write 2026-03-01T10:00:00+07:00"),
        ("at\n2026-03-01T10:00:00\n", "line 2: at = '2026-03-01T10:00:00' has no offset"),
        ("at,priority\n1000\n", "line 2: priority = ''"),
        ("at,priority\n1000,urgent\n", "line 2: priority = 'urgent': write high, normal or low"),
        ("at\n1772334000000000000\n", "line 2: at = '1772334000000000000'"),
        ("when\n1000\n", "line 1: no column of instants among: when; write one named enqueued_at"),
        ("", "line 1: no column of instants among: none"),
        ('at\n"1000\n', "is not a CSV file in UTF-8"),
    ],
    ids=["word", "no offset", "short row", "priority", "nanoseconds", "column", "empty", "quote"],
)
def test_a_row_that_cannot_be_read_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = written(tmp_path, text)

    with pytest.raises(ScenarioError) as refused:
        trace.read(path)

    assert str(path) in str(refused.value)
    assert says in str(refused.value)


def test_a_trace_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        trace.read(tmp_path / "none.csv")
