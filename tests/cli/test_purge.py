"""`waq purge`: what is erased, what is kept, and what can no longer be brought back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from waqcore import Queue, State

Waq = Callable[..., Result]
Put = Callable[..., str]

DAY_US = 86_400_000_000
SECRET = "Halo Budi, link rahasia"


@pytest.fixture
def aged(put: Put, tmp_path: Path) -> Callable[..., str]:
    """Puts a message into the queue that ended, or was queued, so many days ago."""

    def put_aged(days: int, state: str = "sent", **draft: object) -> str:
        id_ = put(state, "as the operator said", calls=1, body=SECRET, **draft)
        with sqlite3.connect(tmp_path / "q.db") as db:
            db.execute(
                "UPDATE waq_message SET ended_at = coalesce(ended_at, enqueued_at) - ?1,"
                " enqueued_at = enqueued_at - ?1, provider_id = '3EB0' WHERE id = ?2",
                (days * DAY_US, id_),
            )
        db.close()
        return id_

    return put_aged


def _row(tmp_path: Path, id_: str) -> dict[str, object]:
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.row_factory = sqlite3.Row
        (row,) = db.execute("SELECT * FROM waq_message WHERE id = ?", (id_,))
        found = dict(row)
        found["details"] = db.execute(
            "SELECT detail FROM waq_attempt WHERE message_seq = ?", (row["seq"],)
        ).fetchall()[0][0]
    db.close()
    return found


def test_what_tells_of_a_person_goes_and_what_counts_stays(
    waq: Waq, aged: Callable[..., str], tmp_path: Path
) -> None:
    id_ = aged(91, reference="REG-1", idempotency_key="REG-1:link")
    before = _row(tmp_path, id_)

    result = waq("purge", "--older-than", "90", "--yes")

    assert result.exit_code == 0
    assert result.stdout.endswith("Erased: 1 message.\n")
    after = _row(tmp_path, id_)
    gone = {
        name: after[name]
        for name in ("recipient", "body", "reason", "details", "reference", "provider_id")
    }
    assert gone == {
        **dict.fromkeys(("recipient", "body", "reason", "details"), ""),
        **dict.fromkeys(("reference", "provider_id")),
    }
    kept = set(before) - set(gone)
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


def test_no_byte_of_the_text_is_left_in_the_files(
    waq: Waq, queue: Queue, aged: Callable[..., str], tmp_path: Path
) -> None:
    for _ in range(30):
        aged(91)
    queue.close()
    assert SECRET.encode() in (tmp_path / "q.db").read_bytes()

    waq("purge", "--older-than", "90", "--yes")

    held = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert SECRET.encode() not in held
    assert b"81234567890" not in held


@pytest.mark.parametrize("state", ["queued", "sending", "unknown"])
def test_what_has_not_ended_is_never_touched(
    waq: Waq, queue: Queue, aged: Callable[..., str], state: str
) -> None:
    id_ = aged(4_000, state)

    result = waq("purge", "--older-than", "1", "--yes")

    assert result.stdout.startswith("This will erase 0 messages for good: none is that old")
    assert queue.message(id_).body == SECRET


def test_what_ended_lately_is_kept(waq: Waq, queue: Queue, aged: Callable[..., str]) -> None:
    old, young = aged(91), aged(89)

    waq("purge", "--older-than", "90", "--yes")

    assert (queue.message(old).body, queue.message(young).body) == ("", SECRET)


def test_a_dry_run_counts_and_erases_nothing(
    waq: Waq, queue: Queue, aged: Callable[..., str]
) -> None:
    ids = [aged(91), aged(91, "failed")]

    result = waq("purge", "--older-than", "90", "--dry-run")

    assert result.stdout == "This would erase 2 messages for good: 1 failed, 1 sent\n"
    assert [queue.message(id_).body for id_ in ids] == [SECRET] * 2
    assert queue.audit() == []


def test_a_key_used_again_is_still_recognised(
    waq: Waq, queue: Queue, aged: Callable[..., str]
) -> None:
    id_ = aged(91, idempotency_key="REG-1:link")
    waq("purge", "--older-than", "90", "--yes")

    again = queue.enqueue("081234567890", SECRET, idempotency_key="REG-1:link")

    assert (again.id, again.state) == (id_, State.SENT)
    other = waq("send", "081234567890", "another text", "--key", "REG-1:link")
    assert "belongs to a message with other content" in other.stderr


def test_without_a_key_no_hash_of_the_text_is_kept(
    waq: Waq, aged: Callable[..., str], tmp_path: Path
) -> None:
    id_ = aged(91)

    waq("purge", "--older-than", "90", "--yes")

    assert _row(tmp_path, id_)["content_hash"] == ""


def test_what_was_erased_can_not_be_sent_any_more(
    waq: Waq, queue: Queue, aged: Callable[..., str]
) -> None:
    erased, failed = aged(91, "failed"), aged(1, "failed")
    waq("purge", "--older-than", "90", "--yes")

    by_filter = waq("retry", "--all-failed", "--yes")
    by_id = waq("retry", erased)

    assert by_filter.exit_code == 0
    assert by_id.exit_code == 1
    assert queue.message(failed).state is State.QUEUED
    assert queue.message(erased).state is State.FAILED


def test_what_was_cleared_and_erased_can_not_be_restored(
    waq: Waq, queue: Queue, put: Put, tmp_path: Path
) -> None:
    id_ = put(body=SECRET)
    batch, _ = queue.clear()
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_message SET ended_at = ended_at - ?", (91 * DAY_US,))
    db.close()
    waq("purge", "--older-than", "90", "--yes")

    result = waq("restore", batch)

    assert result.exit_code == 1
    assert queue.message(id_).state is State.CANCELLED


def test_the_audit_keeps_who_erased_how_much(
    waq: Waq, queue: Queue, aged: Callable[..., str]
) -> None:
    aged(91)

    waq("purge", "--older-than", "90", "--yes")

    (line,) = queue.audit()
    assert line.happening.actor.startswith("cli:")
    assert (line.happening.action, line.happening.messages) == ("purge", 1)
    assert line.happening.detail == "what ended more than 90 days ago"


def test_more_than_a_portion_is_erased(
    waq: Waq, queue: Queue, aged: Callable[..., str], tmp_path: Path
) -> None:
    aged(91)
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)"
            " INSERT INTO waq_message (id, sender, recipient, body, priority, state, content_hash,"
            " enqueued_at, ended_at) SELECT 'copy_' || i, sender, recipient, body, priority, state,"
            " content_hash, enqueued_at, ended_at FROM waq_message, n"
        )
    db.close()

    result = waq("purge", "--older-than", "90", "--yes")

    assert result.stdout.endswith("Erased: 2,501 messages.\n")
    assert {queue.message(id_).body for id_ in ("copy_1", "copy_1500", "copy_2500")} == {""}


REGISTRATION = (
    "INSERT INTO waq_registration (id, invoice, content_hash, name, phone, language, fields,"
    " messages, registered_at, payment, payment_reason, payment_at)"
    " VALUES (?, 'inv', 'hash', 'Budi', '+6281234567890', 'id', '{\"seat\": \"A1\"}', '{}', 0, ?,"
    " 'declined', ?)"
)


def test_who_registered_goes_with_a_settled_payment_alone(waq: Waq, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.executemany(
            REGISTRATION,
            [("old", "paid", 1), ("open", "pending", 1), ("young", "failed", 2**52)],
        )
    db.close()

    result = waq("purge", "--older-than", "90", "--yes")

    assert result.stdout.endswith("Erased: 0 messages, 1 registration.\n")
    with sqlite3.connect(tmp_path / "q.db") as db:
        who = "SELECT id, name, phone, fields, payment_reason FROM waq_registration ORDER BY id"
        left = ("Budi", "+6281234567890", '{"seat": "A1"}', "declined")
        assert db.execute(who).fetchall() == [
            ("old", "", "", "{}", ""),
            ("open", *left),
            ("young", *left),
        ]
        ids = db.execute("SELECT content_hash FROM waq_registration WHERE id = 'old'").fetchone()
        assert ids == ("hash",)
    db.close()


@pytest.mark.parametrize("days", ["0", "-1", "x", "3661"])
def test_days_that_are_none_erase_nothing(
    waq: Waq, queue: Queue, aged: Callable[..., str], days: str
) -> None:
    id_ = aged(4_000)

    result = waq("purge", "--older-than", days, "--yes")

    assert result.exit_code == 2
    assert queue.message(id_).body == SECRET
