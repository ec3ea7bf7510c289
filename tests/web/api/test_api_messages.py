"""Applications hand messages over, look at them, take them back and try them again."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.web.api.conftest import SENDERS, Service
from waqcore.store.controls import Filter


def _fail(service: Service, id_: str) -> None:
    service.queue.store.write(
        lambda connection: connection.exec_driver_sql(
            f"UPDATE waq_message SET state = 'failed', failures = 3 WHERE id = '{id_}'"
        )
    )


def test_a_message_is_on_disk_when_202_is_answered(service: Service) -> None:
    answer = service.post(
        "/messages", {"to": "0812-3456-7890", "body": "Halo Budi", "priority": "high"}
    )

    queued = answer.json()
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/messages/{queued['id']}"
    assert service.queue.message(queued["id"]).recipient == "+6281234567890"


def test_the_answer_says_where_it_stands_and_when_it_goes(service: Service) -> None:
    service.enqueue()

    second = service.enqueue(priority="normal")

    assert (second["state"], second["position"], second["eta"]["ahead"]) == ("queued", 2, 1)
    assert second["eta"]["exact"] is True
    assert second["eta"]["low_at"] <= second["eta"]["at"] <= second["eta"]["high_at"]
    assert datetime.fromisoformat(second["eta"]["at"]) > datetime.now(UTC)


def test_a_message_that_expires_before_its_turn_comes_with_a_warning(service: Service) -> None:
    service.queue.pause("maintenance", until=datetime.now(UTC) + timedelta(hours=1))
    soon = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()

    assert "before its turn" in service.enqueue(expires_at=soon)["warning"]


def test_the_same_key_gives_the_first_message_by_header_or_by_field(service: Service) -> None:
    body = {"to": "081234567890", "body": "Halo"}
    first = service.post("/messages", body, Idempotency_Key="REG-1").json()

    quoted = service.post("/messages", body, Idempotency_Key='"REG-1"').json()
    by_field = service.post("/messages", body | {"idempotency_key": "REG-1"}).json()

    assert first["id"] == quoted["id"] == by_field["id"]
    assert sum(service.queue.count(Filter()).values()) == 1


def test_a_header_and_a_field_that_disagree_are_refused(service: Service) -> None:
    body = {"to": "081234567890", "body": "Halo", "idempotency_key": "b"}

    answer = service.post("/messages", body, Idempotency_Key="a")

    assert answer.status_code == 422
    assert "'a'" in answer.json()["detail"]
    assert "'b'" in answer.json()["detail"]


def test_a_key_used_for_something_else_is_refused(service: Service) -> None:
    service.enqueue(idempotency_key="REG-1")

    answer = service.post(
        "/messages", {"to": "081234567890", "body": "other", "idempotency_key": "REG-1"}
    )

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:waqcore:problem:idempotency-key"


def test_a_batch_is_queued_together(service: Service) -> None:
    numbers = [f"08123456{n:04d}" for n in range(100)]

    answer = service.post(
        "/messages/batch", {"messages": [{"to": one, "body": "Halo"} for one in numbers]}
    )

    queued = answer.json()["messages"]
    assert answer.status_code == 202
    assert [one["position"] for one in queued] == list(range(1, 101))


def test_a_batch_with_one_that_cannot_be_sent_is_refused_whole_and_names_it(
    service: Service,
) -> None:
    messages = [{"to": "081234567890", "body": "Halo"}, {"to": "12", "body": "Halo"}]

    answer = service.post("/messages/batch", {"messages": messages})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "messages[1].to"
    assert service.queue.count(Filter()) == {}


def test_a_message_is_shown_whole_with_every_call(service: Service) -> None:
    queued = service.enqueue()

    seen = service.get(f"/messages/{queued['id']}").json()

    assert (seen["body"], seen["calls"]) == ("Halo", [])


def test_a_listing_is_read_page_by_page(service: Service) -> None:
    ids = [service.enqueue(reference="REG-1")["id"] for _ in range(3)]
    service.enqueue(reference="REG-2")

    first = service.get("/messages", reference="REG-1", limit=2)
    following = first.json()["next"]
    last = service.client.get(following)

    assert [one["id"] for one in first.json()["messages"]] == [ids[2], ids[1]]
    assert first.headers["Link"] == f'<{following}>; rel="next"'
    assert parse_qs(urlsplit(following).query)["reference"] == ["REG-1"]
    assert [one["id"] for one in last.json()["messages"]] == [ids[0]]
    assert last.json()["next"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"sender": SENDERS[1]}, {"b"}),
        ({"priority": "high"}, {"a"}),
        ({"recipient": "0812 3456 7891"}, {"b"}),
        ({"state": ["queued", "failed"]}, {"a", "b"}),
        ({"state": "sent"}, set()),
    ],
)
def test_a_listing_is_filtered(service: Service, query: dict[str, str], found: set[str]) -> None:
    service.enqueue(reference="a", priority="high")
    service.enqueue(reference="b", sender=SENDERS[1], to="081234567891")

    listed = service.get("/messages", **query).json()["messages"]

    assert {one["reference"] for one in listed} == found


def test_a_queued_message_is_cancelled_and_the_audit_names_the_token(service: Service) -> None:
    queued = service.enqueue()

    cancelled = service.post(f"/messages/{queued['id']}/cancel").json()

    assert cancelled["state"] == "cancelled"
    assert service.queue.audit(1)[0].happening.actor == "api:environment"


def test_what_has_ended_is_not_cancelled_and_the_answer_says_why(service: Service) -> None:
    queued = service.enqueue()
    service.post(f"/messages/{queued['id']}/cancel")

    again = service.post(f"/messages/{queued['id']}/cancel")

    assert again.status_code == 409
    assert "is cancelled: only what is queued or sending" in again.json()["detail"]


def test_a_failed_message_is_tried_again(service: Service) -> None:
    queued = service.enqueue()
    _fail(service, queued["id"])

    again = service.post(f"/messages/{queued['id']}/retry").json()

    assert (again["state"], again["failures"]) == ("queued", 0)


def test_failed_messages_are_tried_again_by_filter(service: Service) -> None:
    for reference in ("a", "a", "b"):
        _fail(service, service.enqueue(reference=reference)["id"])

    some = service.post("/messages/retry", {"all_failed": True, "reference": "a"}).json()
    rest = service.post("/messages/retry", {"all_failed": True}).json()

    assert (some, rest) == ({"messages": 2}, {"messages": 1})


def test_a_retry_of_nothing_in_particular_is_refused(service: Service) -> None:
    assert service.post("/messages/retry", {}).status_code == 400
