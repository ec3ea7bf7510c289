"""P7: where nothing happens that nobody knows of, an ETA is the instant of the model's call."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulations.backtest import place_of
from simulations.lane import ModelLane
from simulations.latency import Constant
from simulations.model import Start, simulate
from simulations.traffic import STARTS_AT
from simulations.weather import Climate, Weather
from simulations.workload import Job, workload
from waqcore.core import forecast
from waqcore.core.forecast import Eta
from waqcore.core.instants import DAY, HOUR, MINUTE
from waqcore.core.lane import Lane
from waqcore.core.message import Message, Priority
from waqcore.core.outlook import nothing_comes
from waqcore.core.policy import Cap, Policy, Quiet

SENDER = "sender-0"
OFF_GRID_US = 137
"""No call falls on the hour, where quiet hours begin: two of one instant have no order here."""

hours = st.integers(0, 23).map(lambda hour: hour * HOUR)
policies = st.builds(
    Policy,
    pace_us=st.sampled_from([MINUTE, 5 * MINUTE, 10 * MINUTE]),
    guard_us=st.just(0),
    quiet=st.none() | st.builds(Quiet, hours, hours),
    cap=st.none() | st.builds(Cap, st.integers(1, 40), st.sampled_from([HOUR, 6 * HOUR, DAY])),
)
lanes = st.builds(
    lambda paced_us, since_us, calls: (paced_us, since_us, calls),
    st.integers(-HOUR, 10 * MINUTE),
    st.integers(1, 30 * HOUR),
    st.integers(0, 40),
)
due = st.tuples(st.sampled_from(list(Priority)[1:]), st.just(0))
scheduled = st.tuples(
    st.sampled_from([Priority.NORMAL, Priority.LOW]),
    st.integers(1, 2_880).map(lambda m: m * MINUTE),
)
"""Whether those that fall due in quiet hours are loud, a place does not tell: none is."""


@given(
    policies, lanes, st.integers(0, DAY - 1), st.lists(due | scheduled, min_size=1, max_size=120)
)
def test_what_is_known_is_told_to_the_microsecond(
    policy: Policy,
    stood: tuple[int, int, int],
    into_day: int,
    queue: list[tuple[Priority, int]],
) -> None:
    now = STARTS_AT + into_day // MINUTE * MINUTE + OFF_GRID_US
    jobs = [Job(now, priority, send_at=now + in_us if in_us else 0) for priority, in_us in queue]

    told, called = _told_and_called(jobs, _lane(stood, now, policy), now, policy)

    assert {seq: eta.at for seq, eta in told.items()} == {seq: called[seq] for seq in told}


def _lane(stood: tuple[int, int, int], now: int, policy: Policy) -> Lane:
    """A lane as its past calls have left it."""
    paced_us, since_us, calls = stood
    lane = Lane(SENDER, paced_until=now + paced_us, idle_since=None)
    if policy.cap is None:
        return lane
    return lane._replace(cap_since=now - since_us, cap_calls=min(calls, policy.cap.calls))


def _told_and_called(
    jobs: list[Job], lane: Lane, now: int, policy: Policy
) -> tuple[dict[int, Eta], list[int]]:
    """What those that are due are told as all have come, and when each is called."""
    told: dict[int, Eta] = {}

    def foretell(model: ModelLane, seq: int, at: int) -> None:
        if seq == len(jobs) - 1:
            waiting = [message for message in model.queue if message.due_at <= at]
            told.update({message.seq: _eta(message, model, at) for message in waiting})

    def _eta(message: Message, model: ModelLane, at: int) -> Eta:
        quiet = forecast.quiet_span(policy.quiet, at, at - at % DAY)
        place, expected = place_of(message, model, at), nothing_comes(policy)
        return forecast.eta(model.lane, place, at, policy, expected, quiet)

    drawn = np.random.default_rng(0)
    calm = Climate(latency=Constant(us=1))
    run = simulate(
        workload(jobs),
        Weather(calm, len(jobs), latency_rng=drawn, outcomes_rng=drawn),
        {SENDER: policy},
        watcher=foretell,
        starts_at=now,
        start=Start({SENDER: lane}),
    )
    return told, run.first_called_at().tolist()
