"""What pages show, and how errors look."""

import sqlite3
from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.web.admin.site import API_TOKEN, Browser, Site
from waqcore.core.instants import MINUTE
from waqcore.message import instant
from waqcore.store import presence, samples
from waqcore.store.presence import Process
from waqcore.web.admin.session import BASE
from waqcore.web.admin.wording import Wording

HTML = {"accept": "text/html"}


@pytest.mark.parametrize(
    "path", ["", "/messages", "/failed", "/send", "/test", "/audit", "/pause", "/clear"]
)
def test_every_page_of_an_empty_queue_opens(admin: Browser, path: str) -> None:
    page = admin.get(path)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("looked_for", "found"), [("0812-3456-7891", 1), ("REG-1", 2), ("{id}", 1), ("nothing", 0)]
)
def test_messages_are_found_by_number_id_and_reference(
    dashboard: Site, admin: Browser, looked_for: str, found: int
) -> None:
    first = dashboard.queue.enqueue("081234567891", "a", reference="REG-1")
    dashboard.queue.enqueue("081234567892", "b", reference="REG-1")
    dashboard.queue.enqueue("081234567893", "c")

    page = admin.get("/messages", params={"q": looked_for.format(id=first.id)})

    assert page.text.count('name="ids"') == found


def test_a_number_that_is_none_is_said_to_be(admin: Browser) -> None:
    page = admin.get("/messages", params={"q": "0812"})
    wrong = admin.get("/messages", params={"q": "08123456789012345"})

    assert page.status_code == 200
    assert wrong.status_code == 400
    assert "write one number" in wrong.text


def test_a_word_that_is_no_state_is_said_to_be(admin: Browser) -> None:
    page = admin.get("/messages", params={"state": "lost"})

    assert page.status_code == 400
    assert "there is no state" in page.text


def test_a_long_list_is_read_page_by_page(dashboard: Site, admin: Browser) -> None:
    for n in range(60):
        dashboard.queue.enqueue("081234567890", f"Halo {n}")
    last = dashboard.queue.messages(limit=50)[-1].id

    first = admin.get("/messages")
    second = admin.get("/messages", params={"before": last})

    assert first.text.count('name="ids"') == 50
    assert f"before={last}" in first.text
    assert second.text.count('name="ids"') == 10
    assert "Newest" in second.text


def test_what_a_message_says_is_never_markup(dashboard: Site, admin: Browser) -> None:
    id_ = dashboard.queue.enqueue("081234567890", "<b>&amp;", reference="<i>").id

    text = admin.get(f"/messages/{id_}").text

    assert "&lt;b&gt;&amp;amp;" in text
    assert "<b>" not in text
    assert "<i>" not in text


def test_a_messages_life_is_told_in_order(dashboard: Site, admin: Browser, tmp_path: Path) -> None:
    message = dashboard.queue.enqueue("081234567890", "Halo")
    with sqlite3.connect(tmp_path / "q.db") as db:
        ((seq, at),) = db.execute("SELECT seq, enqueued_at FROM waq_message")
        for n, outcome in ((1, "not_sent"), (2, "accepted")):
            db.execute(
                "INSERT INTO waq_attempt (message_seq, number, token, started_at, finished_at,"
                " outcome, http_status, detail) VALUES (?, ?, ?, ?, ?, ?, 500, 'it broke')",
                (seq, n, str(n), at + n * 1_000_000, at + n * 1_000_000 + 500_000, outcome),
            )
        db.execute(
            "UPDATE waq_message SET state = 'sent', attempts = 2, ended_at = ?", (at + 3_000_000,)
        )
    db.close()

    text = admin.get(f"/messages/{message.id}").text
    course = text[text.index("Course") :]

    told = [
        course.index(word)
        for word in ("Queued", "Attempt 1: not sent", "Attempt 2: accepted", "Sent")
    ]
    assert told == sorted(told)
    assert "it broke" in course


def test_the_course_says_when_the_page_is_of_another_state(dashboard: Site, admin: Browser) -> None:
    id_ = dashboard.queue.enqueue("081234567890", "Halo").id

    same = admin.get(f"/messages/{id_}/life", params={"was": "queued"})
    other = admin.get(f"/messages/{id_}/life", params={"was": "sending"})

    assert "hx-refresh" not in same.headers
    assert other.headers["hx-refresh"] == "true"


