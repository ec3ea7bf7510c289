"""What the trouble of a gateway account makes of its other lanes."""

import pytest

from tests.core.builders import (
    POLICY,
    a_lane,
    at,
    broken,
    by_person,
    s,
)
from waqcore.core.instants import NEVER
from waqcore.core.lane import Pause, PausedBy, Trouble
from waqcore.core.outcome import (
    Accepted,
    Healthy,
    NotCalled,
    NotSent,
    Outcome,
    ProbeResult,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.schedule import Idle, Waiting, next_step
from waqcore.core.settle import (
    probed_for,
    share,
)

NOW = at(2)


def test_an_accounts_refusal_closes_its_other_lanes_as_long_as_the_one_it_came_to() -> None:
    refused = Refused("429", None, Scope.ACCOUNT)
    source = a_lane(closed_until=at(7))

    assert share(a_lane(), refused, NOW, POLICY, source=source) == source
    later = a_lane(closed_until=at(90))
    assert share(later, refused, NOW, POLICY, source=source) == later


def test_an_accounts_bad_key_is_over_for_all_its_lanes_with_one_good_probe() -> None:
    down = SenderDown("bad key", Scope.ACCOUNT)
    paused = share(a_lane(), down, NOW, POLICY, source=a_lane())

    after = share(paused, Healthy(), at(15), POLICY, source=a_lane())

    assert after.pause is None
    assert next_step(after, Waiting(), at(15), POLICY) == Idle()


def test_where_one_sender_alone_is_down_the_others_ask_for_themselves_at_once() -> None:
    lane = a_lane()._replace(trouble=broken(at(60), 1, Scope.ACCOUNT))

    after = probed_for(lane, SenderDown("disconnected"), at(5), POLICY)

    assert after.pause is None
    assert (after.trouble.scope, after.trouble.probe_at) == (Scope.LANE, at(5))
    assert probed_for(lane, Healthy(), at(5), POLICY).trouble == Trouble(probes=1)


def test_a_probe_for_the_account_that_finds_it_down_pauses_each_of_its_lanes() -> None:
    lane = a_lane()._replace(trouble=broken(at(60), 1, Scope.ACCOUNT))

    after = probed_for(lane, SenderDown("bad key", Scope.ACCOUNT), NOW, POLICY)

    assert after.pause == Pause(PausedBy.GATEWAY, "bad key", NOW, NEVER)
    assert after.trouble == broken(NOW + s(30), 1, Scope.ACCOUNT)


def test_a_gateway_out_of_reach_breaks_every_lane_of_its_account() -> None:
    lane = share(a_lane(), Unreachable("DNS"), NOW, POLICY, source=a_lane())

    assert lane == a_lane()._replace(trouble=broken(NOW + s(15), scope=Scope.ACCOUNT))
    assert share(lane, Unreachable("DNS"), at(9), POLICY, source=a_lane()) == lane


def test_an_accounts_bad_key_pauses_its_other_lanes_but_for_those_a_person_paused() -> None:
    down = SenderDown("bad key", Scope.ACCOUNT)
    by_hand = a_lane()._replace(pause=by_person())

    lane = share(a_lane(), down, NOW, POLICY, source=a_lane())

    assert lane.pause == Pause(PausedBy.GATEWAY, "bad key", NOW, NEVER)
    assert lane.trouble.probe_at == NOW + s(15)
    assert share(by_hand, down, NOW, POLICY, source=a_lane()) == by_hand


def test_a_good_probe_puts_the_accounts_broken_lanes_on_trial_and_no_others() -> None:
    of_account = a_lane()._replace(trouble=broken(at(60), 1, Scope.ACCOUNT))
    of_its_own = a_lane()._replace(trouble=broken(at(60), 1, Scope.LANE))
    closed = a_lane()._replace(trouble=Trouble(probes=1, scope=Scope.LANE))

    assert share(of_account, Healthy(), NOW, POLICY, source=a_lane()).trouble == Trouble(probes=1)
    assert share(of_its_own, Healthy(), NOW, POLICY, source=a_lane()) == of_its_own
    assert share(closed, Healthy(), NOW, POLICY, source=a_lane()) == closed


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted(),
        NotSent("busy"),
        Unknown("timeout"),
        Rejected("no such number"),
        NotCalled("late"),
    ],
)
def test_what_concerns_one_message_concerns_no_other_lane(outcome: Outcome) -> None:
    lane = a_lane()._replace(trouble=Trouble(troubled=(1, 2)))

    assert share(lane, outcome, NOW, POLICY, source=a_lane()) == lane


def test_a_probe_result_is_shared_as_an_outcome_is() -> None:
    results: list[ProbeResult] = [Unreachable("DNS"), SenderDown("bad key", Scope.ACCOUNT)]

    assert [
        share(a_lane(), result, NOW, POLICY, source=a_lane()) == a_lane() for result in results
    ] == [False] * 2
