"""What the dashboard is looked at with: an empty queue, a long one, and one where nothing works."""

import random
import sqlite3
from contextlib import closing

from tests.browser.service import SENDERS, Service
from waqcore import Draft

MINUTE_US = 60_000_000
LONG = 10_000

SAID = "Failed to send message, check the connection of the device: scan the QR code again"


def long_queue(service: Service) -> None:
    """Ten thousand messages, and a day of history."""
    words = ("high", "normal", "low")
    service.queue.enqueue_many(
        Draft(
            to=f"0812{n:07}",
            body=f"Halo {n}, silakan bayar di https://bayar.example/REG-{n}",
            priority=words[n % 3],
            sender=SENDERS[n % 2],
            reference=f"REG-{n // 2}",
        )
        for n in range(LONG)
    )
    _history(service, failing=False)


def everything_fails(service: Service) -> None:
    """Failed, unknown and cancelled messages; a breaker open, a sender paused by the gateway."""
    drafts = [
        Draft(to=f"0813{n:07}", body=f"Halo {n}", reference=f"REG-{n}", sender=SENDERS[n % 2])
        for n in range(30)
    ]
    ids = [message.id for message in service.queue.enqueue_many(drafts)]
    with closing(sqlite3.connect(service.folder / "q.db", timeout=10)) as db, db:
        for n, id_ in enumerate(ids[:20]):
            _fail(db, id_, "failed" if n < 16 else "unknown")
        db.execute(
            "UPDATE waq_lane SET breaker_open = 1, probes = 2,"
            " probe_at = (SELECT max(enqueued_at) FROM waq_message) WHERE sender = ?",
            (SENDERS[0],),
        )
        db.execute(
            "UPDATE waq_lane SET pause_by = 'gateway', pause_reason = 'device disconnected',"
            " pause_at = 1 WHERE sender = ?",
            (SENDERS[1],),
        )
    _history(service, failing=True)


def _fail(db: sqlite3.Connection, id_: str, state: str) -> None:
    ((seq, at),) = db.execute("SELECT seq, enqueued_at FROM waq_message WHERE id = ?", (id_,))
    at -= 10 * MINUTE_US
    for number in (1, 2, 3):
        began = at + number * MINUTE_US
        db.execute(
            "INSERT INTO waq_attempt (message_seq, number, token, started_at, finished_at,"
            " outcome, http_status, detail) VALUES (?, ?, ?, ?, ?, 'not_sent', 500, ?)",
            (seq, number, f"{id_}-{number}", began, began + 1_500_000, SAID),
        )
    db.execute(
        "UPDATE waq_message SET state = ?, reason = ?, attempts = 3, failures = 3,"
        " enqueued_at = ?, ended_at = ? WHERE id = ?",
        (state, SAID, at, at + 4 * MINUTE_US if state == "failed" else None, id_),
    )


def _history(service: Service, *, failing: bool) -> None:
    """A sample for most minutes of a day; the dispatcher was down for a while."""
    chance, length = random.Random(7), 40
    now = service.queue.store.now().wall
    with closing(sqlite3.connect(service.folder / "q.db", timeout=10)) as db, db:
        for ago in range(1_440, 0, -1):
            length = max(0, length + chance.randint(-9, 9))
            if 500 < ago < 620:
                continue
            sent = 0 if failing else chance.randint(2, 6)
            failed = chance.randint(1, 6) if failing else chance.choice((0, 0, 0, 1))
            minute = now - now % MINUTE_US - ago * MINUTE_US
            row = (minute, "", length // 3, length // 2, length // 6, sent, failed)
            db.execute("INSERT OR REPLACE INTO waq_sample VALUES (?, ?, ?, ?, ?, ?, ?)", row)
