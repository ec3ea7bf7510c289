"""P7: when a message will be called for, in what range, and what is said where nobody knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import (
    POLICY,
    a_lane,
    a_lease,
    at,
    broken,
    by_gateway,
    by_person,
    leased,
    s,
)
from waqcore.core.course import Place
from waqcore.core.forecast import BROKEN, CROWDED, OPEN_ENDED, Eta, eta, law
from waqcore.core.instants import HOUR
from waqcore.core.lane import Lane
from waqcore.core.message import Priority
from waqcore.core.outlook import Outlook, Slot, nothing_comes
from waqcore.core.policy import Cap, Policy
from waqcore.core.surprise import Supposition

NOW = at(0)
LONG_DUE = at(-60)


def expecting(supposed: Supposition, *, slot: Slot | None = None) -> Outlook:
    """An outlook in which every priority has the same before it."""
    return Outlook(slot or Slot(s(10)), [((1.0, supposed),)] * (len(Priority) + 1))


def at_place(ahead: int = 0, *, due_at: int = LONG_DUE) -> Place:
    """The place of a reminder."""
    return Place(Priority.LOW, due_at, ahead, loud=ahead)


def told(lane: Lane, place: Place, expected: Outlook | None = None, policy: Policy = POLICY) -> Eta:
    """A forecast made now; where nothing else is said, nothing comes."""
    return eta(lane, place, NOW, policy, expected or nothing_comes(policy))


def exactly(in_s: float) -> Eta:
    """What is told where nothing can happen."""
    return Eta(at(in_s), at(in_s), at(in_s))


@pytest.mark.parametrize(("ahead", "in_s"), [(0, 0), (1, 10), (3, 30), (199, 1990), (100_000, 1e6)])
def test_where_nothing_comes_a_message_goes_after_those_before_it(ahead: int, in_s: float) -> None:
    assert told(a_lane(), at_place(ahead)) == exactly(in_s)


@pytest.mark.parametrize("held_by", ["paced_until", "closed_until", "opens_at"])
def test_a_slot_begins_where_the_lane_is_ready(held_by: str) -> None:
    assert told(a_lane(**{held_by: at(4)}), at_place(2)) == exactly(24)


def test_a_message_does_not_go_before_it_is_due() -> None:
    assert told(a_lane(), at_place(2, due_at=at(20.5))) == exactly(20.5)
    assert told(a_lane(), at_place(2, due_at=at(19.5))) == exactly(20)


def test_a_call_in_flight_comes_a_slot_before() -> None:
    assert told(leased(paced_until=at(-5)), at_place()) == exactly(10)
    assert told(leased(paced_until=at(-5)), at_place(1)) == exactly(20)


def test_a_call_long_in_flight_does_not_put_the_next_in_the_past() -> None:
    late = eta(leased(), at_place(), at(60), POLICY, nothing_comes(POLICY))

    assert late == exactly(60)


@pytest.mark.parametrize(("idle_since_s", "due_s", "opens_s"), [(-60, -2, 3), (-1, -2, 4)])
def test_a_message_that_an_idle_lane_has_not_seen_yet_will_open_its_gather(
    idle_since_s: float, due_s: float, opens_s: float
) -> None:
    lane = a_lane()._replace(idle_since=at(idle_since_s))
    gathering = POLICY._replace(gather_us=s(5))

    predicted = told(lane, at_place(1, due_at=at(due_s)), policy=gathering)

    assert predicted == exactly(opens_s + 10)


def test_a_lane_that_does_not_gather_or_has_seen_its_arrivals_opens_nothing() -> None:
    gathering = POLICY._replace(gather_us=s(50))
    idle = a_lane()._replace(idle_since=at(-1))

    assert told(idle, at_place(due_at=NOW)) == exactly(0)
    assert told(a_lane(), at_place(due_at=NOW), policy=gathering) == exactly(0)
    in_flight = idle._replace(lease=a_lease())
    assert told(in_flight, at_place(due_at=NOW), policy=gathering) == exactly(10)


def test_a_full_cap_is_waited_for() -> None:
    lane = a_lane(cap_since=at(-60), cap_calls=5)
    policy = POLICY._replace(cap=Cap(calls=5, window_us=HOUR))

    assert told(lane, at_place(1), policy=policy) == exactly(3600 - 60 + 10)


def test_a_cap_that_those_before_it_will_fill_is_waited_for() -> None:
    """Two are left of this window's five, five fit in the next: the ninth is the first after."""
    lane = a_lane(cap_since=at(-60), cap_calls=3)
    policy = POLICY._replace(cap=Cap(calls=5, window_us=HOUR))

    assert told(lane, at_place(1), policy=policy) == exactly(10)
    assert told(lane, at_place(2), policy=policy) == exactly(3540)
    assert told(lane, at_place(6), policy=policy) == exactly(3580)
    assert told(lane, at_place(7), policy=policy) == exactly(3540 + 3600)


