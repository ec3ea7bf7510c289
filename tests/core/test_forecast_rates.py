"""What a lane's past tells: sums that forget, batches, gaps, and the outlook made of them."""

from math import exp, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import POLICY, a_lane, at, s
from waqcore.core.course import Place
from waqcore.core.forecast import CROWDED, Eta, eta, law
from waqcore.core.instants import HOUR, MINUTE
from waqcore.core.message import Priority
from waqcore.core.outlook import nothing_comes, outlook
from waqcore.core.policy import Policy
from waqcore.core.rates import CALLS, LATELY_US, SIZES, USUALLY_US, Calls, Flow, Rates

FAST = POLICY._replace(pace_us=s(1))


def came(*at_s: float, policy: Policy = POLICY) -> Flow:
    """Messages at some seconds, counted from 0."""
    flow = Flow(at(0))
    for one in at_s:
        flow = flow.arrived(at(one), policy)
    return flow


def steady(every_s: float, *, batch: int = 1, lasts_s: float = 24 * 3600) -> Rates:
    """High messages in batches, so long apart; each call is held for 10.2 s, one in ten fails."""
    rates, time_s = Rates.since(at(0)), 0.0
    while time_s < lasts_s:
        for n in range(batch):
            rates = rates.arrived(Priority.HIGH, at(time_s + n / 100), POLICY)
        rates = rates.called(s(10.2), POLICY, failed=round(time_s / every_s) % 10 == 0)
        time_s += every_s
    return rates


def a_reminder(rates: Rates, now_s: float, ahead: int = 10) -> Eta:
    """A forecast behind messages that may be overtaken by high ones."""
    now = at(now_s)
    place = Place(Priority.LOW, now, ahead)
    return eta(a_lane(), place, now, POLICY, outlook(rates, now, POLICY))


def test_what_was_seen_fades_with_its_age() -> None:
    flow = came(0)

    assert flow.seen_lately(at(0) + LATELY_US).batches == pytest.approx(exp(-1))
    assert flow.seen_usually(at(0) + USUALLY_US).batches == pytest.approx(exp(-1))
    assert came(0, LATELY_US / 1e6).lately == pytest.approx(1 + exp(-1))


@given(
    st.lists(st.tuples(st.integers(0, 10), st.integers(1, 40)), min_size=1, max_size=12),
    st.sampled_from([POLICY, FAST]),
)
def test_messages_of_one_instant_count_as_one_after_the_other(
    came: list[tuple[int, int]], policy: Policy
) -> None:
    together = apart = Flow(at(0))
    now = at(0)
    for tenths, messages in came:
        now += s(tenths / 10)
        together = together.arrived(now, policy, messages)
        for _ in range(messages):
            apart = apart.arrived(now, policy)

    assert (together.as_of, together.last) == (apart.as_of, apart.last)
    assert together.lately == pytest.approx(apart.lately)
    assert together.sizes == pytest.approx(apart.sizes)


def test_time_watched_fades_the_same_so_that_a_steady_rate_is_found_from_the_start() -> None:
    """∫ e^(-t/20 min) over 20 minutes: 20 min · (1 - 1/e)."""
    assert Flow(at(0)).seen_lately(at(1200)).for_us == pytest.approx(20 * MINUTE * (1 - exp(-1)))
    assert Flow(at(0)).seen_lately(at(0)).for_us == 0.0


def test_messages_within_a_second_of_each_other_are_one_batch() -> None:
    flow = came(0, 0.9, 1.8, 5)

    assert flow.lately == pytest.approx(2, abs=0.01)
    assert dict(zip(SIZES, flow.sizes, strict=True))[3] == pytest.approx(1, abs=0.001)
    assert sum(flow.sizes) == pytest.approx(2, abs=0.001)


def test_in_a_fast_lane_a_tenth_of_the_pace_parts_batches() -> None:
    assert came(0, 0.2, policy=FAST).lately == pytest.approx(2, abs=0.01)
    assert came(0, 0.05, policy=FAST).lately == pytest.approx(1, abs=0.01)


def test_messages_just_a_second_or_a_tenth_of_the_pace_apart_are_one_batch() -> None:
    assert came(0, 1).lately == pytest.approx(1, abs=0.01)
    assert came(0, 0.1, policy=FAST).lately == pytest.approx(1, abs=0.01)


