"""Payment webhooks over HTTP: who is believed, what is answered, and what must be on disk then."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar
from litestar.testing import TestClient
from xendit.configuration import Configuration
from xendit.invoice.model import InvoiceCallback
from xendit.model_utils import validate_and_convert_types

from tests.payments import told
from tests.payments.stage import (
    PAYMENT_SECRET,
    SERVER_KEY,
    TOMORROW,
    XENDIT_TOKEN,
    a_client,
    a_queue,
    somebody,
    states,
)
from tests.payments.told import NOW, Told
from tests.store.hand import HandClock
from waqcore.payments.midtrans import Notification, notification
from waqcore.queue import Queue
from waqcore.registration import find, register
from waqcore.signature import new_secret
from waqcore.store.errors import UnwritableDatabaseError
from waqcore.web.webhooks import BODY_MAX

Client = TestClient[Litestar]


class Midtrans:
    """Their status call: what they know of each order, and what they were asked."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any] | httpx.Response | Exception] = {}
        self.asked: list[httpx.Request] = []

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        order = request.url.path.split("/")[2]
        known = self.known.get(order, {"status_code": "404", "status_message": "not found"})
        if isinstance(known, Exception):
            raise known
        return known if isinstance(known, httpx.Response) else httpx.Response(200, json=known)


@pytest.fixture
def queue(tmp_path: Path, clock: HandClock) -> Iterator[Queue]:
    with a_queue(tmp_path, clock) as queue:
        yield queue


@pytest.fixture
def midtrans() -> Midtrans:
    return Midtrans()


@pytest.fixture
def client(queue: Queue, midtrans: Midtrans) -> Iterator[Client]:
    with serving(queue, midtrans, PAYMENT_SECRET) as client:
        yield client


def serving(
    queue: Queue, midtrans: Midtrans, payment_secret: str
) -> AbstractContextManager[Client]:
    return a_client(
        queue,
        confirm=midtrans.client,
        xendit_token=XENDIT_TOKEN,
        midtrans_server_key=SERVER_KEY,
        midtrans_url="https://midtrans.test",
        payment_secret=payment_secret,
    )


def effect(client: Client, what: Told) -> str:
    answer = client.post(**what)
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["effect"]
    return said


def payment(queue: Queue, id_: str = "REG-1") -> tuple[str, dict[str, str]]:
    found = find(queue, id_)
    return found.payment, states(found.messages)


# Xendit


def test_what_the_tests_send_is_what_xendit_sends() -> None:
    body = json.loads(told.xendit("REG-1", "PAID")["content"])

    parsed = validate_and_convert_types(
        input_value=body,
        required_types_mixed=(InvoiceCallback,),
        path_to_item=["body"],
        spec_property_naming=True,
        _check_type=True,
        configuration=Configuration(),
    )
    assert isinstance(parsed, InvoiceCallback)
    assert (parsed.id, parsed.external_id, parsed.status) == ("65", "REG-1", "PAID")


def test_a_payment_is_confirmed_at_once_and_no_longer_asked_for(
    client: Client, queue: Queue
) -> None:
    register(queue, somebody(expires_at=TOMORROW, remind_before_hours=[3]))

    assert effect(client, told.xendit("REG-1", "PAID")) == "paid"

    assert payment(queue) == (
        "paid",
        {
            "payment_link": "cancelled",
            "activation": "queued",
            "payment_reminder:3": "cancelled",
            "payment_confirmed": "queued",
        },
    )
    confirmed = find(queue, "REG-1").messages["payment_confirmed"]
    assert (confirmed.priority, confirmed.reference) == ("high", "REG-1")
    assert confirmed.eta is not None
    assert confirmed.eta.ahead == 0


