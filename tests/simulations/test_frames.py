"""One shape for every source: an export's frames and a simulation's, read from any kind of file."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from simulations import frames
from simulations.frames import FrameError, Kind
from simulations.model import simulate
from simulations.run import Run
from simulations.workload import Job, workload
from waqcore import Draft, Queue
from waqcore.cli import app
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.outcome import Accepted, Healthy, NotSent, Outcome, ProbeResult
from waqcore.core.policy import Policy
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord

SENDER = "628114040707"

MESSAGES = """\
seq,id,sender,priority,reference,enqueued_at,send_at,expires_at,state,attempts,failures,\
maybe_duplicate,first_called_at,called_at,ended_at,eta_at,eta_low_at,eta_high_at
1,m1,628114040707,high,NA,1772298000000001,,,sent,2,1,true,1772298000000002,1772298000000003,\
1772298000000004,,,
2,m2,628114040707,low,,1772298000000005,9007199254740993,,queued,0,0,false,,,,,,
"""

ATTEMPTS = """\
seq,message_id,sender,priority,number,ready_at,claimed_at,called_at,finished_at,outcome,detail
1,m1,628114040707,high,1,,1772298000000001,1772298000000002,1772298000000003,not_sent,"null, or
2026-03-01"
1,m1,628114040707,high,2,,,,,,
"""

LANES = """\
{"at":1772298000000001,"sender":"628114040707","event":"pause","detail":"2026-03-01"}
{"at":1772298000000002,"sender":null,"event":"suppress","detail":""}
"""

OF_MESSAGES = {
    "seq": "int64",
    "id": "str",
    "sender": "str",
    "priority": "str",
    "reference": "str",
    "enqueued_at": "int64",
    "send_at": "Int64",
    "expires_at": "Int64",
    "state": "str",
    "attempts": "int64",
    "failures": "int64",
    "maybe_duplicate": "bool",
    "first_called_at": "Int64",
    "called_at": "Int64",
    "ended_at": "Int64",
    "eta_at": "Int64",
    "eta_low_at": "Int64",
    "eta_high_at": "Int64",
}
OF_ATTEMPTS = {
    "seq": "int64",
    "message_id": "str",
    "sender": "str",
    "priority": "str",
    "number": "int64",
    "ready_at": "Int64",
    "claimed_at": "Int64",
    "called_at": "Int64",
    "finished_at": "Int64",
    "outcome": "str",
    "detail": "str",
}
OF_LANES = {"at": "int64", "sender": "str", "event": "str", "detail": "str"}
TYPES: dict[Kind, dict[str, str]] = {
    MessageRecord: OF_MESSAGES,
    AttemptRecord: OF_ATTEMPTS,
    LaneRecord: OF_LANES,
}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {str(name): str(dtype) for name, dtype in frame.dtypes.items()}


def test_messages_are_read_with_their_types(tmp_path: Path) -> None:
    frame = frames.read(written(tmp_path / "m.csv", MESSAGES))

    assert types(frame) == OF_MESSAGES
    first, second = frame.to_dict("records")
    assert (first["id"], first["reference"], first["maybe_duplicate"]) == ("m1", "NA", True)
    assert (first["enqueued_at"], first["called_at"]) == (1772298000000001, 1772298000000003)
    assert second["send_at"] == 9007199254740993  # As a floating number it would end in 2.
    assert pd.isna(second["called_at"])
    assert pd.isna(second["reference"])
    assert bool(second["maybe_duplicate"]) is False


def test_calls_are_read_with_their_types(tmp_path: Path) -> None:
    frame = frames.read(written(tmp_path / "a.csv", ATTEMPTS))

    assert types(frame) == OF_ATTEMPTS
    assert list(frame["detail"]) == ["null, or\n2026-03-01", ""]
    assert list(frame["outcome"].isna()) == [False, True]
    assert list(frame["called_at"].isna()) == [False, True]


def test_json_lines_are_read_with_their_types(tmp_path: Path) -> None:
    frame = frames.read(written(tmp_path / "l.jsonl", LANES))

    assert types(frame) == OF_LANES
    assert list(frame["detail"]) == ["2026-03-01", ""]
    assert list(frame["sender"].isna()) == [False, True]


def test_json_lines_without_a_line_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    empty = written(tmp_path / "l.jsonl", "")

    frame = frames.read(empty, LaneRecord)

    assert (types(frame), len(frame)) == (OF_LANES, 0)
    with pytest.raises(FrameError, match=r"l\.jsonl: it is empty, so say what it should hold"):
        frames.read(empty)


def test_more_json_lines_than_are_read_at_once_are_all_read(tmp_path: Path) -> None:
    line = '{{"at":{},"sender":null,"event":"pause","detail":""}}\n'
    file = written(tmp_path / "l.jsonl", "".join(line.format(n) for n in range(50_001)))

    assert list(frames.read(file)["at"]) == list(range(50_001))


def test_a_table_that_was_written_as_parquet_comes_back_the_same(tmp_path: Path) -> None:
    frame = frames.read(written(tmp_path / "m.csv", MESSAGES))
    frame.to_parquet(tmp_path / "m.parquet", index=False)

    pd.testing.assert_frame_equal(frames.read(tmp_path / "m.parquet"), frame)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "a.csv",
            ATTEMPTS.replace("outcome", "result"),
            "attempts without outcome and with result",
        ),
        ("a.csv", ATTEMPTS.replace("number,", ""), "those of attempts without number"),
        ("a.csv", "a,b\n1,2\n", "without seq, id, sender"),
        ("a.csv", ATTEMPTS.replace(",1,,1772", ",one,,1772"), "one"),
        ("a.csv", MESSAGES.replace("true", "perhaps"), "a.csv: "),
        ("l.jsonl", LANES.replace("1772298000000002", "null"), "Expected `int`, got `null`"),
        ("l.jsonl", LANES.replace('"event":"suppress",', ""), "missing required field `event`"),
        ("l.jsonl", "[1]\n", "Expected `object`, got `array`"),
        ("a.txt", ATTEMPTS, "it is none of .csv, .jsonl, .parquet"),
        ("a.parquet", ATTEMPTS, "a.parquet: "),
    ],
)
def test_what_a_file_should_not_hold_is_said_with_its_name(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    file = written(tmp_path / name, text)

    with pytest.raises(FrameError) as caught:
        frames.read(file)

    assert str(caught.value).startswith(f"{file}: ")
    assert why in str(caught.value)


def test_a_file_of_another_kind_than_said_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", ATTEMPTS)

    with pytest.raises(FrameError, match="those of messages without id"):
        frames.read(file, MessageRecord)
    with pytest.raises(FrameError, match="No such file"):
        frames.read(tmp_path / "none.csv")


def test_a_folder_is_read_file_by_file_in_the_order_of_their_names(tmp_path: Path) -> None:
    written(tmp_path / "2.csv", MESSAGES.replace("\n1,m1", "\n3,m3"))
    written(tmp_path / "1.csv", MESSAGES)
    written(tmp_path / "notes.txt", "whatever")

    frame = frames.read(tmp_path)

    assert list(frame["id"]) == ["m1", "m2", "m3", "m2"]
    assert list(frame.index) == [0, 1, 2, 3]
    assert types(frame) == OF_MESSAGES


def test_of_a_folder_of_several_kinds_one_is_chosen(tmp_path: Path) -> None:
    written(tmp_path / "messages.csv", MESSAGES)
    written(tmp_path / "attempts.csv", ATTEMPTS)

    assert types(frames.read(tmp_path, AttemptRecord)) == OF_ATTEMPTS
    with pytest.raises(FrameError, match="holds attempts and messages: say which"):
        frames.read(tmp_path)
    with pytest.raises(FrameError, match="holds attempts and messages: no lanes"):
        frames.read(tmp_path, LaneRecord)


def test_a_folder_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FrameError, match="holds no export: say which"):
        frames.read(tmp_path)


class Script:
    """A gateway that fails every message's first call."""

    def call(self, seq: int, attempt: int, sender: int, at: int) -> tuple[Outcome, int]:
        return (Accepted() if attempt > 1 else NotSent("broke")), SECOND

    def probe(self, sender: int, at: int) -> tuple[ProbeResult, int]:
        return Healthy(), SECOND


