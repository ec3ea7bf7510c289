"""What a lane's past tells: sums that forget, batches, gaps, and the outlook made of them."""

from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import POLICY, a_lane, at, s
from waqcore.core.course import Place
from waqcore.core.forecast import CROWDED, Eta, eta
from waqcore.core.instants import HOUR, MINUTE
from waqcore.core.message import Priority
from waqcore.core.outlook import nothing_comes, outlook
from waqcore.core.policy import Policy
from waqcore.core.rates import CALLS, LATELY_US, SIZES, USUALLY_US, Flow, Rates

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


def test_a_large_batch_counts_as_the_nearest_size() -> None:
    flow = came(*(n / 100 for n in range(70)))

    assert dict(zip(SIZES, flow.sizes, strict=True))[64] == pytest.approx(1, abs=0.001)
    assert sum(flow.sizes) == pytest.approx(1, abs=0.001)


def test_a_clock_set_back_makes_nothing_younger() -> None:
    flow = came(100, 40)

    assert flow.as_of == at(100)
    assert flow.seen_lately(at(50)).batches == flow.lately


def test_a_message_is_felt_by_its_own_priority_and_those_below() -> None:
    rates = Rates.since(at(0)).arrived(Priority.NORMAL, at(1), POLICY)

    assert [flow.last for flow in rates.flows] == [0, 0, 1, 1]


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