def test_in_a_lane_without_a_pace_those_of_one_instant_are_one_batch() -> None:
    unpaced = POLICY._replace(pace_us=0)

    assert came(0, 0, policy=unpaced).lately == 1
    assert came(0, 0.000_001, policy=unpaced).lately == pytest.approx(2)


def test_a_batch_that_grows_leaves_those_seen_before_as_they_were() -> None:
    sizes = dict(zip(SIZES, came(0, 100, 100.5).sizes, strict=True))

    assert (sizes[1], sizes[2]) == pytest.approx((1, 1), abs=0.01)


def test_a_large_batch_counts_as_the_nearest_size() -> None:
    flow = came(*(n / 100 for n in range(70)))

    assert dict(zip(SIZES, flow.sizes, strict=True))[64] == pytest.approx(1, abs=0.001)
    assert sum(flow.sizes) == pytest.approx(1, abs=0.001)


def test_a_clock_set_back_makes_nothing_younger() -> None:
    flow = came(100, 40)

    assert flow.as_of == at(100)
    assert flow.seen_lately(at(50)).batches == flow.lately


def test_a_message_is_felt_by_its_own_priority_and_those_below() -> None:
    rates = Rates.since(at(0)).arrived(Priority.NORMAL, at(1), POLICY, messages=5)

    assert [flow.last for flow in rates.flows] == [0, 0, 5, 5]


def test_calls_fade_with_those_that_follow() -> None:
    rates = Rates.since(at(0)).called(s(10.25), POLICY, failed=True)
    for _ in range(CALLS):
        rates = rates.called(s(10), POLICY, failed=False)

    assert rates.calls.failures == pytest.approx(exp(-1))
    assert rates.calls.over_us == pytest.approx(s(0.25) * exp(-1))
    assert rates.calls.over_us2 == pytest.approx(s(0.25) ** 2 * exp(-1))


def test_a_slot_is_what_calls_held_the_lane_for() -> None:
    expected = outlook(steady(60), at(24 * 3600), POLICY)

    assert expected.slot.us == pytest.approx(s(10.2), rel=0.002)


def test_a_slot_varies_as_gaps_did_and_is_the_less_sure_the_fewer_were_seen() -> None:
    """Twenty of 0.2 s over the pace, 0.3 s by root mean square, and one of the policy's: none."""
    calls = Calls(20.0, 0.0, over_us=20 * s(0.2), over_us2=20 * s(0.3) ** 2)

    slot = outlook(Rates.since(at(0))._replace(calls=calls), at(0), POLICY).slot

    sd_us = s(1) * sqrt(20 * 0.3**2 / 21 - (4 / 21) ** 2)
    assert slot == pytest.approx((s(10 + 4 / 21), sd_us, sd_us / sqrt(21)))


def test_of_a_gateway_nobody_has_called_any_round_trip_within_the_guard_is_expected() -> None:
    """A uniform law over 0.24 s: half of it, and a twelfth of its square."""
    policy = POLICY._replace(guard_us=s(0.24))

    slot = outlook(Rates.since(at(0)), at(0), policy).slot

    assert slot == pytest.approx((s(10.12), s(0.24) / sqrt(12), s(0.24) / sqrt(12)))


def test_a_slot_is_never_nothing() -> None:
    assert outlook(Rates.since(at(0)), at(0), POLICY._replace(pace_us=0)).slot.us == 1.0


def test_before_a_bypass_nothing_comes_but_what_fails() -> None:
    """9.5 of 75 calls failed and, supposed, 0.5 of 25 more: 10 %, give or take √(0.09/101)."""
    policy = POLICY._replace(max_attempts=2)
    calls = Calls(calls=75.0, failures=9.5)

    expected = outlook(Rates.since(at(0))._replace(calls=calls), at(0), policy)
    found = law(a_lane(), Place(Priority.BYPASS, at(0), ahead=1), at(0), policy, expected)

    assert found.reached(at(10)) == pytest.approx(0.9)
    assert found.reached(at(20)) == 1.0
    assert expected.unsure_failure == pytest.approx(sqrt(0.09 / 101))


