"""How long answers take."""

import json
import random
from statistics import quantiles

import pytest

from loadtests.mock_gateway.clock import Clock
from loadtests.mock_gateway.fields import Send
from loadtests.mock_gateway.gateway import Gateway
from loadtests.mock_gateway.latency import Latency, Law, uniform
from loadtests.mock_gateway.weather import BadWeather, from_json

DRAWS = 20_000
SLOW_FOR_ONE = [
    {"fault": "ok", "sender": "S", "latency": {"high_ms": 200, "low_ms": 200}},
    {"fault": "slow", "seconds": 3, "recipient": "77"},
]


def _drawn_ms(latency: Latency) -> list[float]:
    chance = random.Random(11)
    return [latency.draw_s(chance) * 1_000 for _ in range(DRAWS)]


def test_a_lognormal_latency_has_the_median_and_the_p99_it_names() -> None:
    drawn = quantiles(_drawn_ms(Latency(law=Law.LOGNORMAL, median_ms=120, p99_ms=900)), n=100)

    assert drawn[49] == pytest.approx(120, rel=0.03)
    assert drawn[98] == pytest.approx(900, rel=0.08)


def test_an_exponential_latency_has_its_mean_beyond_its_least() -> None:
    drawn = _drawn_ms(Latency(law=Law.EXPONENTIAL, low_ms=50, mean_ms=100))

    assert min(drawn) >= 50
    assert sum(drawn) / DRAWS == pytest.approx(150, rel=0.03)


def test_a_uniform_latency_stays_between_its_ends() -> None:
    drawn = _drawn_ms(uniform(20, 80))

    assert 20 <= min(drawn) < 21
    assert 79 < max(drawn) <= 80


def test_a_latency_repeats_with_the_seed() -> None:
    latency = Latency(law=Law.LOGNORMAL, median_ms=120, p99_ms=900)

    assert _drawn_ms(latency) == _drawn_ms(latency)


@pytest.mark.parametrize(
    ("latency", "complaint"),
    [
        ({"law": "gauss"}, "Invalid enum value 'gauss'"),
        ({"law": "uniform"}, "uniform: high_ms is missing"),
        ({"low_ms": 5, "high_ms": 4}, "high_ms below low_ms"),
        ({"high_ms": 4, "mean_ms": 4}, "uniform: mean_ms is without meaning"),
        ({"law": "lognormal", "median_ms": 9, "p99_ms": 4}, "0 < median_ms <= p99_ms"),
        ({"law": "exponential", "mean_ms": -1}, ">= 0.0"),
    ],
)
def test_a_bad_latency_is_refused_with_one_clear_line(
    latency: dict[str, object], complaint: str
) -> None:
    with pytest.raises(BadWeather) as refusal:
        from_json(json.dumps({"latency": latency}).encode())

    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("sender", "number", "delay_s"),
    [("S", "62811", 0.2), ("T", "62811", 0.03), ("T", "6277", 3.03)],
)
def test_a_rule_s_latency_goes_before_the_weather_s(
    sender: str, number: str, delay_s: float
) -> None:
    weather = {"latency": {"low_ms": 30, "high_ms": 30}, "rules": SLOW_FOR_ONE}
    gateway = Gateway(
        clock=Clock(now_us=lambda: 0),
        weather=from_json(json.dumps(weather).encode()),
        latency=uniform(999, 999),
    )

    send = Send(api_key="K", sender=sender, number=number, message="Halo")
    reply = gateway.receive(send, client="", arrived_us=0)

    assert reply.delay_s == pytest.approx(delay_s)
