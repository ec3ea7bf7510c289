"""`waq export`: the rows it writes, where to, and what it never writes."""

import csv
import io
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from typer.testing import Result

from tests.cli.terminal import RUN, Terminal
from waqcore import Draft, Queue

Waq = Callable[..., Result]
Put = Callable[..., str]

SENDER = "628114040707"
MESSAGE_COLUMNS = (
    "seq,id,sender,priority,reference,enqueued_at,send_at,expires_at,state,attempts,failures,"
    "maybe_duplicate,first_called_at,called_at,ended_at,eta_at,eta_low_at,eta_high_at"
)
ATTEMPT_COLUMNS = (
    "seq,message_id,sender,priority,number,ready_at,claimed_at,called_at,finished_at,outcome,detail"
)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_messages_are_rows_under_the_names_of_the_columns(waq: Waq, put: Put) -> None:
    first = put("failed", calls=2, reference="REG-1")
    second = put(priority="high")

    result = waq("export", "messages")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0] == MESSAGE_COLUMNS
    at, ended = (rows(result.stdout)[0][name] for name in ("enqueued_at", "ended_at"))
    assert lines[1:] == [
        f"1,{first},{SENDER},normal,REG-1,{at},,,failed,2,2,false,,,{ended},,,",
        lines[2],
    ]
    assert lines[2].startswith(f"2,{second},{SENDER},high,,")


def test_json_lines_have_null_true_and_numbers(waq: Waq, put: Put) -> None:
    id_ = put("unknown", calls=1)

    (line,) = waq("export", "messages", "--format", "jsonl").stdout.splitlines()

    told = json.loads(line)
    assert list(told) == MESSAGE_COLUMNS.split(",")
    assert (told["seq"], told["id"], told["attempts"]) == (1, id_, 1)
    assert (told["maybe_duplicate"], told["reference"], told["eta_at"]) == (False, None, None)
    assert isinstance(told["enqueued_at"], int)


def test_calls_are_rows(waq: Waq, put: Put) -> None:
    id_ = put("failed", calls=2)

    result = waq("export", "attempts")

    assert result.stdout.splitlines()[0] == ATTEMPT_COLUMNS
    first, second = rows(result.stdout)
    assert (first["message_id"], first["number"], second["number"]) == (id_, "1", "2")
    assert (first["called_at"], first["outcome"], first["detail"]) == ("", "not_sent", "it broke")


def test_lane_events_are_rows(waq: Waq, queue: Queue) -> None:
    queue.pause('gateway moves, "soon"')

    result = waq("export", "lanes")

    lines = result.stdout.splitlines()
    at = lines[1].split(",")[0]
    assert lines == [
        "at,sender,event,detail",
        f'{at},{SENDER},pause,"gateway moves, ""soon"""',
    ]


@pytest.mark.parametrize("what", ["messages", "attempts", "lanes"])
@pytest.mark.parametrize("how", ["csv", "jsonl"])
def test_neither_a_text_nor_a_recipient_is_ever_written(
    waq: Waq, queue: Queue, put: Put, what: str, how: str
) -> None:
    put("failed", calls=1, body="a secret", to="081234567890")
    queue.suppress("081234567890", reason="stop")

    told = waq("export", what, "--format", how).stdout

    assert told
    assert "secret" not in told
    assert "234567890" not in told


def test_a_queue_without_anything_is_its_header(waq: Waq) -> None:
    assert waq("export", "messages").stdout == f"{MESSAGE_COLUMNS}\n"
    assert waq("export", "messages", "--format", "jsonl").stdout == ""


def test_times_without_an_offset_are_local(waq: Waq, put: Put) -> None:
    put()

    def told(*args: str) -> int:
        return len(rows(waq("export", "messages", *args, WAQ_TIMEZONE="Asia/Jakarta").stdout))

    assert told("--since", "2020-01-01") == 1
    assert told("--until", "2020-01-01T09:00+07:00") == 0
    assert told("--since", "2020-01-01", "--until", "2100-01-01") == 1
    assert told("--since", "2100-01-01") == 0


def test_a_local_date_begins_at_its_own_midnight(waq: Waq, put: Put, tmp_path: Path) -> None:
    put()
    midnight = 1_772_298_000_000_000  # 2026-03-01T00:00+07:00.
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_message SET enqueued_at = ?", (midnight,))
    db.close()

    def told(*args: str) -> int:
        return len(rows(waq("export", "messages", *args, WAQ_TIMEZONE="Asia/Jakarta").stdout))

    assert told("--since", "2026-03-01") == 1
    assert told("--since", "2026-03-01T00:00:00.000001") == 0
    assert told("--until", "2026-03-01") == 0
    assert told("--until", "2026-02-28T17:00:00.000001+00:00") == 1


def test_one_sender_is_exported_alone(waq: Waq, put: Put) -> None:
    put()

    alone = waq("export", "messages", "--sender", "628129990001", WAQ_SENDERS="628129990001")

    # It has no lane before something of this machine opens the queue with it.
    assert alone.exit_code == 2
    assert alone.stderr == (
        f"waq: sender '628129990001' is not in this database; it has {SENDER}\n"
    )
    waq("status", WAQ_SENDERS="628129990001")
    assert rows(waq("export", "messages", "--sender", "628129990001").stdout) == []
    assert len(rows(waq("export", "messages", "--sender", SENDER).stdout)) == 1


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        ((), "Missing argument"),
        (("bodies",), "Invalid value for"),
        (("messages", "--format", "xml"), "Invalid value for '--format'"),
        (("messages", "--since", "soon"), "'soon' is not a date: write it as 2026-03-01"),
        (("messages", "--until", "+2h"), "'+2h' is not a date: write it as 2026-03-01"),
        (
            ("messages", "--since", "2026-03-02", "--until", "2026-03-02"),
            "--since 2026-03-02 is not before --until 2026-03-02",
        ),
    ],
)
def test_what_makes_no_sense_is_one_line(waq: Waq, args: tuple[str, ...], complaint: str) -> None:
    result = waq("export", *args)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"waq: {complaint}")
    assert result.stderr.count("\n") == 1


