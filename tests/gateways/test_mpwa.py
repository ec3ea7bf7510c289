"""MPWA's answers, row by row of GATEWAYS 1a, given by a small server of our own."""

import asyncio
import json
import logging
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple

import pytest

from waqcore.core.outcome import (
    Accepted,
    Healthy,
    NotSent,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.gateways.gateway import Call, Departure, Reply, TooLate
from waqcore.gateways.http import http_client
from waqcore.gateways.mpwa import Mpwa

Serve = Callable[
    [Callable[[StreamReader, StreamWriter], Awaitable[None]]], AbstractAsyncContextManager[str]
]

KEY = "sEcret-key-4711"
SENDER = "628114040707"
CALL = Call(SENDER, "+6281234567890", "Halo, silakan bayar di https://pay.example/REG-1")

CONNECTED = {"status": True, "info": [{"id": 1, "body": SENDER, "status": "Connected"}]}
DISCONNECTED = {"status": True, "info": [{"id": 1, "body": SENDER, "status": "Disconnect"}]}
ABSENT = {"status": True, "msg": {"exists": False}}

BAD_KEY = {"status": False, "msg": "Invali api_key or sender,please check again (2)"}
FAILED = {"status": False, "msg": "Failed to send message!"}
BACKEND_DOWN = {"status": False, "msg": "Failed to send message!, Check your connection!"}

UNEXPLAINED = NotSent("the gateway did not send it, and does not say why")
UNKNOWN_SENDER = SenderDown("the gateway does not know this key or sender")


class Says(NamedTuple):
    """One answer: a status, JSON or raw text, more headers, and how long it took."""

    status: int
    body: object = ""
    headers: str = ""
    took_us: int = 0


OK = Says(200, {"status": True, "msg": "Message sent successfully!"})


class FakeMpwa:
    """Answers each path as told, and keeps what it was asked."""

    def __init__(self, **answers: Says) -> None:
        """A path such as `/send-message` is given as `send_message`; one not given hangs."""
        self.answers = {f"/{name.replace('_', '-')}": says for name, says in answers.items()}
        self.asked: list[tuple[str, object]] = []
        self.now = 0

    async def behave(self, reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            head, _, body = (await reader.readuntil(b"}")).partition(b"\r\n\r\n")
            path = head.split()[1].decode()
            self.asked.append((path, json.loads(body)))
            says = self.answers[path] if path in self.answers else await asyncio.Future()
            self.now += says.took_us
            text = says.body if isinstance(says.body, str) else json.dumps(says.body)
            lines = f"HTTP/1.1 {says.status} X\r\n{says.headers}Content-Length: {len(text)}\r\n\r\n"
            writer.write(f"{lines}{text}".encode())
            await writer.drain()

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


def sent(serve: Serve, server: FakeMpwa, call: Call = CALL) -> Reply:
    async def run() -> Reply:
        async with serve(server.behave) as url:
            gateway = Mpwa(url, KEY, lambda: server.now, client=http_client(), ask_timeout_s=0.2)
            reply = await gateway.send(call, Departure(lambda: server.now, 0))
            await gateway.aclose()
            return reply

    return asyncio.run(run())


def probed(serve: Serve, server: FakeMpwa) -> object:
    async def run() -> object:
        async with serve(server.behave) as url:
            gateway = Mpwa(url, KEY, lambda: 0, client=http_client(), ask_timeout_s=0.2)
            async with asyncio.timeout(2):
                result = await gateway.probe(SENDER)
            await gateway.aclose()
            return result

    return asyncio.run(run())


def test_one_call_posts_one_number_and_asks_for_the_full_result(serve: Serve) -> None:
    server = FakeMpwa(send_message=OK)

    sent(serve, server)

    assert server.asked == [
        (
            "/send-message",
            {
                "api_key": "sEcret-key-4711",
                "sender": "628114040707",
                "number": "6281234567890",
                "message": "Halo, silakan bayar di https://pay.example/REG-1",
                "full": 1,
            },
        )
    ]


def test_a_path_prefix_and_a_final_slash_of_the_address_are_kept_and_dropped(serve: Serve) -> None:
    server = FakeMpwa()
    server.answers["/id/send-message"] = OK

    async def run() -> Reply:
        async with serve(server.behave) as url, http_client() as client:
            gateway = Mpwa(f"{url}/id/", KEY, lambda: 0, client=client)
            return await gateway.send(CALL, Departure(lambda: 0, 0))

    assert asyncio.run(run()).outcome == Accepted(None)


FULL = {
    "status": True,
    "data": {
        "key": {"remoteJid": "6281234567890@s.whatsapp.net", "fromMe": True, "id": "3EB0A1"},
        "message": {"extendedTextMessage": {"text": "Halo"}},
    },
}
ACCOUNT_DOWN = "the gateway's address, key or plan is wrong"

WITHOUT_ASKING = [
    pytest.param(OK, Accepted(None), "Message sent successfully!", id="row 1: no id"),
    pytest.param(Says(200, FULL), Accepted("3EB0A1"), "", id="row 2: full, with an id"),
    pytest.param(
        Says(200, {"status": True, "data": {"key": {"id": 7}}}), Accepted(None), "", id="odd id"
    ),
    pytest.param(Says(201, {"status": True}), Accepted(None), "", id="another 2xx"),
    pytest.param(
        Says(400, BAD_KEY), UNKNOWN_SENDER, BAD_KEY["msg"], id="row 4: unknown key or sender"
    ),
    pytest.param(
        Says(400, {"status": False, "msg": "Invalid api_key or sender,please check again"}),
        UNKNOWN_SENDER,
        "Invalid api_key or sender,please check again",
        id="row 5: another's sender",
    ),
    pytest.param(
        Says(400, {"status": False, "msg": "No permission, please upgrade your plan"}),
        SenderDown("the gateway account has no plan or quota for it", Scope.ACCOUNT),
        "No permission, please upgrade your plan",
        id="row 6: plan",
    ),
    pytest.param(
        Says(400, {"status": False, "msg": "You have no longer enough messages, recharge"}),
        SenderDown("the gateway account has no plan or quota for it", Scope.ACCOUNT),
        "You have no longer enough messages, recharge",
        id="row 6: quota",
    ),
    pytest.param(
        Says(400, {"status": False, "msg": "Invalid parameters!"}),
        Rejected("the gateway calls the parameters invalid"),
        "Invalid parameters!",
        id="row 7",
    ),
    pytest.param(
        Says(400, BACKEND_DOWN, took_us=4_999_999),
        NotSent("the gateway's backend is down"),
        BACKEND_DOWN["msg"],
        id="row 9: at once",
    ),
    pytest.param(
        Says(400, BACKEND_DOWN, took_us=5_000_000),
        Unknown("the gateway failed late"),
        BACKEND_DOWN["msg"],
        id="row 9: late",
    ),
    pytest.param(
        Says(429, {"message": "Too Many Attempts."}, "Retry-After: 41\r\n"),
        Refused("too many requests (429)", 41_000_000, Scope.ACCOUNT),
        "Too Many Attempts.",
        id="row 10: with Retry-After",
    ),
    pytest.param(
        Says(429, "<html>"),
        Refused("too many requests (429)", None, Scope.ACCOUNT),
        "",
        id="row 10: of a proxy",
    ),
    pytest.param(
        Says(502, "<html><title>502 Bad\nGateway</title>nginx"),
        Unknown("the gateway failed (502)"),
        "502 Bad Gateway",
        id="row 11",
    ),
    pytest.param(
        Says(503, {"message": "busy"}, "Retry-After: 3\r\n"),
        Unknown("the gateway failed (503)"),
        "busy",
        id="503 even with Retry-After",
    ),
    pytest.param(Says(408), Unknown("the gateway failed (408)"), "", id="408"),
    pytest.param(Says(413), Rejected("too large for the gateway (413)"), "", id="413"),
    *(
        pytest.param(
            Says(status),
            SenderDown(f"{ACCOUNT_DOWN} ({status})", Scope.ACCOUNT),
            "",
            id=str(status),
        )
        for status in (301, 302, 307, 401, 402, 403, 404, 405, 419)
    ),
    *(
        pytest.param(
            Says(200, body), Unknown("an answer that cannot be read (200)"), "", id=f"200: {name}"
        )
        for name, body in (
            ("HTML", "<html>"),
            ("broken JSON", '{"status":tr'),
            ("nothing", ""),
            ("a list", [True]),
            ("no status", {"data": {}}),
            ("a status that is text", {"status": "true"}),
            ("a status that is a number", {"status": 1}),
            ("brackets without end", "[" * 100_000),
        )
    ),
]


@pytest.mark.parametrize(("says", "outcome", "detail"), WITHOUT_ASKING)
def test_an_answer_that_is_clear_needs_no_question(
    serve: Serve, says: Says, outcome: object, detail: str
) -> None:
    server = FakeMpwa(send_message=says)

    assert sent(serve, server) == (outcome, says.status, detail)
    assert server.paths() == ["/send-message"]


FULL_FAILED = {
    "status": False,
    "message": "destination Number not registered in WhatsApp or your sender not connected",
}

UNCLEAR = [
    pytest.param(Says(200, FULL_FAILED), id="row 3"),
    pytest.param(Says(200, {"status": False, "message": "Check your parameter"}), id="row 3 too"),
    pytest.param(
        Says(200, {"status": False, "message": "upgrade of the socket failed"}),
        id="a word of MPWA's in the backend's mouth",
    ),
    pytest.param(Says(400, FAILED), id="row 8"),
    pytest.param(Says(400, {"status": False, "msg": "Gagal mengirim pesan!"}), id="row 8, in id"),
    pytest.param(Says(400, {"status": False, "msg": "Parameter salah!"}), id="unknown words"),
    pytest.param(Says(400, {"status": False}), id="no words"),
    pytest.param(Says(400, "<html>"), id="400 of a proxy"),
    pytest.param(Says(422, {"message": "The number field is required."}), id="422"),
]


@pytest.mark.parametrize("says", UNCLEAR)
def test_an_unclear_refusal_of_a_connected_sender_asks_about_the_number(
    serve: Serve, says: Says
) -> None:
    server = FakeMpwa(
        send_message=says, info_devices=Says(200, CONNECTED), check_number=Says(200, ABSENT)
    )

    assert sent(serve, server).outcome == Rejected("not on WhatsApp")
    assert server.asked[1:] == [
        ("/info-devices", {"api_key": KEY, "number": "628114040707"}),
        (
            "/check-number",
            {"api_key": KEY, "sender": "628114040707", "number": "6281234567890"},
        ),
    ]


@pytest.mark.parametrize("says", UNCLEAR)
def test_an_unclear_refusal_of_a_disconnected_sender_blames_the_sender_alone(
    serve: Serve, says: Says
) -> None:
    server = FakeMpwa(send_message=says, info_devices=Says(200, DISCONNECTED))

    assert sent(serve, server).outcome == SenderDown("device is Disconnect")
    assert server.paths() == ["/send-message", "/info-devices"]


NUMBER_ANSWERS = [
    pytest.param(Says(200, ABSENT), Rejected("not on WhatsApp"), id="msg: absent"),
    pytest.param(
        Says(200, {"status": True, "data": {"exists": False}}),
        Rejected("not on WhatsApp"),
        id="data: absent",
    ),
    pytest.param(
        Says(200, {"status": True, "msg": {"exists": True, "jid": "62@s.whatsapp.net"}}),
        UNEXPLAINED,
        id="msg: there",
    ),
    pytest.param(
        Says(200, {"status": True, "data": {"exists": True, "jid": "62@s.whatsapp.net"}}),
        UNEXPLAINED,
        id="data: there",
    ),
    pytest.param(Says(200, {"status": True, "data": True}), UNEXPLAINED, id="data: true"),
    pytest.param(Says(200, {"status": True, "msg": ""}), UNEXPLAINED, id="empty msg"),
    pytest.param(Says(200, {"status": True, "msg": []}), UNEXPLAINED, id="msg: empty list"),
    *(
        pytest.param(Says(200, {"status": True, "msg": msg}), UNEXPLAINED, id=f"exists {name}")
        for name, msg in (
            ("as text", {"exists": "false"}),
            ("as a number", {"exists": 0}),
            ("null", {"exists": None}),
            ("missing", {"jid": "62@s.whatsapp.net"}),
        )
    ),
    pytest.param(
        Says(200, {"status": True, "msg": {"exists": False}, "data": {"exists": True}}),
        UNEXPLAINED,
        id="msg and data disagree",
    ),
    pytest.param(
        Says(200, {"status": False, "msg": {"exists": False}}), UNEXPLAINED, id="status false"
    ),
    pytest.param(
        Says(400, {"status": False, "msg": "Failed to check number!,check your connection!"}),
        UNEXPLAINED,
        id="400",
    ),
    pytest.param(Says(429, ABSENT), UNEXPLAINED, id="429"),
    pytest.param(Says(500, "<html>"), UNEXPLAINED, id="500"),
]


@pytest.mark.parametrize(("says", "outcome"), NUMBER_ANSWERS)
def test_only_an_explicit_no_rejects_a_number(serve: Serve, says: Says, outcome: object) -> None:
    server = FakeMpwa(
        send_message=Says(400, FAILED), info_devices=Says(200, CONNECTED), check_number=says
    )

    assert sent(serve, server) == (outcome, 400, "Failed to send message!")


def test_a_question_without_an_answer_leaves_the_refusal_unexplained(serve: Serve) -> None:
    no_devices = FakeMpwa(send_message=Says(400, FAILED))
    no_number = FakeMpwa(send_message=Says(400, FAILED), info_devices=Says(200, CONNECTED))

    assert sent(serve, no_devices).outcome == UNEXPLAINED
    assert sent(serve, no_number).outcome == UNEXPLAINED


def test_without_a_device_known_to_be_connected_no_number_is_rejected(serve: Serve) -> None:
    server = FakeMpwa(
        send_message=Says(400, FAILED), info_devices=Says(404), check_number=Says(200, ABSENT)
    )

    assert sent(serve, server).outcome == UNEXPLAINED
    assert server.paths() == ["/send-message", "/info-devices"]


def test_a_late_refusal_in_unknown_words_may_have_been_sent(serve: Serve) -> None:
    late = Says(400, {"status": False, "msg": "Gagal, periksa koneksi"}, took_us=5_000_000)
    there = Says(200, {"status": True, "msg": {"exists": True}})
    server = FakeMpwa(send_message=late, info_devices=Says(200, CONNECTED), check_number=there)

    assert sent(serve, server).outcome == Unknown("the gateway failed late")


def test_a_late_refusal_of_the_backend_itself_was_not_sent(serve: Serve) -> None:
    """It waits about 5 s for a sender's socket, then says so."""
    late = Says(400, FAILED, took_us=6_000_000)
    there = Says(200, {"status": True, "msg": {"exists": True}})
    server = FakeMpwa(send_message=late, info_devices=Says(200, CONNECTED), check_number=there)

    assert sent(serve, server).outcome == UNEXPLAINED


def test_questions_leave_the_departure_as_the_call_left_it(serve: Serve) -> None:
    server = FakeMpwa(
        send_message=Says(400, FAILED, took_us=7), info_devices=Says(200, DISCONNECTED)
    )
    departure = Departure(lambda: server.now, 0)

    async def run() -> None:
        async with serve(server.behave) as url, http_client() as client:
            await Mpwa(url, KEY, lambda: server.now, client=client).send(CALL, departure)

    asyncio.run(run())

    assert (departure.checked_at, departure.left_at) == (0, 0)


def test_a_call_past_its_call_by_is_not_sent(serve: Serve) -> None:
    server = FakeMpwa(send_message=OK)

    async def run() -> None:
        async with serve(server.behave) as url, http_client() as client:
            await Mpwa(url, KEY, lambda: 1, client=client).send(CALL, Departure(lambda: 1, 0))

    with pytest.raises(TooLate):
        asyncio.run(run())
    assert server.asked == []


def test_a_call_without_an_answer_has_no_status(serve: Serve) -> None:
    async def hang_up(reader: StreamReader, _writer: StreamWriter) -> None:
        await reader.readuntil(b"}")

    async def run() -> Reply:
        async with serve(hang_up) as url, http_client() as client:
            return await Mpwa(url, KEY, lambda: 0, client=client).send(
                CALL, Departure(lambda: 0, 0)
            )

    unknown = Unknown("the connection was closed before the answer")
    assert asyncio.run(run()) == (unknown, None, "")


def test_a_gateway_that_is_not_there_is_unreachable_for_calls_and_probes(serve: Serve) -> None:
    async def run() -> tuple[object, object]:
        async with serve(FakeMpwa().behave) as url:
            pass
        async with http_client() as client:
            gateway = Mpwa(url, KEY, lambda: 0, client=client)
            return (await gateway.send(CALL, Departure(lambda: 0, 0))), await gateway.probe(SENDER)

    refused = Unreachable("connection refused")
    assert asyncio.run(run()) == ((refused, None, ""), refused)


def test_a_call_takes_no_longer_than_its_timeout(serve: Serve) -> None:
    async def run() -> Reply:
        async with serve(FakeMpwa().behave) as url, http_client() as client:
            gateway = Mpwa(url, KEY, lambda: 0, client=client, call_timeout_s=0.1)
            async with asyncio.timeout(5):
                return await gateway.send(CALL, Departure(lambda: 0, 0))

    assert asyncio.run(run()).outcome == Unknown("no answer in time")


TWO_DEVICES = {
    "status": True,
    "info": [
        {"id": 1, "body": "628999", "status": "Disconnect"},
        {"id": 2, "body": SENDER, "status": "Connected"},
    ],
}

PROBES = [
    pytest.param(Says(200, CONNECTED), Healthy(), id="connected"),
    pytest.param(Says(200, DISCONNECTED), SenderDown("device is Disconnect"), id="disconnected"),
    pytest.param(Says(200, TWO_DEVICES), Healthy(), id="another is disconnected"),
    pytest.param(
        Says(200, {"status": True, "info": [TWO_DEVICES["info"][0]]}),  # type: ignore[index]
        SenderDown("the gateway lists no such device"),
        id="only another is listed",
    ),
    pytest.param(
        Says(200, {"status": True, "info": []}),
        SenderDown("the gateway lists no such device"),
        id="none is listed",
    ),
    pytest.param(Says(400, BAD_KEY), UNKNOWN_SENDER, id="bad key"),
    pytest.param(Says(200, {"status": False, "msg": "?"}), UNKNOWN_SENDER, id="200, status false"),
    pytest.param(Says(404, {"status": False, "msg": "?"}), UNKNOWN_SENDER, id="404 of MPWA itself"),
    pytest.param(Says(404, "<html>"), Healthy(), id="no such probe"),
    pytest.param(Says(405, "<html>"), Healthy(), id="no such probe by POST"),
    *(
        pytest.param(
            Says(status), SenderDown(f"{ACCOUNT_DOWN} ({status})", Scope.ACCOUNT), id=str(status)
        )
        for status in (302, 401, 403)
    ),
    *(
        pytest.param(
            Says(status, body), Unreachable(f"the gateway answers no probe ({status})"), id=name
        )
        for name, status, body in (
            ("HTML of a proxy", 502, "<html>"),
            ("500 in JSON", 500, {"status": False}),
            ("a page", 200, "<html>"),
            ("no info", 200, {"status": True}),
            ("info of another form", 200, {"status": True, "info": "Connected"}),
            ("429", 429, {"message": "Too Many Attempts."}),
            ("429 in MPWA's form", 429, {"status": False}),
            ("408 in MPWA's form", 408, {"status": False}),
            ("400 of a proxy", 400, "<html>"),
        )
    ),
]


@pytest.mark.parametrize(("says", "result"), PROBES)
def test_a_probe_asks_for_the_senders_device(serve: Serve, says: Says, result: object) -> None:
    server = FakeMpwa(info_devices=says)

    found = probed(serve, server)

    # Results without fields equal the empty tuple, so the kind is compared as well.
    assert (type(found), found) == (type(result), result)
    assert server.asked == [("/info-devices", {"api_key": KEY, "number": "628114040707"})]


def test_a_probe_without_an_answer_finds_the_gateway_unreachable(serve: Serve) -> None:
    assert probed(serve, FakeMpwa()) == Unreachable("no answer in time")


def test_key_text_and_number_are_in_no_detail_log_or_repr(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"error for {KEY}: {CALL.body} to 6281234567890, +62 812-3456-7890\n at line 12"
    server = FakeMpwa(
        send_message=Says(400, {"status": False, "msg": echo}),
        info_devices=Says(200, {"status": True, "info": [{"body": SENDER, "status": echo}]}),
    )

    reply = sent(serve, server)

    assert reply.outcome == SenderDown("device is not connected")
    assert reply.detail == "error for ***: *** to ***, +*** at line 12"
    seen = f"{reply!r} {caplog.text} {Mpwa('http://x', KEY, int, client=http_client())!r}"
    assert not [secret for secret in (KEY, CALL.body, "6281234567890", "812-34") if secret in seen]


@pytest.mark.parametrize(
    "url",
    ["", "wa.example.com", "ftp://wa.example.com", "http://", "http://x/?a=1", "http://me:pw@x"],
)
def test_an_address_that_cannot_be_one_stops_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the gateway's address must be http\(s\)://"):
        Mpwa(url, KEY, lambda: 0, client=http_client())