def test_a_message_that_is_not_there_is_a_page_that_says_so(admin: Browser) -> None:
    page = admin.get("/messages/msg_nothing", headers=HTML)

    assert page.status_code == 404
    assert "There is no message" in page.text
    assert "To the overview" in page.text


def test_a_page_that_is_not_there_is_one_too(admin: Browser) -> None:
    page = admin.get("/no/such/page", headers=HTML)

    assert page.status_code == 404
    assert "There is nothing here" in page.text


def test_a_form_that_is_too_long_is_refused(admin: Browser) -> None:
    page = admin.post("/send", {"to": "081234567890", "text": "x" * 300_000})

    assert page.status_code == 413


def test_the_old_status_has_the_old_names(dashboard: Site, admin: Browser) -> None:
    dashboard.queue.enqueue("081234567890", "Halo", priority="high")

    found = admin.get("/status", headers={"accept": "application/json"}).json()

    assert found["queue_length"] == 1
    assert found["is_processing"] is False
    assert found["failed_messages"] == 0
    assert found["estimated_time"] == 0
    (first,) = found["next_messages"]
    assert first["phone"] == "+62********890"
    assert first["priority"] == "high"


def test_the_old_buttons_take_a_token_and_what_they_cleared_can_be_restored(
    dashboard: Site, stranger: Browser
) -> None:
    headers = {"Authorization": f"Bearer {API_TOKEN}"}
    client = stranger.client

    sent = client.post(f"{BASE}/send-test", headers=headers, json={"phone": "081234567890"})
    wrong = client.post(f"{BASE}/send-test", headers=headers, json={"phone": "12"})
    woken = client.post(f"{BASE}/force-process", headers=headers)
    cleared = client.post(f"{BASE}/clear", headers=headers)

    assert sent.json()["success"] is True
    assert (wrong.status_code, wrong.json()["success"]) == (422, False)
    assert woken.json()["success"] is True
    assert cleared.json()["cleared"] == 1
    assert dashboard.queue.restore(cleared.json()["batch"]) == 1
    assert dashboard.queue.audit(2)[1].happening.actor == "api:environment"


def test_the_old_buttons_work_in_a_session_with_its_token(dashboard: Site, admin: Browser) -> None:
    dashboard.queue.enqueue("081234567890", "Halo")

    assert admin.post("/clear").json()["cleared"] == 1


def test_a_sample_is_taken_once_a_minute_and_drawn(dashboard: Site, admin: Browser) -> None:
    dashboard.queue.enqueue("081234567890", "Halo", priority="high")
    for _ in range(3):
        samples.take(dashboard.queue.store)

    found = dashboard.queue.store.read(lambda connection: samples.since(connection, 0))
    text = admin.get().text

    assert [(one.high, one.normal, one.low, one.sent) for one in found] == [(1, 0, 0, 0)]
    assert "No history yet" not in text
    assert "1 at the end, 1 at most" in text


def test_a_trend_without_history_says_so(admin: Browser) -> None:
    assert admin.get().text.count("No history yet") == 4


@pytest.mark.parametrize("dispatchers", [0, 1])
def test_without_a_dispatcher_no_time_is_promised(
    dashboard: Site, admin: Browser, dispatchers: int
) -> None:
    dashboard.queue.enqueue("081234567890", "Halo")
    if dispatchers:
        dashboard.queue.store.write(_somebody_dispatches(dashboard))

    page = admin.get().text

    assert ("When each would go if a dispatcher ran" in page) == (dispatchers == 0)
    assert ("<dt>clear</dt>" in page) == (dispatchers == 1)


def test_what_lasted_until_now_is_due(dashboard: Site) -> None:
    wall = instant(dashboard.queue.store.wall_us())
    say = Wording(wall, UTC)

    assert say.until(wall + timedelta(seconds=1)) == "until"
    assert say.until(wall - timedelta(seconds=1)) == "due"


def _somebody_dispatches(dashboard: Site) -> Callable[[Connection], None]:
    now, process = dashboard.queue.store.now(), Process("elsewhere", "1/1")
    return lambda connection: presence.join(connection, "d1", process, now, MINUTE)