def test_a_pause_without_an_end_has_no_eta_and_says_why() -> None:
    paused, down = (a_lane()._replace(pause=one) for one in (by_person(), by_gateway()))

    assert told(paused, at_place()) == Eta(None, reason="paused: lunch")
    assert told(down, at_place()) == Eta(None, reason="paused: disconnected")


def test_a_gateways_pause_is_unknown_though_it_may_have_an_end() -> None:
    lane = a_lane()._replace(pause=by_gateway()._replace(until=at(60)))

    assert told(lane, at_place()) == Eta(None, reason="paused: disconnected")


@pytest.mark.parametrize(("ready_s", "until_s", "in_s"), [(5, 60, 80), (90, 60, 110), (0, 0, 20)])
def test_a_pause_with_an_end_is_known(ready_s: float, until_s: float, in_s: float) -> None:
    lane = a_lane(paced_until=at(ready_s))._replace(pause=by_person(until=at(until_s)))

    assert told(lane, at_place(2)) == exactly(in_s)


def test_a_failing_gateway_is_guessed_to_recover_as_it_has_failed() -> None:
    """Broken for 45 s: with even odds that long again; by 5 and 95 %, 1/19 and 19 times it.

    Probes came after 15 and then 30 s more, of which the second is 30 s away.
    """
    lane = a_lane()._replace(trouble=broken(at(30), probes=1))

    predicted = eta(lane, at_place(1), at(30), POLICY, nothing_comes(POLICY))

    assert predicted == Eta(at(30 + 45 + 10), at(30 + 45 / 19 + 10), at(30 + 45 * 19 + 10), BROKEN)


def test_a_gateway_that_began_to_fail_lately_is_guessed_to_recover_soon() -> None:
    """Broken for 10 s: by 95 %, 19 times as long again; the next probe is 5 s away."""
    lane = a_lane()._replace(trouble=broken(at(5)))

    predicted = told(lane, at_place())

    assert predicted == Eta(at(10), at(5), at(190), BROKEN)


def test_a_failing_gateway_does_not_recover_before_its_probe() -> None:
    predicted = told(a_lane()._replace(trouble=broken(at(15))), at_place(1))

    assert (predicted.low_at, predicted.at) == (at(25), at(25))


def test_higher_ranks_that_may_come_make_a_range() -> None:
    """One ahead, μ = 0.5, so θ = 0.5: θ(θ+nμ)ⁿ⁻¹·e^(-θ-nμ)/n! is 0.607, 0.184, 0.084, 0.045, 0.027
    and 0.017 for none to five; together 0.946 with four extra slots and 0.963 with five."""
    predicted = told(a_lane(), at_place(1), expecting(Supposition(0.5)))

    assert predicted == Eta(at(10), at(10), at(60))


def test_a_range_has_no_end_where_the_last_tenth_may_never_be_called() -> None:
    """μ = 2 and a delay of 0.05 slots: what comes dies out with q = 0.203 for each."""
    rarely = told(a_lane(paced_until=at(0.5)), at_place(), expecting(Supposition(2.0)))
    mostly = told(a_lane(), at_place(3), expecting(Supposition(2.0)))

    assert rarely == Eta(at(0.5), at(0.5), None, OPEN_ENDED)
    assert mostly == Eta(None, None, None, CROWDED)


def test_jitter_moves_the_middle_by_half_and_widens_the_range_by_its_root() -> None:
    """Gaps of 10 to 14 s: after 100 of them, 1200 ± 1.645·4/√12·√100 s."""
    policy = POLICY._replace(jitter_us=s(4))

    predicted = told(a_lane(), at_place(100), policy=policy)

    assert predicted.at == pytest.approx(at(1200), abs=s(0.1))
    assert predicted.low_at == pytest.approx(at(1200 - 18.99), abs=s(0.2))
    assert predicted.high_at == pytest.approx(at(1200 + 18.99), abs=s(0.2))


