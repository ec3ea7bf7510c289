import random

from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.fields import Send
from loadtests.mock_gateway.gateway import Gateway

PACE_US = 10_000_000


def _gateway(pace_us: int | None) -> Gateway:
    return Gateway(clock=Clock(now_us=lambda: 0), chance=random.Random(1), pace_us=pace_us)


def _send(gateway: Gateway, at_us: int, sender: str = "S") -> str:
    send = Send(api_key="K", sender=sender, number="62811", message="Halo")
    gateway.receive(send, client="", arrived_us=at_us)
    return gateway.log.calls()[-1].fault


def test_a_sender_that_holds_the_pace_is_not_banned() -> None:
    gateway = _gateway(PACE_US)

    assert [_send(gateway, at) for at in (0, PACE_US, 2 * PACE_US)] == ["ok"] * 3
    assert gateway.banned == ()


def test_a_call_closer_than_the_pace_bans_its_sender_for_good() -> None:
    gateway = _gateway(PACE_US)

    faults = [_send(gateway, at) for at in (0, PACE_US - 1, 5 * PACE_US)]

    assert faults == ["ok", "banned", "banned"]
    assert gateway.banned == ("S",)
    assert not gateway.is_connected("S")
    assert _send(gateway, 5 * PACE_US, sender="T") == "ok"


def test_a_gateway_without_a_pace_bans_nobody() -> None:
    gateway = _gateway(None)

    assert [_send(gateway, at) for at in (0, 1, 2)] == ["ok"] * 3


def test_clearing_the_log_lifts_the_bans() -> None:
    gateway = _gateway(PACE_US)
    _send(gateway, 0)
    _send(gateway, 1)

    gateway.forget()

    assert _send(gateway, 2) == "ok"
    assert gateway.banned == ()
