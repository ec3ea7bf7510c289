"""What may be done to the whole queue, and how it stands."""

from datetime import UTC, datetime, timedelta

from tests.web.api.conftest import SENDERS, Service


def test_the_status_has_the_words_of_the_old_system_and_ours(service: Service) -> None:
    service.enqueue(priority="high")

    seen = service.get("/queue").json()

    assert (seen["queue_length"], seen["is_processing"], seen["failed_messages"]) == (1, False, 0)
    assert seen["queued"] == {"high": 1, "normal": 0, "low": 0}
    assert [one["sender"] for one in seen["lanes"]] == list(SENDERS)


def test_one_sender_is_held_and_let_go(service: Service) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

    held = service.post(
        "/queue/pause", {"reason": "moving", "sender": SENDERS[0], "until": until}
    ).json()
    lanes = {one["sender"]: one["condition"] for one in service.get("/queue").json()["lanes"]}
    let_go = service.post("/queue/resume").json()

    assert held == {"senders": [SENDERS[0]]}
    assert lanes == {SENDERS[0]: "paused", SENDERS[1]: "idle"}
    assert sorted(let_go["senders"]) == list(SENDERS)


def test_a_sender_that_is_not_configured_is_refused_by_name(service: Service) -> None:
    answer = service.post("/queue/process", {"sender": "62811"})

    assert answer.status_code == 422
    assert "'62811' is not configured" in answer.json()["detail"]


def test_a_clear_is_undone(service: Service) -> None:
    service.enqueue(priority="low")
    service.enqueue(priority="high")

    cleared = service.post("/queue/clear", {"priority": "low", "reason": "not today"}).json()
    restored = service.post("/queue/restore", {"batch": cleared["batch"]}).json()

    assert cleared["messages"] == 1
    assert restored == {"messages": 1}


def test_senders_are_listed_without_keys(service: Service) -> None:
    listed = service.get("/senders").json()["senders"]

    assert listed[0] == {
        "number": SENDERS[0],
        "gateway": "sandbox",
        "pace_s": 10.0,
        "default": True,
    }
