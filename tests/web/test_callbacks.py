"""Callbacks over HTTP: an application says where it wants to hear of its messages, and sees it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.payments.stage import BEARER, a_client, a_queue
from waqcore.callbacks import CALLBACKS_MAX
from waqcore.queue import Queue
from waqcore.signature import key_of
from waqcore.store.controls import Filter

EVENTS = ["message.sent", "message.cancelled"]
URL = "https://app.example/hook?x=1"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with a_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def client(queue: Queue) -> Iterator[TestClient[Litestar]]:
    with a_client(queue) as client:
        client.headers.update(BEARER)
        yield client


def made(client: TestClient[Litestar], **fields: Any) -> dict[str, Any]:
    answer = client.post("/v1/callbacks", json={"url": URL, "events": EVENTS, **fields})
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.json()
    return said


def test_the_secret_is_shown_once(client: TestClient[Litestar]) -> None:
    callback = made(client)

    listed = client.get("/v1/callbacks").json()["callbacks"]
    one = client.get(f"/v1/callbacks/{callback['id']}").json()
    assert len(key_of(callback.pop("secret"))) == 32
    assert [one] == listed == [callback]
    assert (one["url"], sorted(one["events"]), one["disabled_at"]) == (URL, sorted(EVENTS), None)


def test_what_ends_is_written_down_for_whom_it_concerns(
    client: TestClient[Litestar], queue: Queue
) -> None:
    wants, other = made(client), made(client, events=["message.failed"])
    message = queue.enqueue("081234567890", "Halo", reference="REG-1")
    queue.cancel(Filter(ids=(message.id,)))

    (delivery,) = client.get(f"/v1/callbacks/{wants['id']}/deliveries").json()["deliveries"]
    assert delivery["type"] == "message.cancelled"
    assert (delivery["message_id"], delivery["reference"]) == (message.id, "REG-1")
    assert (delivery["status"], delivery["tries"], delivery["tried_at"]) == ("pending", 0, None)
    none = client.get(f"/v1/callbacks/{other['id']}/deliveries").json()
    assert none == {"deliveries": []}


def test_what_is_removed_is_gone_with_all_it_was_to_be_told(
    client: TestClient[Litestar], queue: Queue
) -> None:
    callback = made(client)
    message = queue.enqueue("081234567890", "Halo")
    queue.cancel(Filter(ids=(message.id,)))

    assert client.delete(f"/v1/callbacks/{callback['id']}").status_code == 204

    assert client.delete(f"/v1/callbacks/{callback['id']}").status_code == 404
    assert client.get(f"/v1/callbacks/{callback['id']}").status_code == 404
    assert client.get(f"/v1/callbacks/{callback['id']}/deliveries").status_code == 404
    assert [line.happening.action for line in queue.audit()][:1] == ["remove callback"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://app.example",
        "app.example",
        "https://",
        "https://user:pw@app.example/",
        "https://app.example/#x",
        "https://app.example:99999/",
        "https://app.example/ x",
        "https://[::1",
        "http://169.254.169.254/latest/meta-data",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://100.100.100.200/",
    ],
)
def test_an_address_that_is_not_called_is_refused(client: TestClient[Litestar], url: str) -> None:
    answer = client.post("/v1/callbacks", json={"url": url, "events": EVENTS})

    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:waqcore:problem:callback"


@pytest.mark.parametrize("events", [[], ["message.queued"], ["message.sent", "x"], ["message._"]])
def test_events_that_there_are_none_of_are_refused(
    client: TestClient[Litestar], events: list[str]
) -> None:
    assert client.post("/v1/callbacks", json={"url": URL, "events": events}).status_code == 422


def test_applications_on_the_same_machine_may_be_called(client: TestClient[Litestar]) -> None:
    for url in ("http://127.0.0.1:8000/hook", "http://10.0.0.5/", "http://localhost/"):
        made(client, url=url)


def test_there_are_not_more_than_a_message_can_bear(client: TestClient[Litestar]) -> None:
    for _ in range(CALLBACKS_MAX):
        made(client)

    answer = client.post("/v1/callbacks", json={"url": URL, "events": EVENTS})
    assert answer.status_code == 422
    assert "there are 50 callbacks" in answer.json()["detail"]


def test_nobody_asks_for_callbacks_without_a_token(client: TestClient[Litestar]) -> None:
    client.headers.pop("Authorization")

    assert client.get("/v1/callbacks").status_code == 401
    assert client.post("/v1/callbacks", json={"url": URL, "events": EVENTS}).status_code == 401
