"""The law of the slots that nobody knows of yet, against expectations worked out by hand."""

from itertools import pairwise
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waqcore.core.cumulants import cumulants
from waqcore.core.extra import Counted
from waqcore.core.surprise import EXACT_MAX, Supposition, Surprise

FIVES = ((5, 1.0),)


def chances(law: Counted, n: int) -> list[float]:
    """The probabilities of exactly 0 … n extra slots."""
    return [law.at_most(k) - law.at_most(k - 1) for k in range(n + 1)]


def test_where_nothing_comes_and_nothing_fails_there_is_no_surprise() -> None:
    assert Surprise(Supposition()).extra(delay=250.0, ahead=249).at_most(0) == 1.0


def test_single_messages_follow_the_generalized_poisson_law() -> None:
    """Consul and Jain's θ(θ+nμ)ⁿ⁻¹·e^(-θ-nμ)/n! with θ = 0.5·2 = 1 expected and μ = 0.5 a slot."""
    law = Surprise(Supposition(batches=0.5)).extra(delay=2.0, ahead=2)

    by_hand = [exp(-1), exp(-1.5), exp(-2), 2.5**2 / 6 * exp(-2.5)]
    assert chances(law, 3) == pytest.approx(by_hand, rel=1e-12)


def test_batches_of_five_are_five_slots_each_and_none_between() -> None:
    """The same law of batches: θ = 0.1·2 = 0.2 expected, and μ = 0.1·5 = 0.5 in five slots."""
    law = Surprise(Supposition(batches=0.1, sizes=FIVES)).extra(delay=2.0, ahead=2)

    by_hand = [exp(-0.2), 0, 0, 0, 0, 0.2 * exp(-0.7), 0, 0, 0, 0, 0.2 * 1.2 / 2 * exp(-1.2)]
    assert chances(law, 10) == pytest.approx(by_hand, abs=1e-12)


def test_a_message_ahead_comes_back_as_often_as_it_may_fail() -> None:
    law = Surprise(Supposition(failure=0.2, max_attempts=3)).extra(delay=1.0, ahead=1)

    assert chances(law, 2) == pytest.approx([0.8, 0.2 * 0.8, 0.04])


def test_two_ahead_come_back_independently() -> None:
    law = Surprise(Supposition(failure=0.5, max_attempts=2)).extra(delay=2.0, ahead=2)

    assert chances(law, 2) == pytest.approx([0.25, 0.5, 0.25])


def test_what_arrives_fails_too_and_more_arrives_meanwhile() -> None:
    """One extra slot: one message that succeeds in 1 slot, e^-0.5·(0.5·0.8), then none in its own;
    or none, and the one ahead fails once, with none in that slot."""
    law = Surprise(Supposition(batches=0.5, failure=0.2, max_attempts=3)).extra(1.0, ahead=1)

    one_comes = exp(-0.5) * 0.5 * 0.8 * 0.8 * exp(-0.5)
    one_returns = exp(-0.5) * 0.16 * exp(-0.5)
    assert chances(law, 1) == pytest.approx([exp(-0.5) * 0.8, one_comes + one_returns])


@pytest.mark.parametrize("delay", [3.0, 40.0, 1_000.0])
def test_the_mean_wait_is_the_known_one_over_the_free_share(delay: float) -> None:
    """t0 / (1-μ): with μ = 0.6, one and a half extra slots for each known one."""
    law = Surprise(Supposition(batches=0.6)).extra(delay, ahead=0)

    mean = sum(1.0 - law.at_most(n) for n in range(30_000))

    assert mean == pytest.approx(1.5 * delay, rel=0.01)


def test_far_off_half_of_them_wait_no_longer_than_the_mean() -> None:
    """100,000 ahead and μ = 0.3: 3/7 extra slots for each, within a percent or so."""
    law = Surprise(Supposition(batches=0.3)).extra(1e5, ahead=0)
    mean = 1e5 * 0.3 / 0.7

    assert law.at_most(round(mean)) == pytest.approx(0.5, abs=0.005)
    assert law.at_most(round(0.98 * mean)) < 0.01
    assert law.at_most(round(1.02 * mean)) > 0.99


def test_where_more_comes_than_leaves_it_may_never_be_called() -> None:
    """A branching process of mean 2 from one slot dies out with the root of q = e^(2(q-1))."""
    law = Surprise(Supposition(batches=2.0)).extra(delay=1.0, ahead=0)

    dies_out = 0.2032
    # Before the first slot ends nothing has come yet: q slots' progeny each die out.
    assert law.at_most(10_000) == pytest.approx(dies_out, abs=0.001)


