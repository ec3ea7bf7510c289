"""The error budget: of messages whose calls fail one time in ten, 0.1 % fail for good, not 1 %."""

import numpy as np
import pytest

from loadtests.verdict.interval import interval
from simulations.latency import Constant
from simulations.model import simulate
from simulations.weather import Climate, Failures, Weather
from simulations.workload import plain
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.policy import Policy

MESSAGES = 20_000
PROMISED = 0.01


def _failed(policy: Policy) -> int:
    """How many of the messages of three days end as failed, at a load of 0.86."""
    rng = np.random.default_rng(11)
    at = np.sort(rng.integers(0, MESSAGES * 13 * SECOND, MESSAGES))
    climate = Climate(latency=Constant(us=100_000), failures=Failures(not_sent=0.1))
    weather = Weather(climate, MESSAGES, latency_rng=rng.spawn(1)[0], outcomes_rng=rng.spawn(1)[0])
    run = simulate(plain(at, Priority.NORMAL), weather, {"sender-0": policy}, seed=5)
    states = run.messages()["state"].value_counts()
    assert states.sum() == states.get("sent", 0) + states.get("failed", 0) == MESSAGES
    return int(states.get("failed", 0))


def test_three_attempts_that_fail_one_time_in_ten_spend_a_tenth_of_the_budget() -> None:
    low, high = interval(_failed(Policy()), MESSAGES)

    assert low < 0.1**3 < high < PROMISED / 2


@pytest.mark.parametrize("attempts", [2, 4])
def test_another_number_of_attempts_would_be_noticed(attempts: int) -> None:
    low, high = interval(_failed(Policy(max_attempts=attempts)), MESSAGES)

    assert low < 0.1**attempts < high
    assert not low < 0.1**3 < high
