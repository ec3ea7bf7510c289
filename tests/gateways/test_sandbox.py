"""The gateway without a network keeps a gateway's promises."""

import asyncio

import pytest

from waqcore.core.outcome import (
    Accepted,
    Healthy,
    NotSent,
    ProbeResult,
    Refused,
    SenderDown,
    Unreachable,
)
from waqcore.gateways.gateway import Call, Departure, Reply, TooLate
from waqcore.gateways.sandbox import Received, Sandbox

CALL = Call("628111", "+628123", "Halo")


def a_departure(at: int = 5, call_by: int = 9) -> Departure:
    return Departure(lambda: at, call_by)


def sent(sandbox: Sandbox, *departures: Departure) -> list[Reply]:
    async def run() -> list[Reply]:
        return [await sandbox.send(CALL, departure) for departure in departures]

    return asyncio.run(run())


def test_everything_is_accepted_by_default() -> None:
    sandbox = Sandbox()

    replies = sent(sandbox, a_departure(), a_departure())

    assert replies == [Reply(Accepted("sandbox-1")), Reply(Accepted("sandbox-2"))]


def test_what_arrived_is_kept_with_the_instant_it_left() -> None:
    sandbox = Sandbox()

    sent(sandbox, a_departure(at=5), a_departure(at=7))

    assert sandbox.calls == [
        Received("628111", "+628123", "Halo", 5),
        Received("628111", "+628123", "Halo", 7),
    ]


def test_a_sequence_is_followed_once() -> None:
    sandbox = Sandbox([NotSent("down"), Refused("busy")])

    replies = sent(sandbox, a_departure(), a_departure(), a_departure())

    assert [reply.outcome for reply in replies] == [
        NotSent("down"),
        Refused("busy"),
        Accepted("sandbox-3"),
    ]


def test_a_function_sees_the_call_and_its_number() -> None:
    sandbox = Sandbox(lambda call, n: Accepted(f"{call.body} {n}"))

    replies = sent(sandbox, a_departure(), a_departure())

    assert [reply.outcome for reply in replies] == [Accepted("Halo 1"), Accepted("Halo 2")]


def test_a_call_too_late_is_not_received_and_not_counted() -> None:
    sandbox = Sandbox([NotSent("down")])

    with pytest.raises(TooLate):
        sent(sandbox, a_departure(at=10, call_by=9))

    assert sandbox.calls == []
    assert sent(sandbox, a_departure()) == [Reply(NotSent("down"))]


def test_an_unreachable_gateway_receives_nothing_and_no_call_leaves() -> None:
    sandbox = Sandbox([Unreachable("connection refused")])
    departure = a_departure()

    sent(sandbox, departure)

    assert sandbox.calls == []
    assert (departure.checked_at, departure.left_at) == (None, None)


def test_the_answer_comes_a_latency_after_leaving() -> None:
    events: list[object] = []

    async def sleep(seconds: float) -> None:
        events.append(seconds)

    def steady() -> int:
        events.append("clock")
        return 0

    sent(Sandbox(sleep=sleep, latency_us=250_000), Departure(steady, 0))

    assert events == ["clock", "clock", 0.25]


def test_only_the_newest_calls_are_kept() -> None:
    sandbox = Sandbox(kept_calls=1)

    sent(sandbox, a_departure(at=5), a_departure(at=7))

    assert [call.left_at for call in sandbox.calls] == [7]


def test_probes_follow_their_own_script() -> None:
    def script(sender: str, n: int) -> ProbeResult:
        return SenderDown(sender) if n == 1 else Healthy()

    async def run(sandbox: Sandbox) -> list[ProbeResult]:
        return [await sandbox.probe("628111"), await sandbox.probe("628111")]

    assert asyncio.run(run(Sandbox(probe_script=script))) == [SenderDown("628111"), Healthy()]
    assert asyncio.run(run(Sandbox())) == [Healthy(), Healthy()]
