"""`waq backup` and `waq restored`: a copy that sends nothing by itself, and what it may double."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from shutil import copy

import pytest
from typer.testing import Result

from waqcore import Queue, State
from waqcore.core.instants import SECOND

Waq = Callable[..., Result]
Put = Callable[..., str]

SENDER = "628114040707"


@pytest.fixture
def restore(waq: Waq, tmp_path: Path) -> Callable[[], None]:
    """Makes a copy, changes nothing more in it, and puts it in the database's place."""

    def back_and_forth() -> None:
        assert waq("backup", str(tmp_path / "copy.db")).exit_code == 0
        for file in tmp_path.glob("q.db*"):
            file.unlink()
        copy(tmp_path / "copy.db", tmp_path / "q.db")

    return back_and_forth


def _passed(tmp_path: Path, seconds: int) -> None:
    """Move what the database holds into the past, as if so much time had gone by since."""
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_message SET enqueued_at = enqueued_at - ?", (seconds * SECOND,))
        db.execute("UPDATE waq_event SET at = at - ?", (seconds * SECOND,))
    db.close()


def test_a_copy_holds_everything_and_is_for_nobody_else_to_read(
    waq: Waq, queue: Queue, put: Put, tmp_path: Path
) -> None:
    ids = [put(), put("sent"), put("failed", calls=3)]

    result = waq("backup", str(tmp_path / "copy.db"))

    assert result.exit_code == 0
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(tmp_path / "copy.db") as db:
        assert [id_ for (id_,) in db.execute("SELECT id FROM waq_message ORDER BY seq")] == ids
        assert db.execute("SELECT count(*) FROM waq_attempt").fetchone() == (3,)
    db.close()
    assert sorted(file.name for file in tmp_path.glob("*copy*")) == ["copy.db"]


def test_the_queue_itself_is_not_held_by_its_copy(
    waq: Waq, queue: Queue, put: Put, tmp_path: Path
) -> None:
    put()

    waq("backup", str(tmp_path / "copy.db"))

    assert queue.status().lanes[0].condition == "ready"
    assert queue.audit() == []


def test_a_file_that_is_there_is_not_overwritten(waq: Waq, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("precious")

    result = waq("backup", str(tmp_path / "copy.db"))

    assert result.exit_code == 1
    assert "is there already" in result.stderr
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_a_folder_that_is_not_there_is_one_line(waq: Waq, tmp_path: Path) -> None:
    result = waq("backup", str(tmp_path / "no" / "copy.db"))

    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "cannot be written" in result.stderr


@pytest.mark.usefixtures("put")
def test_a_restored_copy_stands_still_and_says_why(
    waq: Waq, put: Put, restore: Callable[[], None]
) -> None:
    put()
    restore()

    shown = waq("status").stdout

    assert "a copy made by `waq backup`: run `waq restored`" in shown


def test_what_may_have_been_sent_since_is_marked(
    waq: Waq, queue: Queue, put: Put, restore: Callable[[], None], tmp_path: Path
) -> None:
    waiting, being_sent, sent = put(), put("sending"), put("sent")
    scheduled = waq("send", "081234567890", "later", "--send-at", "+2h").stdout.split()[0]
    queue.close()
    restore()
    _passed(tmp_path, 25)

    result = waq("restored", "--yes")

    assert result.exit_code == 0
    assert f"{SENDER}: 2 messages may have been sent since" in result.stdout
    assert "Marked: 2 messages. Every sender is paused." in result.stdout
    with sqlite3.connect(tmp_path / "q.db") as db:
        marked = dict(db.execute("SELECT id, maybe_duplicate FROM waq_message").fetchall())
        pause = db.execute("SELECT pause_by, pause_reason FROM waq_lane").fetchone()
    db.close()
    assert marked == {waiting: 1, being_sent: 1, sent: 0, scheduled: 0}
    assert pause[0] == "person"
    assert pause[1].startswith("restored from a backup taken at ")


def test_no_more_can_have_been_sent_than_the_pace_allowed(
    waq: Waq, queue: Queue, put: Put, restore: Callable[[], None], tmp_path: Path
) -> None:
    for _ in range(8):
        put()
    queue.close()
    restore()
    _passed(tmp_path, 25)

    shown = waq("restored", "--yes").stdout

    assert "8 messages may have been sent since; by its pace, 3 of them at most" in shown


def test_what_came_in_after_the_restore_is_not_marked(
    waq: Waq, queue: Queue, put: Put, restore: Callable[[], None], tmp_path: Path
) -> None:
    put()
    queue.close()
    restore()
    _passed(tmp_path, 25)
    fresh = waq("send", "081234567890", "new").stdout.split()[0]

    waq("restored", "--yes")

    with sqlite3.connect(tmp_path / "q.db") as db:
        assert db.execute(
            "SELECT maybe_duplicate FROM waq_message WHERE id = ?", (fresh,)
        ).fetchone() == (0,)
    db.close()


def test_a_copy_of_another_tool_needs_its_time(waq: Waq, queue: Queue, put: Put) -> None:
    id_ = put()

    without = waq("restored", "--yes")
    ahead = waq("restored", "--backup-taken-at", "+2h", "--yes")
    told = waq("restored", "--backup-taken-at", "2020-01-01", "--yes")

    assert (without.exit_code, ahead.exit_code, told.exit_code) == (2, 2, 0)
    assert "--backup-taken-at" in without.stderr
    assert "lies ahead" in ahead.stderr
    assert not queue.message(id_).maybe_duplicate  # It came after that backup.


def test_the_pace_counts_from_the_restore(waq: Waq, put: Put, restore: Callable[[], None]) -> None:
    put()
    restore()

    waq("restored", "--yes")
    waq("resume")

    assert "pacing" in waq("status").stdout


def test_nothing_is_marked_while_somebody_sends(
    waq: Waq, queue: Queue, put: Put, tmp_path: Path
) -> None:
    id_ = put()
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute(
            "INSERT INTO waq_dispatcher (id, host, process, started_at, lease_until)"
            " VALUES ('d', 'h', '1/2', 0, ?)",
            (2**60,),
        )
    db.close()

    result = waq("restored", "--backup-taken-at", "2020-01-01", "--yes")

    assert result.exit_code == 1
    assert "stop them first" in result.stderr
    assert queue.message(id_).state is State.QUEUED
    assert queue.audit() == []


def test_it_asks_first(waq: Waq, queue: Queue, put: Put) -> None:
    put()

    result = waq("restored", "--backup-taken-at", "2020-01-01")

    assert result.exit_code == 2
    assert "add --yes" in result.stderr
    assert queue.audit() == []


def test_the_audit_keeps_what_was_done(
    waq: Waq, queue: Queue, put: Put, restore: Callable[[], None], tmp_path: Path
) -> None:
    put()
    queue.close()
    restore()
    _passed(tmp_path, 25)

    waq("restored", "--yes")

    actions = waq("audit").stdout
    assert "restored" in actions
    assert "backup" in actions
    assert "marked as maybe doubled" in actions