def test_an_end_is_told_and_its_link_no_longer_sent(client: Client, queue: Queue) -> None:
    register(queue, somebody(expires_at=TOMORROW, remind_before_hours=[3]))

    assert effect(client, told.xendit("REG-1", "EXPIRED")) == "failed"

    found = find(queue, "REG-1")
    assert (found.payment, found.payment_reason) == ("failed", "EXPIRED")
    assert states(found.messages) == {
        "payment_link": "cancelled",
        "activation": "queued",
        "payment_reminder:3": "cancelled",
        "payment_failed": "queued",
    }
    assert found.messages["payment_link"].reason == "payment failed: EXPIRED"


@pytest.mark.parametrize("token", ["", "xendit-callback-tokem", XENDIT_TOKEN + "x", "é"])
def test_a_wrong_token_is_refused_whatever_the_body_is(
    client: Client, queue: Queue, token: str
) -> None:
    register(queue, somebody())
    right = told.xendit("REG-1", "PAID")
    headers = {b"x-callback-token": token.encode()}

    assert client.post(right["url"], content=right["content"], headers=headers).status_code == 401
    assert client.post(right["url"], content=b"{", headers=headers).status_code == 401
    assert client.post(right["url"], content=right["content"]).status_code == 401
    assert payment(queue)[0] == "pending"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"id": 1, "external_id": "REG-1", "status": "PAID"}',
        b'{"id": "1", "external_id": "REG-1"}',
        b'{"id": "", "external_id": "REG-1", "status": "PAID"}',
        b'{"id": "1", "external_id": "REG-1\\u0000", "status": "PAID"}',
        b'{"id": "1", "external_id": "\\ud800", "status": "PAID"}',
        b'{"id": "1", "external_id": "\xff", "status": "PAID"}',
        b'{"x": ' + b"[" * 30_000,
    ],
)
def test_what_is_malformed_is_refused_and_breaks_nothing(client: Client, body: bytes) -> None:
    right = told.xendit("REG-1", "PAID")
    answers = [client.post(right["url"], content=body, headers=right["headers"])]
    answers.append(client.post("/webhooks/midtrans", content=body))
    signed = told.standard("payment.succeeded")["headers"]
    answers.append(client.post("/webhooks/payment", content=body, headers=signed))

    assert [answer.status_code for answer in answers] == [400, 400, 401]


def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    huge = told.xendit("REG-1", "PAID", description="x" * BODY_MAX)

    assert client.post(**huge).status_code == 413


def test_an_event_is_taken_once(client: Client, queue: Queue) -> None:
    register(queue, somebody())

    assert effect(client, told.xendit("REG-1", "PAID")) == "paid"
    assert effect(client, told.xendit("REG-1", "PAID")) == "repeated"
    assert effect(client, told.xendit("REG-1", "SETTLED")) == "ignored"
    assert len(queue.messages()) == 3


def test_who_has_paid_stays_paid_whatever_comes_late(client: Client, queue: Queue) -> None:
    register(queue, somebody())
    effect(client, told.xendit("REG-1", "PAID", invoice="new"))

    assert effect(client, told.xendit("REG-1", "EXPIRED", invoice="new")) == "ignored"
    assert effect(client, told.xendit("REG-1", "EXPIRED", invoice="old")) == "ignored"
    assert payment(queue)[0] == "paid"
    assert "payment_failed" not in payment(queue)[1]


def test_paying_after_all_wins_and_takes_the_bad_news_back(client: Client, queue: Queue) -> None:
    register(queue, somebody())
    effect(client, told.xendit("REG-1", "EXPIRED", invoice="old"))

    assert effect(client, told.xendit("REG-1", "PAID", invoice="new")) == "paid"

    assert payment(queue) == (
        "paid",
        {
            "payment_link": "cancelled",
            "activation": "queued",
            "payment_failed": "cancelled",
            "payment_confirmed": "queued",
        },
    )


