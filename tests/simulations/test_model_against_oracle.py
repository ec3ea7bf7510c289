"""The model's timelines are the oracle's, to the microsecond, and a faulty model's are not."""

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis.errors import NoSuchExample

from tests.simulations import mutants
from tests.simulations.mutants import Mutation
from tests.simulations.traces import (
    RULES,
    Rule,
    Trace,
    by_the_model,
    by_the_oracle,
    sends_by_lane,
    sorted_by_lane,
    traces,
)

SEARCH = settings(
    max_examples=100, deadline=None, derandomize=True, database=None, phases=[Phase.generate]
)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(trace=traces())
def test_every_call_starts_when_the_oracle_says(trace: Trace) -> None:
    model = {rule.name: by_the_model(trace, rule) for rule in RULES}

    assert model == {rule.name: by_the_oracle(trace, rule) for rule in RULES}
    assert all(sorted_by_lane(trace, starts) == sends_by_lane(trace) for starts in model.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
@pytest.mark.parametrize(
    "mutation",
    [
        mutants.pacing_from_completion,
        mutants.polling,
        mutants.last_in_first_out_inside_high,
        mutants.not_at_the_very_instant_the_pace_ends,
        mutants.decided_before_what_falls_due_at_the_same_instant,
    ],
)
def test_a_faulty_model_is_caught(
    mutation: Mutation, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation(monkeypatch)

    find(traces(), lambda trace: _differs(trace, rule), settings=SEARCH)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_same_search_finds_nothing_in_the_model_as_it_is(rule: Rule) -> None:
    with pytest.raises(NoSuchExample):
        find(traces(), lambda trace: _differs(trace, rule), settings=SEARCH)


def _differs(trace: Trace, rule: Rule) -> bool:
    return by_the_model(trace, rule) != by_the_oracle(trace, rule)