def test_a_steady_rate_is_found() -> None:
    """Batches of three every 100 s, a tenth of the calls failing: 0.1·3·1.11 slots in a slot."""
    expected = outlook(steady(100, batch=3), at(24 * 3600), POLICY)

    loads = [surprise.slot.mean for _, surprise in expected.before(Priority.LOW)]
    assert loads[1] == pytest.approx(0.3 * 1.11, rel=0.15)
    assert min(loads) < loads[1] < max(loads)
    assert sum(weight for weight, _ in expected.before(Priority.LOW)) == pytest.approx(1)
    assert max(surprise.slot.mean for _, surprise in expected.before(Priority.HIGH)) < 0.05


def test_where_nothing_is_known_the_range_is_wide_and_holds_the_known_instant() -> None:
    now = at(0)
    fresh = a_reminder(Rates.since(now), 0)

    assert fresh.low_at == at(100)
    assert fresh.high_at is not None
    assert fresh.high_at > at(150)


def test_a_lane_seen_idle_for_a_day_expects_next_to_nothing() -> None:
    quiet = a_reminder(Rates.since(at(0)), 86_400)

    assert quiet.low_at == quiet.at == at(86_500)
    assert quiet.high_at is not None
    assert quiet.high_at <= at(86_520)


def test_the_more_is_known_the_closer_are_the_rates_that_are_supposed() -> None:
    """At the same rate of one in 50 s, after five minutes and after a day."""
    spreads: list[float] = []
    for lasts_s in (300.0, 86_400.0):
        expected = outlook(steady(50, lasts_s=lasts_s), at(lasts_s), POLICY)
        rates = [surprise.batches for _, surprise in expected.before(Priority.LOW)]
        spreads.append(max(rates) / min(rates))

    assert spreads[1] < 2 < spreads[0]


def test_a_surge_in_a_lane_of_which_nothing_else_is_known_is_taken_to_last() -> None:
    """A hundred in 200 s are more than the lane can call; half a minute of silence tells."""
    rates = Rates.since(at(0))
    for n in range(100):
        rates = rates.arrived(Priority.HIGH, at(2 * n), POLICY)

    assert a_reminder(rates, 200).at is None
    assert a_reminder(rates, 200).reason == CROWDED


def test_a_surge_in_a_lane_that_is_known_is_weighed_against_what_is_usual_there() -> None:
    usually = steady(200)
    surging = usually
    for n in range(100):
        surging = surging.arrived(Priority.HIGH, at(86_400 + 2 * n), POLICY)

    before, amid, later = (
        told.at
        for told in (
            a_reminder(usually, 86_400),
            a_reminder(surging, 86_600),
            a_reminder(surging, 86_900),
        )
        if told.at is not None
    )

    assert before - at(86_400) < later - at(86_900) < amid - at(86_600)


def test_silence_after_a_surge_speaks_for_the_usual_rate() -> None:
    rates = steady(200)
    for n in range(300):
        rates = rates.arrived(Priority.HIGH, at(86_400 + 2 * n), POLICY)

    weights: list[float] = []
    for silent_s in (0, 60, 240):
        now = at(86_998 + silent_s)
        suppositions = outlook(rates, now, POLICY).before(Priority.LOW)
        weights.append(min(suppositions, key=lambda one: one[1].batches)[0])

    assert weights[0] == pytest.approx(0.1, abs=0.02)
    assert 0.1 < weights[1] < weights[2]
    assert weights[2] > 0.9


def test_no_rate_is_known_better_than_to_a_seventh() -> None:
    suppositions = outlook(steady(20), at(86_400), POLICY).before(Priority.LOW)

    rates = [surprise.batches for _, surprise in suppositions]

    assert max(rates) / min(rates) > 1.5


def test_a_load_that_was_not_seen_is_not_supposed() -> None:
    """Twenty in five minutes at 1.11 calls: some 0.7 of the slots, give or take a quarter."""
    suppositions = outlook(steady(15, lasts_s=300), at(300), POLICY).before(Priority.LOW)

    loads = [surprise.slot.mean for _, surprise in suppositions]

    assert 0.6 < loads[1] < 0.8
    assert max(loads) == pytest.approx(0.9, abs=0.01)


