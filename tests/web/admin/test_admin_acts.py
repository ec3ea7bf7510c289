"""What buttons do: to messages, to senders, and to the audit."""

import re
from datetime import timedelta
from typing import Any

import pytest

from tests.web.admin.site import SENDERS, Browser, Site, toast
from waqcore.core.message import State
from waqcore.store.controls import Filter
from waqcore.web.admin.session import BASE


def audited(site: Site) -> list[tuple[str, str, int]]:
    """Who did what to how many messages, newest first."""
    return [
        (row.happening.actor, row.happening.action, row.happening.messages)
        for row in site.queue.audit(3)
        if row.happening.actor != "test"
    ]


def put(site: Site, n: int, **draft: Any) -> list[str]:
    """Queue messages, and return their ids."""
    return [site.queue.enqueue(f"08123456789{i}", "Halo", **draft).id for i in range(n)]


def count_of(page_text: str) -> str:
    """How many messages a page of confirmation counts."""
    found = re.search(r'name="count" value="(\d+)"', page_text)
    assert found is not None
    return found[1]


def test_clear_counts_asks_and_can_be_undone(dashboard: Site, admin: Browser) -> None:
    put(dashboard, 3, priority="low")
    put(dashboard, 2, priority="high")
    asked = admin.get("/clear?priority=low").text
    form = {"priority": "low", "all": "yes", "count": count_of(asked), "typed": "3"}

    cleared = admin.post("/acts/clear", form)
    left = dashboard.queue.count(Filter())
    batch = re.search(r'name="batch" value="([^"]+)"', cleared.text)
    assert batch is not None
    restored = admin.post("/acts/restore", {"batch": batch[1]})

    assert count_of(asked) == "3"
    assert toast(cleared).startswith("Cleared: 3 messages")
    assert left == {"queued": 2, "cancelled": 3}
    assert toast(restored) == "Restored: 3 messages"
    assert dashboard.queue.count(Filter()) == {"queued": 5}
    assert audited(dashboard)[:2] == [("admin:admin", "restore", 3), ("admin:admin", "clear", 3)]


@pytest.mark.parametrize("typed", ["", "yes", "4"])
def test_clear_does_nothing_unless_the_number_is_typed(
    dashboard: Site, admin: Browser, typed: str
) -> None:
    put(dashboard, 3)

    page = admin.post("/acts/clear", {"all": "yes", "count": "3", "typed": typed})

    assert toast(page).startswith("Nothing was done: type 3 to confirm")
    assert dashboard.queue.count(Filter()) == {"queued": 3}


def test_clear_asks_again_when_more_have_come(dashboard: Site, admin: Browser) -> None:
    put(dashboard, 3)

    page = admin.post("/acts/clear", {"all": "yes", "count": "2", "typed": "2"})

    assert "there are 3 messages by now" in toast(page)
    assert dashboard.queue.count(Filter()) == {"queued": 3}


def test_selected_messages_are_cancelled(dashboard: Site, admin: Browser) -> None:
    first, second, _ = put(dashboard, 3)

    page = admin.post("/acts/cancel", {"ids": [first, second], "back": f"{BASE}/messages"})

    assert toast(page) == "Cancelled: 2 messages"
    assert page.url.path == f"{BASE}/messages"
    assert dashboard.queue.count(Filter()) == {"queued": 1, "cancelled": 2}


def test_no_message_chosen_means_none_and_not_all(dashboard: Site, admin: Browser) -> None:
    put(dashboard, 3)

    for verb in ("cancel", "retry", "clear", "prioritise", "resolve"):
        page = admin.post(f"/acts/{verb}", {"to": "low", "how": "drop"})
        assert toast(page) == "Nothing was done: choose messages first"
    assert dashboard.queue.count(Filter()) == {"queued": 3}


def test_a_message_is_given_another_priority(dashboard: Site, admin: Browser) -> None:
    (id_,) = put(dashboard, 1)

    page = admin.post("/acts/prioritise", {"ids": id_, "to": "high"})

    assert toast(page) == "Priority high now: 1 message"
    assert dashboard.queue.message(id_).priority == "high"


def test_a_button_that_comes_too_late_says_so(dashboard: Site, admin: Browser) -> None:
    (id_,) = put(dashboard, 1)

    page = admin.post("/acts/retry", {"ids": id_})

    assert toast(page).startswith("Nothing was changed")
    assert "note bad" in page.text