def test_the_end_of_another_invoice_than_the_one_that_was_sent_is_no_news(
    client: Client, queue: Queue
) -> None:
    register(queue, somebody(invoice="new"))

    assert effect(client, told.xendit("REG-1", "EXPIRED", invoice="old")) == "other invoice"
    assert payment(queue)[0] == "pending"
    assert effect(client, told.xendit("REG-1", "EXPIRED", invoice="new")) == "failed"


def test_a_payment_is_known_by_its_invoice_too(client: Client, queue: Queue) -> None:
    register(queue, somebody(invoice="INV-1"))

    assert effect(client, told.xendit("INV-1", "PAID")) == "paid"


def test_a_status_nobody_knows_yet_is_taken_and_changes_nothing(
    client: Client, queue: Queue
) -> None:
    register(queue, somebody())

    assert effect(client, told.xendit("REG-1", "PENDING")) == "ignored"
    assert effect(client, told.xendit("REG-1", "ENLIGHTENED")) == "ignored"
    assert payment(queue)[0] == "pending"


def test_an_event_may_come_before_its_registration(client: Client, queue: Queue) -> None:
    assert effect(client, told.xendit("REG-1", "PAID")) == "unknown"

    registered = register(queue, somebody())

    assert registered.payment == "paid"
    assert registered.repeated is False
    assert states(registered.messages) == {
        "payment_link": "cancelled",
        "activation": "queued",
        "payment_confirmed": "queued",
    }
    assert effect(client, told.xendit("REG-1", "PAID")) == "repeated"


def test_who_has_opted_out_since_has_paid_all_the_same(client: Client, queue: Queue) -> None:
    register(queue, somebody())
    queue.suppress("081234567890", reason="asked")

    assert effect(client, told.xendit("REG-1", "PAID")) == "paid"
    assert payment(queue) == ("paid", {"payment_link": "cancelled", "activation": "cancelled"})


def test_a_key_that_somebody_used_does_not_keep_a_payment_out(client: Client, queue: Queue) -> None:
    register(queue, somebody())
    queue.enqueue("081234567891", "Halo", idempotency_key="REG-1:payment_confirmed")

    assert effect(client, told.xendit("REG-1", "PAID")) == "paid"