def test_what_is_supposed_is_the_rate_of_late_at_three_points_and_the_usual_one() -> None:
    """Watched for 20 minutes at a slot of 10 s; 24 batches of late, 29.5 in all, of one or three.

    Half a batch of one is supposed besides, so as many of each; one call in five fails, once. The
    usual rate counts as the six batches that are missing of late. No rate of more than 90 % of the
    slots, of 2·1.24 a batch, is supposed without having been seen.
    """
    sizes = tuple({1: 14.5, 3: 15.0}.get(size, 0.0) for size in SIZES)
    flow = Flow(at(0), at(1200), lately=24.0, sizes=sizes)
    rates = Rates((flow,) * len(Priority), Calls(calls=75.0, failures=19.5))

    found = outlook(rates, at(1200), POLICY._replace(max_attempts=2)).before(Priority.LOW)

    usual = 30 / (4320 * (1 - exp(-1 / 36)) + 5)
    rate = 30 / (120 * (1 - exp(-1)) + 6 / usual)
    low = rate * (1 - 1 / 270 - 1 / sqrt(90)) ** 3  # Wilson and Hilferty's, √3 from the middle.
    middle = rate * (1 - 1 / 270) ** 3
    by_hand = [(0.15, low), (0.6, middle), (0.15, 0.9 / 2.48), (0.1, usual)]
    weights = [weight for weight, _ in by_hand]
    assert [weight for weight, _ in found] == pytest.approx(weights, rel=1e-10)  # No silence yet.
    assert [one.batches for _, one in found] == pytest.approx([one for _, one in by_hand])
    spread = 1 / (3 * sqrt(30)) * sqrt(3)
    usually = [usual * (1 - 1 / 270 + z) ** 3 for z in (-spread, 0, spread)]
    assert [one.usual for _, one in found] == pytest.approx([*usually, usual])
    assert all(one.fades == pytest.approx(360) for _, one in found)
    assert all(one.again.mean == pytest.approx(0.2) for _, one in found)
    assert all(one.slot.mean == pytest.approx(one.batches * 2 * 1.2) for _, one in found)


def test_the_longest_silence_after_the_fastest_messages_leaves_something_to_expect() -> None:
    """Ten a second for a month, then none for an hour: e^-36,000 by the usual rate is no float."""
    sizes = (432_000.0,) + (0.0,) * (len(SIZES) - 1)
    flow = Flow(at(-30 * 86_400), at(0), lately=12_000.0, sizes=sizes)
    rates = Rates((flow,) * len(Priority))

    found = outlook(rates, at(3_600), POLICY._replace(pace_us=s(0.1))).before(Priority.LOW)

    assert sum(weight for weight, _ in found) == pytest.approx(1)


def test_a_failure_rate_that_is_guessed_widens_a_long_range() -> None:
    """Ten calls in a hundred failed: 10 ± 2.6 %, of 2,000 calls 53 slots' standard deviation."""
    rates = Rates.since(at(0))
    for n in range(100):
        rates = rates.called(s(10), POLICY, failed=n % 10 == 0)

    found = a_reminder(rates, 86_400, ahead=2_000)

    assert found.low_at is not None
    assert found.high_at is not None
    assert found.high_at - found.low_at > s(2 * 1.645 * 530 * 0.8)


@given(st.lists(st.tuples(st.sampled_from(Priority), st.integers(0, 10**8)), max_size=30))
def test_nothing_grows(messages: list[tuple[Priority, int]]) -> None:
    rates, now = Rates.since(at(0)), at(0)
    for priority, apart in messages:
        now += apart
        rates = rates.arrived(priority, now, POLICY)

    assert all(len(flow.sizes) == len(SIZES) for flow in rates.flows)
    assert all(min(flow.sizes) >= 0 for flow in rates.flows)
    assert rates.flows[Priority.LOW].lately <= len(messages)
    assert outlook(rates, now + HOUR, POLICY).before(Priority.LOW)


def test_jitter_is_expected_before_any_call_was_seen() -> None:
    policy = POLICY._replace(jitter_us=s(6))

    fresh, known = outlook(Rates.since(at(0)), at(0), policy).slot, nothing_comes(policy).slot

    assert (fresh.us, fresh.sd_us) == pytest.approx((known.us, known.sd_us))
    assert known.us == s(13)