def test_the_curve_takes_up_where_the_exact_ends() -> None:
    law = Surprise(Supposition(batches=0.15, sizes=FIVES)).extra(delay=10.0, ahead=0)

    steps = chances(law, 3 * EXACT_MAX)
    assert min(steps) >= 0
    assert law.at_most(EXACT_MAX) < law.at_most(EXACT_MAX + 8) < 1
    assert law.at_most(50 * EXACT_MAX) == pytest.approx(1, abs=1e-3)


def test_slots_lie_where_they_lie_give_or_take_the_noise() -> None:
    law = Surprise(Supposition(failure=0.2, max_attempts=2)).extra(delay=1.0, ahead=1)

    assert law.below(0.0, noise=0.1) == pytest.approx(0.4, abs=1e-3)  # Half of the first slot's.
    assert law.below(0.5, noise=0.1) == pytest.approx(0.8, abs=1e-3)
    assert law.below(1.1, noise=0.1) == pytest.approx(0.8 + 0.2 * 0.841, abs=1e-3)
    assert law.below(-0.5, noise=0.1) == pytest.approx(0.0, abs=1e-3)


def test_much_noise_makes_a_smooth_law_of_the_same_middle() -> None:
    law = Surprise(Supposition()).extra(delay=1_000.0, ahead=0)

    assert law.below(0.0, noise=20.0) == pytest.approx(0.5, abs=0.03)
    assert law.below(20.0, noise=20.0) == pytest.approx(0.841, abs=0.03)
    assert law.below(-40.0, noise=20.0) == pytest.approx(0.023, abs=0.01)


def test_a_slots_progeny_has_the_cumulants_of_borels_law() -> None:
    """1/(1-μ), μ/(1-μ)³ and μ(1+2μ)/(1-μ)⁵, with μ = 0.5."""
    assert Surprise(Supposition(0.5)).progeny == pytest.approx((2.0, 4.0, 32.0))


def test_a_random_number_of_random_terms() -> None:
    """None or two, evenly, each 0 or 1, evenly: 0 with 5/8, 1 with 2/8, 2 with 1/8."""
    terms, each = cumulants({0: 0.5, 2: 0.5}), cumulants({0: 0.5, 1: 0.5})

    assert terms.of(each) == pytest.approx(cumulants({0: 5 / 8, 1: 2 / 8, 2: 1 / 8}))
    assert terms.of(each) == pytest.approx((0.5, 0.5, 0.375))


loads = st.floats(0.0, 0.85)
failures = st.floats(0.0, 0.3)
delays = st.floats(0.0, 300.0)
aheads = st.integers(0, 300)


@given(loads, loads, failures, delays, aheads, st.integers(0, 200))
def test_more_arrivals_never_make_an_earlier_call_likelier(
    one: float, other: float, failure: float, delay: float, ahead: int, n: int
) -> None:
    calm, busy = (
        Surprise(Supposition(rate / 2, failure=failure)).extra(delay, ahead)
        for rate in sorted((one, other))
    )

    assert busy.at_most(n) <= calm.at_most(n) + CURVE_ERROR


@given(loads, failures, failures, delays, aheads, st.integers(0, 200))
def test_more_failures_never_make_an_earlier_call_likelier(
    load: float, one: float, other: float, delay: float, ahead: int, n: int
) -> None:
    sound, failing = (
        Surprise(Supposition(load / 2, failure=p)).extra(delay, ahead) for p in sorted((one, other))
    )

    assert failing.at_most(n) <= sound.at_most(n) + CURVE_ERROR


@given(loads, failures, st.floats(0.0, 300.0), st.floats(0.0, 300.0), aheads)
def test_a_law_grows_from_nothing_to_everything(
    load: float, failure: float, delay: float, noise: float, ahead: int
) -> None:
    law = Surprise(Supposition(load / 2, failure=failure)).extra(delay, ahead)
    reached = [law.below(slots / 2, min(noise, 2.0)) for slots in range(-40, 200)]

    assert all(0.0 <= a <= b + 1e-9 for a, b in pairwise(reached))
    assert reached[-1] <= 1 + 1e-9


CURVE_ERROR = 0.02
"""What the curve may be off by where it takes over from the exact."""