def test_no_sender_need_be_configured_and_nothing_is_made(waq: Waq, tmp_path: Path) -> None:
    result = waq("export", "messages", WHATSAPP_SENDER="")

    assert result.exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["q.db"]


def test_a_database_that_is_not_there_is_one_line_and_no_file(waq: Waq, tmp_path: Path) -> None:
    result = waq(
        *("export", "messages", "--out", str(tmp_path / "m.csv")),
        WAQ_DATABASE_URL=f"sqlite:///{tmp_path}/none.db",
    )

    assert result.exit_code == 1
    assert result.stderr == (
        f"waq: there is no database {tmp_path}/none.db: is WAQ_DATABASE_URL right?\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["q.db"]


def test_a_file_is_whole_and_replaces_what_was_there(waq: Waq, put: Put, tmp_path: Path) -> None:
    put()
    file = tmp_path / "m.csv"
    file.write_text("an older one")

    result = waq("export", "messages", "--out", str(file))

    assert (result.exit_code, result.output) == (0, "")
    assert file.read_text() == waq("export", "messages", "--out", "-").stdout
    assert not list(tmp_path.glob(".m*"))


@pytest.mark.parametrize(
    ("name", "why"), [("no/such/m.csv", "No such file or directory"), ("", "Is a directory")]
)
def test_a_file_that_cannot_be_written_is_one_line(
    waq: Waq, tmp_path: Path, name: str, why: str
) -> None:
    result = waq("export", "messages", "--out", str(tmp_path / name))

    assert result.exit_code == 1
    assert result.stderr == f"waq: '{tmp_path / name}' cannot be written: {why}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["q.db"]


FULL = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
"""


def _process(
    environ: dict[str, str], code: str, *args: str, stdout: int | IO[str] = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code + RUN, *args],
        env={"PATH": os.environ["PATH"], **environ},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_disk_that_fills_up_leaves_what_was_there(
    environ: dict[str, str], put: Put, tmp_path: Path
) -> None:
    for _ in range(50):
        put()
    file = tmp_path / "m.csv"
    file.write_text("an older one")

    # Without bytecode, which it would write too, and cut off at the limit.
    ended = _process(
        {**environ, "PYTHONDONTWRITEBYTECODE": "1"},
        *(FULL, "export", "messages", "--out", str(file)),
    )

    assert ended.returncode == 1
    assert ended.stderr == f"waq: '{file}' cannot be written: File too large\n"
    assert file.read_text() == "an older one"
    assert not list(tmp_path.glob(".m*"))


# Without a buffer printing fails at once; with one as that is emptied, perhaps at the very end.
UNBUFFERED = {"PYTHONUNBUFFERED": "1"}


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("export", "messages"), {}),
        (("export", "messages", "--format", "jsonl"), UNBUFFERED),
        (("status",), {}),
        (("messages", "--json"), {}),
        (("clear", "--yes"), {}),
        (("clear", "--yes"), UNBUFFERED),
        (("--version",), {}),
        (("--help",), UNBUFFERED),
    ],
)
def test_output_that_cannot_be_written_is_one_line(
    environ: dict[str, str], put: Put, args: tuple[str, ...], env: dict[str, str]
) -> None:
    put()

    with open("/dev/full", "w") as full:
        ended = _process({**environ, **env}, "", *args, stdout=full)

    assert ended.returncode == 1
    assert ended.stderr == (
        "waq: standard output cannot be written to: No space left on device; "
        "what the command did before stands\n"
    )


@pytest.mark.parametrize(
    ("args", "env"),
    [
        (("export", "messages"), {}),
        (("export", "messages"), UNBUFFERED),
        (("status",), {}),
        (("--version",), {}),
    ],
)
def test_a_reader_that_has_had_enough_is_no_error_to_speak_of(
    environ: dict[str, str], put: Put, args: tuple[str, ...], env: dict[str, str]
) -> None:
    put()
    read, theirs = os.pipe()
    os.close(read)

    ended = _process({**environ, **env}, "", *args, stdout=theirs)

    os.close(theirs)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_a_reader_may_leave_in_the_middle(environ: dict[str, str], queue: Queue) -> None:
    queue.enqueue_many(Draft(to="081234567890", body="hello") for _ in range(5_000))
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "export", "messages"],
        env={"PATH": os.environ["PATH"], **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None

    assert process.stdout.readline() == f"{MESSAGE_COLUMNS}\n"
    process.stdout.close()

    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


def test_output_that_nobody_opened_is_no_error(environ: dict[str, str], put: Put) -> None:
    put()

    shell = f'exec "{sys.executable}" -c "{RUN}" status >&-'
    ended = subprocess.run(
        ["sh", "-c", shell],
        env={"PATH": os.environ["PATH"], **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_progress_is_told_at_a_terminal_where_output_is_a_file(
    environ: dict[str, str], put: Put, tmp_path: Path
) -> None:
    put()
    put()

    terminal = Terminal(environ, "export", "messages", "--out", str(tmp_path / "m.csv"))

    assert terminal.end() == 0
    assert terminal.shown == "\r2 messages\r\n"


def test_at_a_terminal_itself_there_are_rows_alone(environ: dict[str, str]) -> None:
    terminal = Terminal(environ, "export", "lanes")

    assert terminal.end() == 0
    assert terminal.shown == "at,sender,event,detail\r\n"
