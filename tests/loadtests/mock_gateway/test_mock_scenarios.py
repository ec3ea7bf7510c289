"""The scenarios that MPWA itself does not have: GATEWAYS 8.7 asks for them all."""

import json
import random

import pytest

from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.fields import Send
from loadtests.mock_gateway.gateway import Gateway, Reply
from loadtests.mock_gateway.weather import from_json

EVERY_SCENARIO = (
    "ok",
    "ok_without_id",
    "ok_then_failed_receipt",
    "status_false",
    "not_registered",
    "unauthorized",
    "not_working",
    "throttled",
    "cold",
    "error_500_but_delivered",
    "hang",
    "reset_after_write",
    "slow",
    "html_502",
    "duplicate_receipts",
    "receipts_out_of_order",
    "disconnected",
)
"""The list of GATEWAYS 8.7, in its order."""

WITH_SECONDS = ("slow", "disconnected")
RECEIPTS_URL = "http://127.0.0.1:9/receipts"


def _gateway(*rules: dict[str, object], receipts_url: str | None = None) -> Gateway:
    weather = {"rules": rules, "receipts_url": receipts_url}
    return Gateway(
        clock=Clock(now_us=lambda: 0, wall_s=lambda: 1.0),
        chance=random.Random(1),
        weather=from_json(json.dumps(weather).encode()),
    )


def _send(gateway: Gateway, *, sender: str = "S", number: str = "62811") -> Reply:
    send = Send(api_key="K", sender=sender, number=number, message="Halo")
    return gateway.receive(send, client="", arrived_us=0)


@pytest.mark.parametrize("fault", EVERY_SCENARIO)
def test_every_scenario_can_be_had_by_sender_and_by_time(fault: str) -> None:
    rule: dict[str, object] = {"fault": fault, "sender": "S", "from_s": 0, "to_s": 5}
    gateway = _gateway(rule | ({"seconds": 1} if fault in WITH_SECONDS else {}))

    _send(gateway)
    _send(gateway, sender="T")

    assert [call.fault for call in gateway.log.calls()] == [fault, "ok"]


def test_an_unauthorized_call_is_a_401() -> None:
    reply = _send(_gateway({"fault": "unauthorized"}))

    assert reply.answer.status == 401


def test_a_session_that_does_not_work_is_a_422_and_not_connected() -> None:
    gateway = _gateway({"fault": "not_working"})

    assert _send(gateway).answer.status == 422
    assert not gateway.is_connected("S")


def test_a_cold_rule_strikes_only_who_was_never_reached() -> None:
    gateway = _gateway()
    _send(gateway, number="6281")
    gateway.set_weather(from_json(b'{"rules": [{"fault": "cold"}]}'))

    statuses = [
        _send(gateway, number="6281").answer.status,
        _send(gateway, number="6282").answer.status,
        _send(gateway, number="6281", sender="T").answer.status,
    ]

    assert statuses == [200, 400, 400]


def test_a_message_whose_receipt_fails_is_accepted_and_never_delivered() -> None:
    gateway = _gateway({"fault": "ok_then_failed_receipt"}, receipts_url=RECEIPTS_URL)

    reply = _send(gateway)

    assert reply.answer.status == 200
    assert not gateway.log.calls()[0].deliveries
    assert [receipt.ack for receipt in reply.receipts] == [1, -1]


@pytest.mark.parametrize(
    ("fault", "acks"),
    [
        ("ok", [1, 2, 3]),
        ("duplicate_receipts", [1, 1, 2, 2, 3, 3]),
        ("receipts_out_of_order", [3, 1, 2]),
        ("failed", []),
    ],
)
def test_receipts_follow_a_call_as_its_rule_says(fault: str, acks: list[int]) -> None:
    reply = _send(_gateway({"fault": fault}, receipts_url=RECEIPTS_URL))

    assert [receipt.ack for receipt in reply.receipts] == acks


def test_without_a_url_there_are_no_receipts() -> None:
    assert _send(_gateway({"fault": "duplicate_receipts"})).receipts == ()


def test_an_id_is_the_same_in_the_answer_and_in_its_receipts() -> None:
    gateway = _gateway(receipts_url=RECEIPTS_URL)
    send = Send(api_key="K", sender="S", number="62811", message="Halo", full=True)

    reply = gateway.receive(send, client="", arrived_us=0)

    answered = json.loads(reply.answer.body)["data"]["key"]["id"]
    assert {receipt.message_id for receipt in reply.receipts} == {answered}


def test_totals_are_kept_by_sender() -> None:
    gateway = _gateway({"fault": "failed", "recipient": "77"})
    _send(gateway)
    _send(gateway, number="6277")
    _send(gateway, sender="T")

    shown = gateway.counts.shown(gateway.banned)

    assert (shown["calls"], shown["delivered"]) == (3, 2)
    assert shown["senders"] == {
        "S": {
            "calls": 2,
            "delivered": 1,
            "first_arrived_at": 1_000_000,
            "last_arrived_at": 1_000_000,
        },
        "T": {
            "calls": 1,
            "delivered": 1,
            "first_arrived_at": 1_000_000,
            "last_arrived_at": 1_000_000,
        },
    }
