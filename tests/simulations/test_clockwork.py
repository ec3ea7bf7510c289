"""SimPy's clock as the model drives it: what is skipped would have been the only event."""

import pytest
from hypothesis import HealthCheck, given, settings

from simulations.clockwork import Clockwork, Happening, Rank
from tests.simulations.cases import Case, cases
from tests.simulations.test_model_is_production import modelled
from waqcore.core.instants import NEVER

EXAMPLES = 200


def _nothing(_: object) -> None:
    pass


def test_the_clock_skips_to_an_instant_before_anything_else_happens() -> None:
    env = Clockwork(initial_time=100)
    Happening(env, 50, Rank.DECISION, _nothing)

    assert env.skip_to(149)
    assert env.now == 149


@pytest.mark.parametrize("at", [150, 151])
def test_what_happens_at_an_instant_or_before_is_not_skipped(at: int) -> None:
    env = Clockwork(initial_time=100)
    Happening(env, 50, Rank.DECISION, _nothing)

    assert not env.skip_to(at)
    assert env.now == 100


def test_with_nothing_ahead_the_clock_skips_to_any_instant_but_never() -> None:
    env = Clockwork(initial_time=100)

    assert not env.skip_to(NEVER)
    assert env.skip_to(NEVER - 1)


def test_the_end_of_a_run_is_not_skipped() -> None:
    env = Clockwork(initial_time=100)
    skipped: list[bool] = []

    def skip(_: object) -> None:
        skipped.extend(env.skip_to(at) for at in (149, 150, 151))

    Happening(env, 10, Rank.DECISION, skip)
    env.run(until=150)

    assert skipped == [True, False, False]
    assert env.now == 150


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=cases())
def test_skipping_changes_nothing(case: Case) -> None:
    ids = tuple(f"m{n}" for n in range(len(case.enqueues)))

    skipping = modelled(case, ids)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clockwork, "skip_to", lambda *_: False)
        event_by_event = modelled(case, ids)

    assert skipping == event_by_event
