"""Further invoices over HTTP: what applications post, and what they hear when it is refused."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.payments import told
from tests.payments.stage import BEARER, XENDIT_TOKEN, a_client, a_queue, somebody
from waqcore.queue import Queue
from waqcore.registration import register


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with a_queue(tmp_path) as queue:
        register(queue, somebody("REG/1"))
        yield queue


@pytest.fixture
def client(queue: Queue) -> Iterator[TestClient[Litestar]]:
    with a_client(queue, xendit_token=XENDIT_TOKEN) as client:
        client.headers.update(BEARER)
        yield client


def body(**fields: Any) -> dict[str, Any]:
    return {
        "registration_id": "REG/1",
        "invoice": "INV-2",
        "payment_url": "https://bayar.example/INV-2",
        **fields,
    }


def test_it_is_accepted_with_the_registration_as_it_stands(
    client: TestClient[Litestar], queue: Queue
) -> None:
    answer = client.post("/v1/invoices", json=body())
    again = client.post("/v1/invoices", json=body())

    said = answer.json()
    assert (answer.status_code, said["invoice"]) == (202, "INV-2")
    assert [(one["kind"], one["state"]) for one in said["messages"]] == [
        ("payment_link", "cancelled"),
        ("activation", "queued"),
        ("payment_link/2", "queued"),
    ]
    assert again.json()["messages"] == said["messages"]
    assert client.get(answer.headers["location"]).json()["invoice"] == "INV-2"
    assert queue.audit(1)[0].happening.actor.startswith("api:")


def test_after_an_expired_invoice_comes_a_new_one_and_its_payment(
    client: TestClient[Litestar],
) -> None:
    client.post(**told.xendit("REG/1", "EXPIRED", invoice="65"))
    answer = client.post("/v1/invoices", json=body())
    client.post(**told.xendit("INV-2", "PAID", invoice="66"))

    found = client.get("/v1/registrations/REG/1").json()
    assert answer.json()["payment"] == "pending"
    assert found["payment"] == "paid"


def test_of_a_paid_registration_it_is_a_conflict(client: TestClient[Litestar]) -> None:
    client.post(**told.xendit("REG/1", "PAID"))

    answer = client.post("/v1/invoices", json=body())

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:waqcore:problem:conflict"
    assert "is paid" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("wrong", "status", "line"),
    [
        ({"registration_id": "REG-2"}, 404, "no registration 'REG-2'"),
        ({"payment_url": "ftp://a.example"}, 422, "payment_url is not a link"),
        ({"invoice": "REG/1"}, 422, "is known with other content"),
        ({"invoice": ""}, 422, "invoice"),
        ({"name": "Siti"}, 422, "name"),
    ],
)
def test_what_is_wrong_is_named(
    client: TestClient[Litestar], wrong: dict[str, Any], status: int, line: str
) -> None:
    answer = client.post("/v1/invoices", json=body(**wrong))

    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == status
    assert line in answer.text


def test_nobody_adds_one_without_a_token(client: TestClient[Litestar]) -> None:
    client.headers.pop("Authorization")

    assert client.post("/v1/invoices", json=body()).status_code == 401