def test_a_sender_is_paused_with_a_reason_until_an_instant(dashboard: Site, admin: Browser) -> None:
    form = {"sender": SENDERS[0], "reason": "gateway moves", "until": "+2h"}

    page = admin.post("/lanes/pause", form)

    first, second = dashboard.queue.status().lanes
    assert toast(page) == f"Paused: {SENDERS[0]}"
    assert (first.condition, first.reason) == ("paused", "gateway moves (by person)")
    assert first.until is not None
    assert abs(first.until - dashboard.queue.status().at - timedelta(hours=2)) < timedelta(
        minutes=1
    )
    assert second.condition == "idle"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"reason": " "}, "say why"),
        ({"reason": "x", "until": "tomorrow"}, "not a time"),
        ({"reason": "x", "until": "2020-01-01"}, "passed"),
        ({"reason": "x", "sender": "123456"}, "not configured"),
    ],
)
def test_a_pause_that_cannot_be_meant_is_refused(
    dashboard: Site, admin: Browser, form: dict[str, str], why: str
) -> None:
    page = admin.post("/lanes/pause", form)

    assert why in toast(page)
    assert {lane.condition for lane in dashboard.queue.status().lanes} == {"idle"}


def test_resume_ends_all_pauses(dashboard: Site, admin: Browser) -> None:
    dashboard.queue.pause("test")

    page = admin.post("/acts/resume")

    assert toast(page) == "Resumed: all 2 senders"
    assert {lane.condition for lane in dashboard.queue.status().lanes} == {"idle"}


def test_force_process_leaves_a_persons_pause_alone(dashboard: Site, admin: Browser) -> None:
    dashboard.queue.pause("test", sender=SENDERS[0])

    page = admin.post("/acts/process", {"sender": SENDERS[0]})

    assert toast(page).startswith(f"Woken: {SENDERS[0]}")
    assert dashboard.queue.status().lanes[0].condition == "paused"


def test_a_message_is_sent_by_hand(dashboard: Site, admin: Browser) -> None:
    form = {"to": "0812-3456-7890", "text": "Halo", "priority": "low", "reference": "R-1"}

    page = admin.post("/send", form)

    (message,) = dashboard.queue.messages()
    assert toast(page) == "Queued"
    assert page.url.path == f"{BASE}/messages/{message.id}"
    assert (message.recipient, message.priority) == ("+6281234567890", "low")


def test_send_now_goes_before_everything_and_keeps_the_pace(
    dashboard: Site, admin: Browser
) -> None:
    admin.post("/send", {"to": "081234567890", "text": "Halo", "now": "yes"})

    (message,) = dashboard.queue.messages()
    assert message.priority == "bypass"
    assert audited(dashboard) == []


def test_to_break_the_pace_needs_its_own_tick_and_a_reason(dashboard: Site, admin: Browser) -> None:
    form = {"to": "081234567890", "text": "Halo", "now": "yes", "break": "yes"}

    refused = admin.post("/send", form)
    done = admin.post("/send", {**form, "reason": "doors close"})

    assert refused.status_code == 422
    assert "say why" in refused.text
    assert "the pace does not hold it" in toast(done)
    (line,) = dashboard.queue.audit(1)
    assert (line.happening.action, line.happening.detail) == ("override pace", "doors close")
    assert line.happening.actor == "admin:admin"


def test_a_wrong_number_keeps_what_was_written(dashboard: Site, admin: Browser) -> None:
    page = admin.post("/send", {"to": "12", "text": "A long text", "priority": "low"})

    assert page.status_code == 422
    assert "A long text" in page.text
    assert "write one number" in page.text
    assert dashboard.queue.messages() == []


def test_texts_are_hidden_until_somebody_shows_them_which_is_audited(
    dashboard: Site, admin: Browser
) -> None:
    dashboard.queue.enqueue("081234567890", "very secret words")

    hidden = [admin.get(path).text for path in ("", "/messages")]
    admin.post("/texts", {"show": "yes"})
    shown = [admin.get(path).text for path in ("", "/messages")]
    admin.post("/texts", {"show": ""})
    again = admin.get().text

    assert not any("very secret words" in text for text in [*hidden, again])
    assert all("very secret words" in text for text in shown)
    assert [what for _, what, _ in audited(dashboard)] == ["hide texts", "show texts"]


def test_numbers_are_masked_but_on_the_page_of_the_message(dashboard: Site, admin: Browser) -> None:
    id_ = dashboard.queue.enqueue("081234567890", "Halo").id

    lists = [admin.get(path).text for path in ("", "/messages", "/audit")]

    assert not any("81234567890" in text for text in lists)
    assert "+62********890" in lists[1]
    assert "+6281234567890" in admin.get(f"/messages/{id_}").text


def test_a_cancelled_batch_is_restored_from_the_audit(dashboard: Site, admin: Browser) -> None:
    put(dashboard, 2)
    batch, _ = dashboard.queue.clear()

    assert f'value="{batch}"' in admin.get("/audit").text
    assert dashboard.queue.count(Filter(states=(State.CANCELLED,))) == {"cancelled": 2}
