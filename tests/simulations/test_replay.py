"""A run played again from its own frames comes out as it was."""

import numpy as np
import pandas as pd

from simulations.latency import Constant
from simulations.model import simulate
from simulations.replay import replay
from simulations.weather import Climate, Failures, Weather
from simulations.workload import Workload, plain
from waqcore.core.instants import SECOND
from waqcore.core.message import Priority
from waqcore.core.policy import Policy, Sender

SENDER = Sender("sender-0", "account", Policy(pace_us=2 * SECOND, guard_us=250_000))
START = 1_767_225_600 * SECOND


def _recorded(failures: Failures) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(7)
    at = START + np.sort(rng.integers(0, 60 * SECOND, 40))
    given: Workload = plain(at, rng.choice([Priority.HIGH, Priority.NORMAL, Priority.LOW], 40))
    climate = Climate(latency=Constant(us=120_000), failures=failures)
    weather = Weather(climate, 40, latency_rng=rng.spawn(1)[0], outcomes_rng=rng.spawn(1)[0])
    run = simulate(given, weather, [SENDER], seed=3, starts_at=START)
    return run.messages(), run.attempt_rows()


def test_a_run_played_again_sends_at_the_very_instants() -> None:
    messages, attempts = _recorded(Failures(not_sent=0.2, refused=0.1))

    again = replay(messages, attempts, [SENDER], seed=3)

    assert len(again.calls) == len(attempts) > 40
    assert (again.only_recorded, again.only_modelled) == (0, 0)
    assert again.largest_off_s == 0.0


def test_starts_that_lag_are_carried_forward_as_production_carries_them() -> None:
    """Each call leaves 7 ms late, and the next pace counts from there."""
    messages, attempts = _recorded(Failures())
    order = attempts.sort_values("called_at").index
    busy = attempts["called_at"].diff().fillna(0) == 2 * SECOND + 120_000
    drift = 7_000 * busy.astype(int)
    late = drift.groupby((~busy).cumsum()).cumsum()
    attempts.loc[order, "called_at"] += late
    attempts.loc[order, "finished_at"] += late

    again = replay(messages, attempts, [SENDER], seed=3)

    assert late.max() > 50_000
    assert again.largest_off_s < 0.05


def test_a_run_whose_pace_was_another_is_told() -> None:
    messages, attempts = _recorded(Failures())
    slower = SENDER._replace(policy=SENDER.policy._replace(pace_us=2_040_000))

    again = replay(messages, attempts, [slower], seed=3)

    assert again.largest_off_s > 0.5


def test_what_was_taken_out_of_the_queue_is_taken_out_again() -> None:
    messages, attempts = _recorded(Failures())
    last = attempts.sort_values("called_at").iloc[-1]
    gone = messages["id"] == last["message_id"]
    messages.loc[gone, ["state", "ended_at"]] = ["cancelled", last["called_at"] - SECOND]

    again = replay(messages, attempts[attempts["message_id"] != last["message_id"]], [SENDER])

    assert (again.only_recorded, again.only_modelled) == (0, 0)
    assert again.largest_off_s == 0.0


def test_a_pause_that_somebody_made_holds_the_model_too() -> None:
    messages, attempts = _recorded(Failures())
    called = attempts["called_at"].sort_values()
    at = int(called.iloc[5]) + 500_000
    lanes = pd.DataFrame(
        [(at, "sender-0", "pause", ""), (at + 30 * SECOND, "sender-0", "resume", "")],
        columns=["at", "sender", "event", "detail"],
    )

    again = replay(messages, attempts, [SENDER], lanes=lanes, seed=3)

    held = again.calls["modelled_at"].between(at, at + 30 * SECOND, inclusive="neither")
    assert not held.any()
    assert again.largest_off_s > 20
