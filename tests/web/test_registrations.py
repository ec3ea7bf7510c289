"""Registrations over HTTP: what applications post, and what they hear when it cannot be taken."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.payments.stage import BEARER, TOKEN, TOMORROW, a_client, a_queue, a_setting
from waqcore.queue import Queue
from waqcore.settings import SettingsError
from waqcore.web.registrations import templates_of


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with a_queue(tmp_path) as queue:
        yield queue


@pytest.fixture
def client(queue: Queue) -> Iterator[TestClient[Litestar]]:
    with a_client(queue) as client:
        client.headers.update(BEARER)
        yield client


def body(**fields: Any) -> dict[str, Any]:
    return {
        "registration_id": "REG-1",
        "name": "Budi",
        "phone": "081234567890",
        "payment_url": "https://bayar.example/REG-1",
        **fields,
    }


def test_a_registration_is_accepted_with_its_messages_and_their_etas(
    client: TestClient[Litestar], queue: Queue
) -> None:
    answer = client.post("/v1/registrations", json=body(expires_at=TOMORROW.isoformat()))

    said = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == "/v1/registrations/REG-1"
    assert said["registration_id"] == "REG-1"
    assert [(one["kind"], one["priority"], one["position"]) for one in said["messages"]] == [
        ("payment_link", "high", 1),
        ("activation", "normal", 2),
    ]
    assert all(one["eta"]["at"] for one in said["messages"])
    assert [one["id"] for one in said["messages"]] == [one.id for one in queue.messages()][::-1]


def test_the_same_again_gives_the_same_and_other_content_a_problem(
    client: TestClient[Litestar],
) -> None:
    first = client.post("/v1/registrations", json=body())
    again = client.post("/v1/registrations", json=body())
    other = client.post("/v1/registrations", json=body(name="Siti"))

    assert again.status_code == 202
    assert _ids(again.json()) == _ids(first.json())
    assert other.status_code == 422
    assert other.headers["content-type"].startswith("application/problem+json")
    assert other.json()["type"] == "urn:waqcore:problem:registration"
    assert "'REG-1' is known with other content" in other.json()["detail"]


def _ids(said: dict[str, Any]) -> list[str]:
    return [one["id"] for one in said["messages"]]


def test_it_can_be_looked_at(client: TestClient[Litestar]) -> None:
    posted = client.post("/v1/registrations", json=body(invoice="INV-1")).json()

    found = client.get("/v1/registrations/REG-1")

    assert found.status_code == 200
    assert found.json()["payment"] == "pending"
    assert found.json()["invoice"] == "INV-1"
    assert _ids(found.json()) == _ids(posted)
    assert client.get("/v1/registrations/REG-2").status_code == 404


@pytest.mark.parametrize("id_", ["INV/2026/01", "REG 1", "Ā?#%", "a.b"])
def test_an_id_of_any_kind_leads_back(client: TestClient[Litestar], id_: str) -> None:
    posted = client.post("/v1/registrations", json=body(registration_id=id_))

    assert client.get(posted.headers["location"]).json()["registration_id"] == id_


@pytest.mark.parametrize(
    ("wrong", "status", "line"),
    [
        ({"phone": "0812"}, 422, "is not a valid Indonesian number"),
        ({"payment_url": "ftp://a.example"}, 422, "payment_url is not a link"),
        ({"language": "jv"}, 422, "jv"),
        ({"name": ""}, 422, "name"),
        ({"unknown": 1}, 422, "unknown"),
        ({"expires_at": "2026-05-01T10:00:00"}, 422, "expires_at"),
        ({"fields": {"seat": ["A1"]}}, 422, "fields"),
        ({"amount": {"idr": 1}}, 422, "amount"),
    ],
)
def test_what_is_wrong_is_named(
    client: TestClient[Litestar], queue: Queue, wrong: dict[str, Any], status: int, line: str
) -> None:
    answer = client.post("/v1/registrations", json=body(**wrong))

    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert line in answer.text
    assert queue.messages() == []


def test_a_wrong_number_is_told_of_the_field_it_was_in(client: TestClient[Litestar]) -> None:
    answer = client.post("/v1/registrations", json=body(phone="0812"))

    assert [one["field"] for one in answer.json()["errors"]] == ["phone"]


def test_nobody_registers_or_looks_without_a_token(client: TestClient[Litestar]) -> None:
    client.headers.pop("Authorization")

    assert client.post("/v1/registrations", json=body()).status_code == 401
    assert client.get("/v1/registrations/REG-1").status_code == 401


def test_a_field_of_ones_own_reaches_ones_own_text(tmp_path: Path, queue: Queue) -> None:
    (tmp_path / "id").mkdir()
    (tmp_path / "id" / "activation.txt").write_text("Kursi {{ seat }}")

    with a_client(queue, templates=str(tmp_path)) as client:
        answer = client.post("/v1/registrations", json=body(fields={"seat": "A1"}), headers=BEARER)
        without = client.post(
            "/v1/registrations", json=body(registration_id="REG-2"), headers=BEARER
        )

    assert answer.status_code == 202
    assert queue.messages()[0].body == "Kursi A1"
    assert without.status_code == 422
    assert "id/activation.txt wants what was not given: 'seat' is undefined" in without.text


def test_templates_that_cannot_serve_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "id").mkdir()
    (tmp_path / "id" / "activation.txt").write_text("{{ seat")

    with pytest.raises(SettingsError, match=r"activation\.txt, line 1"):
        templates_of(a_setting(tmp_path, api_token=TOKEN, templates=str(tmp_path)))
