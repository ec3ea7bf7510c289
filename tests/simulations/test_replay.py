"""A run played again from its own frames comes out as it was."""

import numpy as np
import pandas as pd
import pytest

from simulations.delays import CUT_US, Same, measured
from simulations.latency import Constant
from simulations.model import Delays, Press, simulate
from simulations.replay import replay
from simulations.weather import Climate, Failures, Weather
from simulations.workload import Workload, plain
from waqcore.core import control
from waqcore.core.instants import SECOND
from waqcore.core.lane import Lane
from waqcore.core.message import Priority
from waqcore.core.policy import Policy, Sender

SENDER = Sender("sender-0", "account", Policy(pace_us=2 * SECOND, guard_us=250_000))
START = 1_767_225_600 * SECOND
TOOK_US = 120_000
HELD_US = SENDER.policy.pace_us + TOOK_US
TURN_US, START_US = 9_000, 4_000
"""A dispatcher that takes its time, as those of a busy machine do."""


class Slow:
    """Decides later each time, up to 50 ms, and hears of a resume after 80 ms."""

    def before(self, sender: int, nth: int, cut: int) -> tuple[int, int]:
        turn_us = 80_000 if cut else TURN_US + nth * 1_000
        return turn_us, START_US


def _recorded(
    failures: Failures, *, delays: Delays | None = None, presses: tuple[Press, ...] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(7)
    at = START + np.sort(rng.integers(0, 60 * SECOND, 40))
    given: Workload = plain(at, rng.choice([Priority.HIGH, Priority.NORMAL, Priority.LOW], 40))
    climate = Climate(latency=Constant(us=TOOK_US), failures=failures)
    weather = Weather(climate, 40, latency_rng=rng.spawn(1)[0], outcomes_rng=rng.spawn(1)[0])
    run = simulate(
        given, weather, [SENDER], seed=3, starts_at=START, delays=delays, presses=presses
    )
    return run.messages(), run.attempt_rows()


def _told(attempts: pd.DataFrame) -> pd.DataFrame:
    """The calls, with what a dispatcher tells besides of how it came to make them."""
    told = attempts.sort_values("called_at", ignore_index=True)
    told["claimed_at"] = told["called_at"] - START_US
    told["ready_at"] = told["called_at"].shift() + HELD_US
    return told


def _pause(at: int, for_us: int) -> tuple[tuple[Press, ...], pd.DataFrame]:
    """The presses of a pause and of its end, and the lane events that tell of them."""
    presses = (
        Press(at, lambda model: model.lanes[0].change(lambda lane: _held(lane, at), "pause")),
        Press(at + for_us, lambda model: model.lanes[0].change(control.resume, "resume")),
    )
    lanes = pd.DataFrame(
        [(at, "sender-0", "pause", ""), (at + for_us, "sender-0", "resume", "")],
        columns=["at", "sender", "event", "detail"],
    )
    return presses, lanes


def _held(lane: Lane, at: int) -> Lane:
    return control.pause(lane, "for a test", at)


def test_a_run_played_again_sends_at_the_very_instants() -> None:
    messages, attempts = _recorded(Failures(not_sent=0.2, refused=0.1))

    again = replay(messages, attempts, [SENDER], seed=3)

    assert len(again.calls) == len(attempts) > 40
    assert (again.only_recorded, again.only_modelled) == (0, 0)
    assert again.largest_off_s == 0.0


def test_a_dispatcher_that_takes_its_time_is_played_as_late_as_it_was() -> None:
    messages, attempts = _recorded(Failures(), delays=Slow())

    again = replay(messages, _told(attempts), [SENDER], seed=3)
    blind = replay(messages, attempts, [SENDER], seed=3)

    assert again.largest_off_s == 0.0
    assert blind.largest_off_s > 0.2


def test_the_same_delay_for_all_calls_is_played_as_it_is_given() -> None:
    messages, attempts = _recorded(Failures(), delays=Same(TURN_US, START_US))

    again = replay(messages, _told(attempts), [SENDER], delays=Same(TURN_US, START_US), seed=3)

    assert again.largest_off_s == 0.0


@pytest.mark.parametrize("pace_us", [1_960_000, 2_040_000])
def test_a_run_whose_pace_was_another_is_told(pace_us: int) -> None:
    """What the dispatcher took is measured from when it held the lane to be free, so that a pace
    that is off is never taken for a slow dispatcher."""
    messages, attempts = _recorded(Failures(), delays=Slow())
    other = SENDER._replace(policy=SENDER.policy._replace(pace_us=pace_us))

    again = replay(messages, _told(attempts), [other], seed=3)

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
    _, lanes = _pause(at, 30 * SECOND)

    again = replay(messages, attempts, [SENDER], lanes=lanes, seed=3)

    held = again.calls["modelled_at"].between(at, at + 30 * SECOND, inclusive="neither")
    assert not held.any()
    assert again.largest_off_s > 20


def test_a_pause_before_everything_else_is_played_too() -> None:
    presses, lanes = _pause(START - SECOND, 5 * SECOND)
    messages, attempts = _recorded(Failures())

    again = replay(messages, attempts, [SENDER], lanes=lanes, seed=3)

    assert presses[0].at < messages["enqueued_at"].min()
    assert again.calls["modelled_at"].min() >= START + 4 * SECOND


def test_a_pause_that_comes_before_the_dispatcher_got_to_a_free_lane_holds_that_very_call() -> None:
    """The lane was free 5 ms before the pause, the dispatcher not there yet: a model whose
    dispatcher is always at hand would make one call more before the pause, and be a pace ahead."""
    _, undisturbed = _recorded(Failures(), delays=Slow())
    free_at = int(undisturbed["called_at"].sort_values().iloc[20]) - START_US - TURN_US - 20_000
    presses, lanes = _pause(free_at + 5_000, SECOND)
    messages, attempts = _recorded(Failures(), delays=Slow(), presses=presses)

    again = replay(messages, _told(attempts), [SENDER], lanes=lanes, seed=3)
    blind = replay(messages, attempts, [SENDER], lanes=lanes, seed=3)

    assert again.largest_off_s == 0.0
    assert blind.largest_off_s > 0.9


def test_a_turn_that_a_pause_cut_off_was_longer_than_until_then() -> None:
    _, undisturbed = _recorded(Failures(), delays=Slow())
    free_at = int(undisturbed["called_at"].sort_values().iloc[20]) - START_US - TURN_US - 20_000
    presses, lanes = _pause(free_at + 5_000, SECOND)
    messages, attempts = _recorded(Failures(), delays=Slow(), presses=presses)

    delays = measured(messages, _told(attempts), [SENDER], lanes=lanes)

    assert delays.turns_us[0][20] == (5_000 + CUT_US, 80_000)
    assert delays.before(0, 20, 0) == (5_000 + CUT_US, START_US)
    assert delays.before(0, 20, 1) == (80_000, START_US)
    assert {len(turns) for n, turns in enumerate(delays.turns_us[0]) if n != 20} == {1}


def test_a_call_the_run_did_not_have_takes_the_medians() -> None:
    messages, attempts = _recorded(Failures(), delays=Slow())

    delays = measured(messages, _told(attempts), [SENDER])

    assert delays.before(0, 10_000, 0) == delays.usual == (TURN_US + 19_500, START_US)
