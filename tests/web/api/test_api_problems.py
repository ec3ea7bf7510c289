"""Every error is a problem that names the field, and none tells of our insides."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.web.api.conftest import Service, serving
from waqcore.store.errors import UnwritableDatabaseError

GOOD = {"to": "081234567890", "body": "Halo"}


def _problem(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert set(told) >= {"title", "status", "detail"}
    return told


@pytest.mark.parametrize(
    ("wrong", "field", "type_"),
    [
        ({"to": "12"}, "to", "urn:waqcore:problem:phone"),
        ({"to": 12}, "to", None),
        ({"body": " "}, "body", "urn:waqcore:problem:text"),
        ({"priority": "urgent"}, "priority", None),
        ({"send_at": "tomorrow"}, "send_at", None),
        ({"send_at": "2026-03-01T08:00:00"}, "send_at", None),
        ({"prority": "high"}, "prority", None),
        ({"reference": ""}, "reference", None),
    ],
)
def test_a_wrong_field_is_named(
    service: Service, wrong: dict[str, object], field: str, type_: str | None
) -> None:
    told = _problem(service.post("/messages", GOOD | wrong))

    assert told["status"] == 422
    assert told["errors"][0]["field"] == field
    assert told.get("type") == type_


def test_a_sender_that_is_not_configured_is_named(service: Service) -> None:
    told = _problem(service.post("/messages", GOOD | {"sender": "62811"}))

    assert told["type"] == "urn:waqcore:problem:message"
    assert "'62811'" in told["detail"]


def test_who_has_opted_out_is_a_problem_of_its_own(service: Service) -> None:
    service.queue.suppress("081234567890", reason="asked us to stop")

    told = _problem(service.post("/messages", GOOD))

    assert (told["status"], told["type"]) == (422, "urn:waqcore:problem:opted-out")


def test_a_body_that_is_not_json_is_refused(service: Service) -> None:
    headers = {"Content-Type": "application/json"}

    told = _problem(service.client.post("/v1/messages", content=b'{"to":', headers=headers))

    assert told["status"] == 400


def test_a_body_that_says_it_is_a_form_is_refused_with_what_to_say(service: Service) -> None:
    told = _problem(service.client.post("/v1/messages", data={"to": "0812"}))

    assert told["status"] == 415
    assert "Content-Type: application/json" in told["detail"]


def test_a_body_over_the_limit_is_refused(service: Service) -> None:
    told = _problem(service.post("/messages", GOOD | {"body": "x" * 1_100_000}))

    assert told["status"] == 413
    assert "more than the 1,048,576 bytes" in told["detail"]


def test_what_is_not_there_and_what_is_not_done_are_problems(service: Service) -> None:
    no_route = _problem(service.get("/nothing"))
    no_message = _problem(service.get("/messages/msg_0"))
    no_method = service.client.delete("/v1/messages")

    assert (no_route["status"], no_message["status"]) == (404, 404)
    assert no_message["type"] == "urn:waqcore:problem:not-found"
    assert _problem(no_method)["status"] == 405
    assert "POST" in no_method.headers["Allow"]


def test_a_database_that_cannot_be_written_to_says_when_to_come_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise UnwritableDatabaseError("the disk is full: make room")

    monkeypatch.setattr(service.queue.store, "write_jointly", full)

    answer = service.post("/messages", GOOD)

    assert _problem(answer)["detail"] == "the disk is full: make room"
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_a_fault_of_ours_tells_nothing_of_our_insides(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise sqlite3.IntegrityError("secret insides")

    monkeypatch.setattr(service.queue, "status", broken)

    answer = service.get("/queue")

    assert _problem(answer)["status"] == 500
    assert "insides" not in answer.text


def test_who_comes_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    with serving(tmp_path, WAQ_API_PER_SECOND="0.1") as service:
        first, second = service.get("/senders"), service.get("/senders")

    assert first.status_code == 200
    assert (_problem(second)["status"], second.headers["Retry-After"]) == (429, "10")


def test_every_answer_has_the_headers_of_a_careful_service(service: Service) -> None:
    for answer in (service.get("/queue"), service.get("/nothing"), service.client.get("/healthz")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert "Server" not in answer.headers


def test_a_parameter_that_is_wrong_is_called_as_it_was_sent(service: Service) -> None:
    told = _problem(service.get("/messages", state="lost"))

    assert [one["field"] for one in told["errors"]] == ["state"]
    assert told["detail"].startswith("state: ")


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        ("/messages", {"send_at": 1_900_000_000}, "send_at"),
        ("/messages", {"send_at": "1900000000"}, "send_at"),
        ("/messages/batch", {"messages": [{"to": 81234567890, "body": "Halo"}]}, "messages[0].to"),
        ("/messages/retry", {"all_failed": "true"}, "all_failed"),
    ],
)
def test_what_is_of_another_type_than_described_is_refused(
    service: Service, path: str, wrong: dict[str, object], field: str
) -> None:
    body = {"to": "081234567890", "body": "Halo"} | wrong if path == "/messages" else wrong

    answer = service.post(path, body)

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["errors"]] == [field]
