import numpy as np
import pytest

from simulations.latency import Constant, Lognormal, Uniform
from simulations.weather import (
    DRAWN_MAX,
    UNREACHABLE_US,
    Climate,
    Disconnect,
    Failures,
    Outage,
    Throttle,
    Weather,
)
from waqcore.core.instants import SECOND
from waqcore.core.outcome import (
    Accepted,
    Healthy,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
    word,
)


def weather(climate: Climate, messages: int = 1_000, seed: int = 1) -> Weather:
    return Weather(
        climate,
        messages,
        latency_rng=np.random.default_rng(seed),
        outcomes_rng=np.random.default_rng(seed + 1),
    )


def test_a_calm_gateway_takes_everything_in_its_time() -> None:
    gateway = weather(Climate(latency=Constant(us=300_000)))

    assert gateway.call(7, 1, 0, 0) == (Accepted(), 300_000)
    assert gateway.call(7, 2, 0, 0) == (Accepted(), 300_000)
    assert gateway.probe(0, 0) == (Healthy(), 300_000)
    assert type(gateway.call(7, 1, 0, 0)[1]) is int


def test_a_lognormal_latency_has_its_median_and_its_p99() -> None:
    gateway = weather(
        Climate(latency=Lognormal(median_us=400_000, p99_us=4_000_000)), messages=40_000
    )

    latencies = [gateway.call(seq, 1, 0, 0)[1] for seq in range(40_000)]

    assert np.quantile(latencies, 0.5) == pytest.approx(400_000, rel=0.03)
    assert np.quantile(latencies, 0.99) == pytest.approx(4_000_000, rel=0.1)


def test_a_lognormals_quantiles_are_exact() -> None:
    latency = Lognormal(median_us=400_000, p99_us=4_000_000)

    # exp(2 * ln(10) / 2.326…) of the median's: z = 2 belongs to 0.97725.
    latencies = latency.of(np.array([0.5, 0.99, 0.9772498680518208]))
    assert latencies.tolist() == pytest.approx([400_000, 4_000_000, 2_895_853], abs=2)


def test_a_uniform_latency_is_between_its_ends() -> None:
    latency = Uniform(low_us=100, high_us=200)

    assert latency.of(np.array([0.0, 0.5, 0.999])).tolist() == [100, 150, 199]


@pytest.mark.parametrize("attempt", [1, 2, DRAWN_MAX + 1])
def test_outcomes_come_with_their_probabilities_at_every_attempt(attempt: int) -> None:
    failures = Failures(refused=0.1, not_sent=0.2, unreachable=0.05, unknown=0.15, sender_down=0.1)
    gateway = weather(Climate(failures=failures), messages=10_000)

    words = [word(gateway.call(seq, attempt, 0, 0)[0]) for seq in range(10_000)]

    for name, probability in {**failures._asdict(), "accepted": 0.4}.items():
        assert words.count(name) / 10_000 == pytest.approx(probability, abs=0.02), name


def test_an_answer_belongs_to_message_and_attempt_whoever_asks_when() -> None:
    failures = Failures(refused=0.2, not_sent=0.3)
    climate = Climate(latency=Uniform(low_us=1, high_us=10**6), failures=failures)
    forth, back = weather(climate), weather(climate)
    asked = [(seq, attempt) for seq in range(200) for attempt in range(1, DRAWN_MAX + 4)]

    first = {one: forth.call(*one, 0, 5) for one in asked}
    later = {one: back.call(*one, 1, 10**12) for one in reversed(asked)}

    assert first == later
    assert len(set(first.values())) > 1_000


def test_a_rejection_is_the_messages_own() -> None:
    gateway = weather(Climate(failures=Failures(rejected=0.5)))

    firsts = [isinstance(gateway.call(seq, 1, 0, 0)[0], Rejected) for seq in range(1_000)]

    assert 400 < sum(firsts) < 600
    for attempt in (2, DRAWN_MAX, DRAWN_MAX + 1):
        again = [isinstance(gateway.call(s, attempt, 0, 0)[0], Rejected) for s in range(1_000)]
        assert again == firsts


def test_a_call_as_long_as_the_timeout_is_unknown() -> None:
    late = weather(Climate(latency=Constant(us=30 * SECOND), timeout_us=30 * SECOND))
    unknown = weather(Climate(failures=Failures(unknown=1.0), timeout_us=20 * SECOND))

    assert late.call(0, 1, 0, 0) == (Unknown("no answer before the timeout"), 30_000_000)
    assert unknown.call(0, 1, 0, 0)[1] == 20_000_000


def test_an_outage_is_from_its_start_until_its_end_for_calls_and_probes() -> None:
    gateway = weather(Climate(outages=[Outage(100, 200)]))

    reached = [not isinstance(gateway.call(0, 1, 0, at)[0], Unreachable) for at in (99, 200)]
    down = [gateway.call(0, 1, 0, at) for at in (100, 199)]

    assert reached == [True, True]
    assert all(isinstance(outcome, Unreachable) for outcome, _ in down)
    assert all(latency == UNREACHABLE_US for _, latency in down)
    assert isinstance(gateway.probe(0, 199)[0], Unreachable)
    assert isinstance(gateway.probe(0, 200)[0], Healthy)


def test_a_throttle_refuses_with_its_wait_and_its_scope() -> None:
    gateway = weather(Climate(throttles=[Throttle(100, 200, 60_000_000, Scope.ACCOUNT)]))

    assert gateway.call(0, 1, 0, 150)[0] == Refused("too many requests", 60_000_000, Scope.ACCOUNT)
    assert isinstance(gateway.probe(0, 150)[0], Healthy)


def test_a_disconnect_is_one_senders() -> None:
    gateway = weather(Climate(disconnects=[Disconnect(100, 200, sender=1)]))

    assert isinstance(gateway.call(0, 1, 0, 150)[0], Accepted)
    assert isinstance(gateway.call(0, 1, 1, 150)[0], SenderDown)
    assert isinstance(gateway.probe(0, 150)[0], Healthy)
    assert isinstance(gateway.probe(1, 150)[0], SenderDown)
