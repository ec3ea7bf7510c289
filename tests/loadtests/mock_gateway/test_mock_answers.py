"""What a client hears from a gateway, over real HTTP on the loopback."""

import asyncio
import json
import random
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
import pytest

from loadtests.mock_gateway.application import serving
from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.gateway import Gateway
from loadtests.mock_gateway.throttle import Throttle
from loadtests.mock_gateway.weather import from_json


class Ask(NamedTuple):
    method: str = "POST"
    path: str = "/send-message"
    json: dict[str, object] | None = None
    form: dict[str, str] | None = None


class Heard(NamedTuple):
    status: int
    body: str
    headers: Mapping[str, str]


SEND: dict[str, object] = {"api_key": "K", "sender": "S", "number": "081277", "message": "Halo"}


def _gateway(weather: str = "{}", *, throttle: Throttle | None = None) -> Gateway:
    return Gateway(
        clock=Clock(now_us=lambda: 7_000_000, wall_s=lambda: 1_767_225_600.5),
        chance=random.Random(3),
        weather=from_json(weather.encode()),
        throttle=throttle,
    )


def _ruled(fault: str, **more: object) -> Gateway:
    return _gateway(json.dumps({"rules": [{"fault": fault, **more}]}))


def _hear(gateway: Gateway, *asked: Ask) -> list[Heard]:
    async def scene() -> list[Heard]:
        heard = []
        async with serving(gateway) as url, aiohttp.ClientSession(url) as session:
            for method, path, body, form in asked:
                async with session.request(method, path, json=body, data=form) as answer:
                    heard.append(Heard(answer.status, await answer.text(), answer.headers))
        return heard

    return asyncio.run(scene())


def _sent(gateway: Gateway, **changed: object) -> tuple[int, object]:
    [heard] = _hear(gateway, Ask(json=SEND | changed))
    return heard.status, json.loads(heard.body)


BAD_KEY = {"status": False, "msg": "Invali api_key or sender,please check again (2)"}
NOT_SENT = {"status": False, "msg": "Failed to send message!"}
UNCHECKED = {"status": False, "msg": "Failed to check number!,check your connection!"}
UNREACHED = "destination Number not registered in WhatsApp or your sender not connected"


def test_a_send_is_accepted_without_an_id() -> None:
    assert _sent(_gateway()) == (200, {"status": True, "msg": "Message sent successfully!"})


def test_a_full_send_is_accepted_with_an_id_that_is_never_the_same() -> None:
    gateway = _gateway()
    first, second = (
        json.loads(heard.body)["data"]
        for heard in _hear(gateway, Ask(json=SEND | {"full": 1}), Ask(json=SEND | {"full": "1"}))
    )

    assert first["key"]["remoteJid"] == "6281277@s.whatsapp.net"
    assert first["key"]["fromMe"] is True
    assert first["key"]["id"].startswith("3EB0")
    assert first["key"]["id"] != second["key"]["id"]
    assert first["message"] == {"extendedTextMessage": {"text": "Halo"}}
    assert first["messageTimestamp"] == "1767225600"


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("status_false", 200, {"status": False, "message": "Check your parameter"}),
        ("bad_key", 400, BAD_KEY),
        (
            "foreign_sender",
            400,
            {"status": False, "msg": "Invalid api_key or sender,please check again"},
        ),
        ("invalid", 400, {"status": False, "msg": "Invalid parameters!"}),
        ("failed", 400, NOT_SENT),
        ("not_registered", 400, NOT_SENT),
        ("disconnected", 400, NOT_SENT),
        (
            "backend_down",
            400,
            {"status": False, "msg": "Failed to send message!, Check your connection!"},
        ),
        ("throttled", 429, {"message": "Too Many Attempts."}),
    ],
)
def test_a_fault_has_its_answer_and_delivers_nothing(
    fault: str, status: int, body: dict[str, object]
) -> None:
    gateway = _ruled(fault)

    assert _sent(gateway) == (status, body)
    [call] = gateway.log.calls()
    assert call.deliveries == ()
    assert call.fault == fault


@pytest.mark.parametrize(("fault", "word"), [("no_quota", "enough"), ("no_permission", "upgrade")])
def test_a_plan_or_quota_that_is_used_up_is_a_400(fault: str, word: str) -> None:
    [heard] = _hear(_ruled(fault), Ask(json=SEND))

    assert heard.status == 400
    assert word in json.loads(heard.body)["msg"]


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("not_registered", UNREACHED),
        ("disconnected", UNREACHED),
        ("failed", "Check your whatsapp connection"),
    ],
)
def test_a_full_send_that_fails_is_a_200_with_another_key(fault: str, text: str) -> None:
    assert _sent(_ruled(fault), full=1) == (200, {"status": False, "message": text})


def test_ok_without_id_withholds_the_id_from_a_full_send() -> None:
    status, body = _sent(_ruled("ok_without_id"), full=1)

    assert (status, body) == (200, {"status": True, "msg": "Message sent successfully!"})


def test_a_locale_prefix_works_and_indonesian_is_spoken() -> None:
    gateway = _gateway('{"rules": [{"fault": "failed", "first_call": 2}]}')
    sent, failed = _hear(
        gateway, Ask(path="/id/send-message", json=SEND), Ask(path="/id/send-message", json=SEND)
    )

    assert json.loads(sent.body) == {"status": True, "msg": "Pesan berhasil terkirim!"}
    assert json.loads(failed.body) == {"status": False, "msg": "Gagal mengirim pesan!"}