def a_run() -> Run:
    """Three messages fail before any of them is due again, so that the breaker opens."""
    jobs = [Job(at=n * SECOND, priority=Priority.HIGH) for n in range(5)]
    policy = Policy(backoff_base_us=1_000 * SECOND, backoff_cap_us=10_000 * SECOND)
    return simulate(workload(jobs), Script(), {"sender-0": policy})


def run_frames(run: Run) -> dict[Kind, pd.DataFrame]:
    return {
        MessageRecord: run.messages(),
        AttemptRecord: run.attempt_rows(),
        LaneRecord: run.lane_rows(),
    }


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """The three exports of a queue with two messages, of which nobody knows anything yet."""
    environ = {
        "WHATSAPP_SENDER": SENDER,
        "WAQ_GATEWAY": "sandbox",
        "WAQ_DATABASE_URL": f"sqlite:///{tmp_path}/q.db",
    }
    with Queue.from_env(environ) as queue:
        queue.enqueue_many(Draft(to="081234567890", body="hello") for _ in range(2))
        queue.pause("night")
    for what in ("messages", "attempts", "lanes"):
        out = str(tmp_path / f"{what}.csv")
        assert CliRunner().invoke(app, ["export", what, "--out", out], env=environ).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("kind", TYPES)
def test_the_frames_of_a_simulation_and_of_an_export_are_of_one_shape(
    exported: Path, kind: Kind
) -> None:
    ours = frames.read(exported, kind)
    theirs = frames.typed(run_frames(a_run())[kind], kind)

    both = pd.concat([ours, theirs], ignore_index=True)

    assert types(ours) == types(theirs) == types(both) == TYPES[kind]
    assert list(both.columns) == list(kind._fields)
    assert len(both) == len(ours) + len(theirs)
    assert len(theirs) > 0


@pytest.mark.parametrize("kind", TYPES)
def test_a_run_keeps_its_values_when_it_is_given_its_types(kind: Kind) -> None:
    run = a_run()
    before = run_frames(run)[kind]

    after = frames.typed(before, kind)

    for name in before.columns:
        assert list(before[name].isna()) == list(after[name].isna())
        known = ~before[name].isna()
        assert np.array_equal(before[name][known].to_numpy(), after[name][known].to_numpy())