def test_while_nothing_can_be_stored_they_are_asked_to_come_again(
    client: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(queue, somebody())

    def full(_work: object) -> None:
        raise UnwritableDatabaseError("the disk of /secret/place is full")

    with monkeypatch.context() as broken:
        broken.setattr(queue.store, "write", full)
        answer = client.post(**told.xendit("REG-1", "PAID"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "/secret/place" not in answer.text
    assert effect(client, told.xendit("REG-1", "PAID")) == "paid"


# Midtrans


def test_the_vector_of_its_signature() -> None:
    body = {
        "order_id": "ORDER-1",
        "status_code": "200",
        "gross_amount": "150000.00",
        "transaction_status": "settlement",
        "signature_key": "e4b86e23ae878595482d5b7880e9f1d18bc1d6e219e12d7bbcf0e1bb0502aa1d"
        "1e6fce3b83ab73cbe80bae5857075a52c238ab2a25d8c63bc1a92fca0a689604",
    }

    assert notification("SK", json.dumps(body).encode()).order_id == "ORDER-1"


@pytest.mark.parametrize(
    "change",
    [
        {"signature_key": "0" * 128},
        {"signature_key": ""},
        {"signature_key": "é"},
        {"gross_amount": "150000.0"},
        {"gross_amount": "1.00"},
        {"order_id": "REG-2"},
        {"status_code": "201"},
    ],
)
def test_a_notification_that_was_not_signed_so_is_refused(
    client: Client, queue: Queue, midtrans: Midtrans, change: Mapping[str, str]
) -> None:
    register(queue, somebody())
    body = {**told.midtrans_body("REG-1", "settlement"), **change}

    assert client.post("/webhooks/midtrans", json=body).status_code == 401
    assert payment(queue)[0] == "pending"
    assert midtrans.asked == []


def test_a_sum_that_is_a_number_is_malformed(client: Client) -> None:
    body = {**told.midtrans_body("REG-1", "settlement"), "gross_amount": 150000.0}

    assert client.post("/webhooks/midtrans", json=body).status_code == 400


def test_a_success_counts_once_their_own_api_says_so(
    client: Client, queue: Queue, midtrans: Midtrans
) -> None:
    register(queue, somebody())
    midtrans.known["REG-1"] = told.midtrans_body("REG-1", "settlement")

    assert effect(client, told.midtrans("REG-1", "settlement")) == "paid"
    assert effect(client, told.midtrans("REG-1", "settlement")) == "repeated"

    (asked,) = midtrans.asked
    assert str(asked.url) == "https://midtrans.test/v2/REG-1/status"
    basic = httpx.BasicAuth(SERVER_KEY, "")
    assert (
        asked.headers["authorization"]
        == next(basic.auth_flow(httpx.Request("GET", asked.url))).headers["authorization"]
    )


@pytest.mark.parametrize(
    "known",
    [
        None,
        told.midtrans_body("REG-1", "pending", code="201"),
        told.midtrans_body("REG-2", "settlement"),
        told.midtrans_body("REG-1", "capture", code="201", fraud="challenge"),
        httpx.Response(500, text="oops"),
        httpx.Response(401, json={"status_code": "401"}),
        httpx.ConnectError("down"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_a_success_they_do_not_confirm_is_asked_for_again(
    client: Client, queue: Queue, midtrans: Midtrans, known: Any
) -> None:
    register(queue, somebody())
    if known is not None:
        midtrans.known["REG-1"] = known

    answer = client.post(**told.midtrans("REG-1", "settlement"))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert payment(queue)[0] == "pending"
    midtrans.known["REG-1"] = told.midtrans_body("REG-1", "settlement")
    assert effect(client, told.midtrans("REG-1", "settlement")) == "paid"


def test_a_success_that_was_made_of_a_failure_is_one(
    client: Client, queue: Queue, midtrans: Midtrans
) -> None:
    register(queue, somebody())
    midtrans.known["REG-1"] = told.midtrans_body("REG-1", "expire", code="407")

    assert effect(client, told.midtrans("REG-1", "settlement")) == "failed"
    assert payment(queue)[0] == "failed"


@pytest.mark.parametrize(
    ("status", "fraud", "code", "verdict"),
    [
        ("settlement", None, "200", "paid"),
        ("settlement", "accept", "200", "paid"),
        ("capture", "accept", "200", "paid"),
        ("capture", "challenge", "201", "open"),
        ("capture", "challenge", "200", "open"),
        ("capture", "accept", "201", "open"),
        ("capture", "deny", "200", "failed"),
        ("pending", None, "201", "open"),
        ("deny", None, "202", "failed"),
        ("deny", "deny", "202", "failed"),
        ("cancel", None, "200", "failed"),
        ("expire", None, "407", "failed"),
        ("failure", None, "202", "failed"),
        ("authorize", None, "200", "open"),
        ("refund", None, "200", "open"),
        ("partial_refund", None, "200", "open"),
    ],
)
def test_what_each_status_says(status: str, fraud: str | None, code: str, verdict: str) -> None:
    said = Notification(
        order_id="1",
        status_code=code,
        gross_amount="1.00",
        transaction_status=status,
        fraud_status=fraud,
    )

    assert said.verdict() == verdict


def test_an_end_needs_no_confirmation_and_a_settlement_after_it_wins(
    client: Client, queue: Queue, midtrans: Midtrans
) -> None:
    register(queue, somebody())

    assert effect(client, told.midtrans("REG-1", "deny", code="202")) == "failed"
    midtrans.known["REG-1"] = told.midtrans_body("REG-1", "settlement")
    assert effect(client, told.midtrans("REG-1", "settlement")) == "paid"
    assert effect(client, told.midtrans("REG-1", "expire", code="407")) == "ignored"


# Standard Webhooks


def test_an_event_signed_by_the_official_library_is_believed(client: Client, queue: Queue) -> None:
    register(queue, somebody("REG-1"))
    register(queue, somebody("REG-2", invoice="INV-2"))

    first = told.standard("payment.succeeded", registration_id="REG-1")
    second = told.standard("payment.expired", id_="msg_2", invoice="INV-2")
    assert effect(client, first) == "paid"
    assert effect(client, first) == "repeated"
    assert effect(client, second) == "failed"


@pytest.mark.parametrize("type_", ["payment.pending", "invoice.created"])
def test_what_is_no_verdict_is_taken_and_forgotten(client: Client, type_: str) -> None:
    assert effect(client, told.standard(type_)) == "ignored"


def test_a_verdict_on_nothing_is_malformed(client: Client) -> None:
    assert client.post(**told.standard("payment.succeeded")).status_code == 400


def test_an_event_of_another_time_or_secret_is_refused(client: Client, queue: Queue) -> None:
    register(queue, somebody())
    given: dict[str, Any] = {"type_": "payment.succeeded", "registration_id": "REG-1"}

    old = client.post(**told.standard(**given, at=NOW - timedelta(seconds=301)))
    early = client.post(**told.standard(**given, at=NOW + timedelta(seconds=301)))
    forged = client.post(**told.standard(**given, secret=new_secret()))
    changed = told.standard(**given)
    changed["content"] = changed["content"].replace("REG-1", "REG-2")

    assert [one.status_code for one in (old, early, forged)] == [401, 401, 401]
    assert client.post(**changed).status_code == 401
    assert payment(queue)[0] == "pending"


def test_two_secrets_hold_while_one_replaces_the_other(queue: Queue, midtrans: Midtrans) -> None:
    register(queue, somebody())
    with serving(queue, midtrans, f"{new_secret()},{PAYMENT_SECRET}") as client:
        assert effect(client, told.standard("payment.failed", registration_id="REG-1")) == "failed"


# All of them


@pytest.mark.parametrize("path", ["xendit", "midtrans", "payment"])
def test_without_a_secret_nobody_is_let_in(
    queue: Queue, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    register(queue, somebody())
    empty = {
        "xendit": told.xendit("REG-1", "PAID", token=""),
        "midtrans": told.midtrans("REG-1", "settlement", key=""),
        "payment": told.standard("payment.succeeded", registration_id="REG-1"),
    }[path]
    with a_client(queue) as client, caplog.at_level(logging.WARNING, "waqcore.web"):
        answer = client.post(**empty)

    assert answer.status_code == 404
    assert "nothing could be checked with" in caplog.text
    assert payment(queue)[0] == "pending"


def test_a_webhook_needs_no_token_of_the_api(queue: Queue) -> None:
    register(queue, somebody())
    with a_client(queue, xendit_token=XENDIT_TOKEN) as client:
        assert effect(client, told.xendit("REG-1", "PAID")) == "paid"


def test_no_log_tells_a_secret_a_number_or_a_text(
    client: Client, queue: Queue, midtrans: Midtrans, caplog: pytest.LogCaptureFixture
) -> None:
    register(queue, somebody())
    with caplog.at_level(logging.DEBUG, "waqcore"):
        client.post(**told.xendit("REG-1", "PAID", token="a-wrong-token"))
        client.post(**told.midtrans("REG-1", "settlement"))
        client.post(**told.standard("payment.succeeded", secret=new_secret()))
        client.post(**told.xendit("REG-1", "PAID"))

    lines = "\n".join(str(vars(record)) for record in caplog.records)
    assert "payment event" in lines
    for secret in (XENDIT_TOKEN, "a-wrong-token", SERVER_KEY, PAYMENT_SECRET, "81234567890"):
        assert secret not in lines
    assert "Halo" not in lines