def test_a_guessed_slot_makes_a_range_that_grows_with_the_distance() -> None:
    unsure = expecting(Supposition(), slot=Slot(s(10), unsure_us=s(0.1)))

    predicted = told(a_lane(), at_place(1000), unsure)

    assert predicted.high_at == pytest.approx(at(10_000 + 164.5), rel=0, abs=s(3))


def test_a_guessed_share_of_failures_spreads_a_slot_where_it_adds_up() -> None:
    """10 % more or fewer of 20 calls are two slots; of five, half of one."""
    unsure = Outlook(Slot(s(10)), [((1.0, Supposition()),)] * 5, unsure_failure=0.1)

    far = law(a_lane(), at_place(20), NOW, POLICY, unsure)
    near = law(a_lane(), at_place(5), NOW, POLICY, unsure)

    assert far.reached(at(200 + 20)) == pytest.approx(0.841, abs=0.001)
    assert (near.reached(at(50) - 1), near.reached(at(50))) == (0.0, 1.0)


def test_no_range_begins_in_the_past() -> None:
    erratic = expecting(Supposition(), slot=Slot(s(10), sd_us=s(40)))

    assert told(a_lane(), at_place(1), erratic).low_at == NOW


def test_a_message_that_is_being_sent_and_goes_before_it_may_come_back() -> None:
    failing = expecting(Supposition(failure=0.2))
    place = at_place()

    alone = law(leased(), place, NOW, POLICY, failing)
    before = law(leased(), place._replace(returning=True), NOW, POLICY, failing)

    assert alone.reached(at(10)) == 1.0
    assert before.reached(at(10)) == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("backoff_s", "return_in_time"),
    [
        (5, 1 + 0.4 + 0.8),  # The last two before it: in 2 of 5 s, and in 4 of 5.
        (4, 2 + 0.5),
        (2, 3),
        (0, 3),
    ],
)
def test_a_failed_message_comes_back_in_time_only_if_its_backoff_ends_before(
    backoff_s: float, return_in_time: float
) -> None:
    """At a pace of 2 s, of three before it."""
    policy = POLICY._replace(pace_us=s(2), backoff_base_us=s(backoff_s))
    failing = expecting(Supposition(failure=0.1, max_attempts=2), slot=Slot(s(2)))

    found = law(a_lane(), at_place(3), NOW, policy, failing)

    assert found.reached(at(6)) == pytest.approx(0.9**return_in_time)


rates = st.floats(0.0, 0.4)


@given(st.integers(0, 400), st.integers(0, 400), rates, st.floats(0.0, 0.2))
def test_one_more_before_it_never_makes_it_earlier(
    one: int, other: int, batches: float, failure: float
) -> None:
    expected = expecting(Supposition(batches, failure=failure))
    nearer, farther = (told(a_lane(), at_place(n), expected) for n in sorted((one, other)))

    for near, far in zip(nearer[:3], farther[:3], strict=True):
        assert near is not None
        assert far is not None
        assert near <= far + s(10)  # A slot, where the curve takes over from the exact.


@given(st.integers(0, 400), rates, st.floats(0.0, 0.2), st.floats(0.0, 40.0))
def test_a_range_begins_no_earlier_than_is_known_and_holds_its_middle(
    ahead: int, batches: float, failure: float, sd_s: float
) -> None:
    slot = Slot(s(10), sd_us=s(sd_s))
    found = told(
        a_lane(), at_place(ahead), expecting(Supposition(batches, failure=failure), slot=slot)
    )

    assert found.low_at is not None
    assert found.at is not None
    assert found.high_at is not None
    assert NOW <= found.low_at <= found.at <= found.high_at
    assert sd_s > 0 or found.low_at >= at(10 * ahead)


@given(st.integers(0, 100), rates, st.lists(st.floats(0.01, 0.99), min_size=2, max_size=5))
def test_wider_levels_hold_narrower_ones(ahead: int, batches: float, levels: list[float]) -> None:
    found = law(a_lane(), at_place(ahead), NOW, POLICY, expecting(Supposition(batches)))
    instants = [found.quantile(level) for level in sorted(levels)]

    assert instants == sorted(one for one in instants if one is not None)


@given(st.integers(0, 60), rates, st.floats(0.02, 0.98))
def test_a_quantile_is_the_first_slot_that_reaches_its_level(
    ahead: int, batches: float, level: float
) -> None:
    found = law(a_lane(), at_place(ahead), NOW, POLICY, expecting(Supposition(batches)))
    instant = found.quantile(level)

    assert instant is not None
    assert found.reached(instant) >= level > found.reached(instant - s(10))
