"""Chance is a function: the same in every driver, and the same tomorrow."""

from statistics import correlation, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waqcore.core.chance import Chance, chance


@pytest.mark.parametrize(
    ("seed", "message_id", "attempt", "backoff", "jitter"),
    [
        # By hand: the halves of `b2sum --length=128`, over 2 ** 64, cut to 53 bits.
        (0, "m1", 1, 0.7426380359713669, 0.03847071017245374),
        (0, "m1", 2, 0.7719589545219301, 0.8213402352667468),
        (7, "pesan-ü", 1, 0.3825550296507334, 0.1790972986923708),
    ],
)
def test_a_schedule_made_today_is_the_one_made_tomorrow(
    seed: int, message_id: str, attempt: int, backoff: float, jitter: float
) -> None:
    assert chance(seed, message_id, attempt) == Chance(backoff, jitter)


@given(st.integers(), st.text(max_size=40), st.integers(0, 1_000_000))
def test_a_draw_is_a_uniform_and_never_one(seed: int, message_id: str, attempt: int) -> None:
    u = chance(seed, message_id, attempt)

    assert 0 <= u.backoff < 1
    assert 0 <= u.jitter < 1
    assert u == chance(seed, message_id, attempt)


def test_seed_message_and_attempt_each_draw_anew() -> None:
    draws = [chance(0, "m1", 1), chance(1, "m1", 1), chance(0, "m2", 1), chance(0, "m1", 2)]

    assert len({draw for pair in draws for draw in pair}) == 8


def tenths(draws: list[float]) -> list[int]:
    return [sum(tenth <= 10 * draw < tenth + 1 for draw in draws) for tenth in range(10)]


def test_draws_are_spread_evenly_and_backoff_and_jitter_know_nothing_of_each_other() -> None:
    draws = [chance(42, f"m{n}", 1) for n in range(5_000)]
    backoffs, jitters = map(list, zip(*draws, strict=True))

    # 500 in each tenth, give or take five standard deviations of 21.
    assert min(tenths(backoffs) + tenths(jitters)) > 390
    assert max(tenths(backoffs) + tenths(jitters)) < 610
    assert abs(fmean(backoffs) - 0.5) < 0.02
    assert abs(correlation(backoffs, jitters)) < 0.07


def test_attempts_of_one_message_are_spread_evenly_too() -> None:
    draws = [chance(42, "m1", attempt).backoff for attempt in range(5_000)]

    assert min(tenths(draws)) > 390
    assert max(tenths(draws)) < 610


def test_backoff_comes_before_jitter() -> None:
    assert Chance._fields == ("backoff", "jitter")