def test_json_form_and_query_are_the_same_call() -> None:
    gateway = _gateway()
    fields = {name: str(value) for name, value in SEND.items()}

    _hear(
        gateway,
        Ask(json=SEND),
        Ask(form=fields),
        Ask("GET", "/send-message?api_key=K&sender=S&number=081277&message=Halo"),
    )

    seen = [(c.call, c.arrived_us, c.sender, c.recipients, c.text) for c in gateway.log.calls()]
    assert seen == [(n, 7_000_000, "S", ("6281277",), "Halo") for n in (1, 2, 3)]


@pytest.mark.parametrize("changed", [{"number": ""}, {"message": None}, {"message": "  "}])
def test_a_call_without_number_or_message_is_invalid(changed: dict[str, object]) -> None:
    assert _sent(_gateway(), **changed) == (400, {"status": False, "msg": "Invalid parameters!"})


@pytest.mark.parametrize("changed", [{"api_key": "L"}, {"sender": "T"}, {"api_key": ""}])
def test_an_unknown_key_or_sender_is_refused(changed: dict[str, object]) -> None:
    gateway = _gateway('{"senders": ["S"], "api_keys": ["K"]}')

    assert _sent(gateway) == (200, {"status": True, "msg": "Message sent successfully!"})
    assert _sent(gateway, **changed) == (400, BAD_KEY)


def test_a_call_without_a_sender_is_refused_as_unknown() -> None:
    [heard] = _hear(_gateway(), Ask(form={"api_key": "K"}))

    assert (heard.status, json.loads(heard.body)) == (400, BAD_KEY)


def test_several_recipients_hide_a_partial_failure() -> None:
    gateway = _gateway('{"rules": [{"fault": "failed", "recipient": "1"}]}')

    assert _sent(gateway, number="621|622")[0] == 200
    assert [d.recipient for d in gateway.log.calls()[0].deliveries] == ["622"]
    assert _sent(gateway, number="621")[0] == 400


def test_a_fault_of_the_whole_call_strikes_all_its_recipients() -> None:
    gateway = _gateway('{"rules": [{"fault": "error_500", "recipient": "1"}]}')

    [heard] = _hear(gateway, Ask(json=SEND | {"number": "622|621"}))

    assert heard.status == 500
    assert gateway.log.calls()[0].deliveries == ()


CHECK = "api_key=K&sender=S&number=081277"
FOUND = {"jid": "6281277@s.whatsapp.net", "exists": True}


def _checked(gateway: Gateway, method: str) -> tuple[int, object]:
    [heard] = _hear(gateway, Ask(method, f"/check-number?{CHECK}"))
    return heard.status, json.loads(heard.body)


def test_check_number_answers_data_to_a_get_and_msg_to_a_post() -> None:
    assert _checked(_gateway(), "GET") == (200, {"status": True, "data": FOUND})
    assert _checked(_gateway(), "POST") == (200, {"status": True, "msg": FOUND})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_shape_of_check_number_can_be_chosen(method: str) -> None:
    assert _checked(_gateway('{"check_number": "data_true"}'), method)[1] == {
        "status": True,
        "data": True,
    }
    assert _checked(_gateway('{"check_number": "data"}'), method)[1] == {
        "status": True,
        "data": FOUND,
    }


def test_an_unregistered_number_is_said_not_to_exist() -> None:
    gateway = _ruled("not_registered", recipient="77")

    status, body = _checked(gateway, "GET")

    missing = {"jid": "6281277@s.whatsapp.net", "exists": False}
    assert (status, body) == (200, {"status": True, "data": missing})


@pytest.mark.parametrize(
    ("shape", "answer"),
    [
        ("empty", (200, {"status": True, "msg": ""})),
        (
            "failed",
            (400, {"status": False, "msg": "Failed to check number!,check your connection!"}),
        ),
    ],
)
def test_an_unregistered_number_can_surface_unclearly(
    shape: str, answer: tuple[int, object]
) -> None:
    rules = [{"fault": "not_registered"}]

    assert _checked(_gateway(json.dumps({"check_number": shape, "rules": rules})), "POST") == answer


def test_a_disconnected_sender_shows_in_info_devices_and_cannot_check_numbers() -> None:
    gateway = _ruled("disconnected", sender="S")
    down, up, checked = _hear(
        gateway,
        Ask(path="/info-devices", json={"api_key": "K", "number": "S"}),
        Ask("GET", "/info-devices?api_key=K&number=T"),
        Ask("GET", f"/check-number?{CHECK}"),
    )

    device = {"id": 1, "body": "S", "status": "Disconnect", "message_sent": 0}
    assert json.loads(down.body) == {"status": True, "info": [device]}
    assert json.loads(up.body)["info"][0]["status"] == "Connected"
    assert (checked.status, gateway.log.calls()) == (400, [])


def test_probes_need_a_known_key_too() -> None:
    gateway = _gateway('{"api_keys": ["L"]}')
    heard = _hear(
        gateway,
        Ask("GET", f"/check-number?{CHECK}"),
        Ask("GET", "/info-devices?api_key=K&number=S"),
    )

    assert [(one.status, json.loads(one.body)) for one in heard] == [(400, BAD_KEY)] * 2


def test_the_throttle_refuses_the_sixty_first_request_with_its_headers() -> None:
    gateway = _gateway(throttle=Throttle())
    probe = Ask("GET", f"/check-number?{CHECK}")

    *admitted, refused = _hear(gateway, *[probe] * 59, Ask(json=SEND), Ask(json=SEND))

    assert {heard.status for heard in admitted} == {200}
    assert (refused.status, json.loads(refused.body)) == (429, {"message": "Too Many Attempts."})
    assert refused.headers["Retry-After"] == "60"
    assert refused.headers["X-RateLimit-Limit"] == "60"
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert refused.headers["X-RateLimit-Reset"] == "1767225660"
    assert [call.fault for call in gateway.log.calls()] == ["ok", "throttle"]
