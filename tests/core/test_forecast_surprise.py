"""The law of the slots that nobody knows of yet, against expectations worked out by hand."""

from itertools import pairwise
from math import exp, factorial, inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waqcore.core.cumulants import Cumulants, Curve, cumulants, normal
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


@pytest.mark.parametrize(("delay", "n"), [(30.0, 20), (40.0, EXACT_MAX)])
def test_single_messages_follow_it_as_far_as_it_is_exact(delay: float, n: int) -> None:
    law = Surprise(Supposition(batches=0.5)).extra(delay, ahead=0)

    theta = 0.5 * delay
    by_hand = [
        theta * (theta + k / 2) ** (k - 1) * exp(-theta - k / 2) / factorial(k)
        for k in range(n + 1)
    ]
    assert law.at_most(n) == pytest.approx(sum(by_hand), rel=1e-9)


def test_the_largest_batch_that_is_exact_takes_all_of_it() -> None:
    """None with e^-θ, θ = 0.002; or one, and none in its 64 slots."""
    law = Surprise(Supposition(batches=0.001, sizes=((EXACT_MAX, 1.0),))).extra(2.0, ahead=0)

    assert law.at_most(EXACT_MAX - 1) == pytest.approx(exp(-0.002), rel=1e-12)
    assert law.at_most(EXACT_MAX) == pytest.approx(exp(-0.002) + 0.002 * exp(-0.066), rel=1e-12)


def test_batches_of_any_sizes_are_shared_out_as_they_come() -> None:
    """θ = 0.3, of which a third are threes and the rest sixes, and μ = 0.1 a slot."""
    sizes = ((3, 1 / 3), (6, 2 / 3))
    law = Surprise(Supposition(batches=0.1, sizes=sizes)).extra(delay=3.0, ahead=0)

    six = 0.2 * exp(-0.9) + 0.1 * exp(-0.6) * 0.1 * exp(-0.3) + 0.1**2 / 2 * exp(-0.9)
    by_hand = [exp(-0.3), 0, 0, 0.1 * exp(-0.6), 0, 0, six]
    assert chances(law, 6) == pytest.approx(by_hand, rel=1e-9, abs=1e-12)


def test_two_messages_that_may_be_called_four_times_come_back_as_often_as_both() -> None:
    """Half of them not at all, a quarter once, an eighth twice, an eighth three times: squared."""
    failing = Surprise(Supposition(failure=0.5, max_attempts=4))

    by_hand = [0.25, 0.25, 0.1875, 0.1875, 0.078125, 0.03125, 0.015625]
    assert chances(failing.extra(delay=2.0, ahead=2), 6) == pytest.approx(by_hand, rel=1e-12)


def test_batches_of_five_are_five_slots_each_and_none_between() -> None:
    """The same law of batches: θ = 0.1·2 = 0.2 expected, and μ = 0.1·5 = 0.5 in five slots."""
    law = Surprise(Supposition(batches=0.1, sizes=FIVES)).extra(delay=2.0, ahead=2)

    by_hand = [exp(-0.2), 0, 0, 0, 0, 0.2 * exp(-0.7), 0, 0, 0, 0, 0.2 * 1.2 / 2 * exp(-1.2)]
    assert chances(law, 10) == pytest.approx(by_hand, abs=1e-12)


def test_batches_of_one_or_two_take_as_many_slots_as_their_calls() -> None:
    """One in five fails, once: a batch takes 1 to 4 slots with 40, 42, 16 and 2 %.

    Otter and Dwass's law: n extra slots with 1/(n+1) of the probability that n come in n+1 slots.
    """
    sizes = ((1, 0.5), (2, 0.5))
    law = Surprise(Supposition(0.1, sizes, failure=0.2, max_attempts=2)).extra(1.0, ahead=0)

    two = exp(-0.3) * (0.3 * 0.42 + 0.3**2 * 0.4**2 / 2)
    three = exp(-0.4) * (0.4 * 0.16 + 0.4**2 * 0.4 * 0.42 + 0.4**3 * 0.4**3 / 6)
    four = exp(-0.5) * (
        0.5 * 0.02
        + 0.5**2 * (2 * 0.4 * 0.16 + 0.42**2) / 2
        + 0.5**3 * 3 * 0.4**2 * 0.42 / 6
        + 0.5**4 * 0.4**4 / 24
    )
    by_hand = [exp(-0.1), exp(-0.2) * 0.2 * 0.4 / 2, two / 3, three / 4, four / 5]
    assert chances(law, 4) == pytest.approx(by_hand, rel=1e-12)


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


def test_the_curve_shares_out_what_the_exact_has_left() -> None:
    """Half is left from 1.5 on, of a normal law of 3 ± 2: up to 2.5, 1 - 0.599/0.773 of it."""
    law = Counted([0.2, 0.5], Cumulants(3.0, 4.0))

    assert law.at_most(1) == 0.5
    assert law.at_most(2) == pytest.approx(1 - 0.5 * normal(0.25) / normal(0.75))


def test_noise_of_one_slot_spreads_a_law_that_hardly_varies() -> None:
    law = Counted((), Cumulants(1_000.0, 0.01))

    assert law.below(1_001.0, noise=1.0) == pytest.approx(0.841, abs=0.002)


def test_noise_adds_its_variance_to_a_far_off_law() -> None:
    """100,000 ahead and μ = 0.3: √(100,000·0.3/0.7³) and 400 make √(87,464 + 160,000)."""
    law = Surprise(Supposition(batches=0.3)).extra(1e5, ahead=0)
    mean, sd = 1e5 * 0.3 / 0.7, (87_464 + 160_000) ** 0.5

    assert law.below(mean + sd, noise=400.0) == pytest.approx(0.841, abs=0.002)
    assert law.below(mean - sd, noise=400.0) == pytest.approx(0.159, abs=0.002)


@pytest.mark.parametrize(
    ("batches", "usual", "come"),
    [
        (0.5, 0.0, 0.5 * (1 - exp(-1))),  # Of the present rate, 1 - 1/e is called in F slots.
        (0.0, 0.5, 0.5 * exp(-1)),  # What it has left comes from the usual one.
        (0.4, 0.2, 0.2 + 0.2 * (1 - exp(-1))),
        (0.3, 0.3, 0.3),
    ],
)
def test_over_a_wait_in_which_a_rate_fades_that_much_less_comes(
    batches: float, usual: float, come: float
) -> None:
    """A wait of F = 10,000 slots, of which so many come meanwhile and the rest were known."""
    surprise = Surprise(Supposition(batches, usual=usual, fades=10_000.0))

    law = surprise.extra(delay=10_000 * (1 - come), ahead=0)

    sd = (10_000 * come / (1 - come) ** 2) ** 0.5
    assert law.at_most(round(10_000 * come)) == pytest.approx(0.5, abs=0.04)
    assert law.at_most(round(10_000 * come + sd)) == pytest.approx(0.841, abs=0.02)


def test_a_rate_has_not_faded_before_the_first_slot_nor_where_it_is_to_last() -> None:
    """Twice the delay is waited for: 20,000 slots are nothing beside 10⁹, and no wait has none."""
    lasting, fading = (
        Surprise(Supposition(0.5, fades=fades)).extra(delay=1e4, ahead=0) for fades in (inf, 1e9)
    )

    assert fading.at_most(10_000) == pytest.approx(lasting.at_most(10_000), abs=1e-3)
    assert Surprise(Supposition(0.5, fades=1.0)).extra(delay=0.0, ahead=0).at_most(0) == 1.0


def test_more_than_leaves_is_taken_to_last_though_it_may_fade() -> None:
    """What could be told of it would rest on nothing but how soon."""
    law = Surprise(Supposition(1.1, usual=0.1, fades=10.0)).extra(delay=1_000.0, ahead=0)

    assert law.at_most(10**9) < 0.001


@pytest.mark.parametrize("delay", [1_000.0, 2.95])  # Found in the first round, or in the last.
def test_what_is_usual_where_more_comes_than_leaves_is_reached_by_no_wait(delay: float) -> None:
    """A load of 0.5 that goes back to 1.2: told as if it stayed, since the sum has no end."""
    fading = Surprise(Supposition(0.5, usual=1.2, fades=10.0)).extra(delay, ahead=0)
    lasting = Surprise(Supposition(0.5)).extra(delay, ahead=0)

    assert [fading.at_most(n) for n in (20, 1_000)] == [lasting.at_most(n) for n in (20, 1_000)]


def test_a_slots_progeny_has_the_cumulants_of_borels_law() -> None:
    """1/(1-μ), μ/(1-μ)³ and μ(1+2μ)/(1-μ)⁵, with μ = 0.5."""
    assert Surprise(Supposition(0.5)).progeny == pytest.approx((2.0, 4.0, 32.0))


def test_a_random_number_of_random_terms() -> None:
    """None or two, evenly, each 0 or 1, evenly: 0 with 5/8, 1 with 2/8, 2 with 1/8."""
    terms, each = cumulants({0: 0.5, 2: 0.5}), cumulants({0: 0.5, 1: 0.5})

    assert terms.of(each) == pytest.approx(cumulants({0: 5 / 8, 1: 2 / 8, 2: 1 / 8}))
    assert terms.of(each) == pytest.approx((0.5, 0.5, 0.375))


def test_a_curve_is_wilson_and_hilfertys_gamma_law() -> None:
    """Of shape 9, whose cumulants are 9, 9 and 18: Φ(9·((x/9)^(1/3) - 1) + 1/9)."""
    gamma = Curve(Cumulants(9.0, 9.0, 18.0))

    assert gamma.below(9.0) == pytest.approx(normal(1 / 9))
    assert gamma.below(18.0) == pytest.approx(normal(9 * (2 ** (1 / 3) - 1) + 1 / 9))
    assert Curve(Cumulants(0.9, 0.09, 0.018)).below(1.8) == pytest.approx(gamma.below(18.0))
    assert gamma.below(-1.0) == pytest.approx(normal(-9 + 1 / 9))  # As at its least number, 0.


def test_a_curve_that_is_hardly_skewed_is_the_normal_one() -> None:
    """The middle of a normal law is its mean; a skew of 1e-3 moves it by a sixth of that."""
    assert Curve(Cumulants(5.0, 4.0, 0.0)).below(7.0) == pytest.approx(0.841, abs=0.001)
    assert Curve(Cumulants(5.0, 4.0, 8e-5)).below(5.0) == 0.5
    assert Curve(Cumulants(5.0, 4.0, 8e-3)).below(5.0) == pytest.approx(normal(1e-3 / 6))
    assert Curve(Cumulants(5.0, 4.0, -8e-3)).below(5.0) == pytest.approx(normal(-1e-3 / 6))


def test_a_curve_without_variance_is_in_one_place() -> None:
    fixed = Curve(Cumulants(5.0))

    assert (fixed.below(5.0 - 1e-9), fixed.below(5.0)) == (0.0, 1.0)


def test_half_of_a_normal_law_is_below_0_and_its_tails_are_alike() -> None:
    assert normal(0.0) == 0.5
    assert normal(1.644854) == pytest.approx(0.95, abs=1e-6)
    assert normal(-1.644854) == pytest.approx(0.05, abs=1e-6)


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
