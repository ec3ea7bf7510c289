"""What a probe makes of the lane it was made for, and of those that share it."""

import pytest

from tests.core.builders import (
    POLICY,
    a_lane,
    at,
    broken,
    by_gateway,
    by_person,
    s,
)
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane, Pause, PausedBy, Trouble
from waqcore.core.outcome import (
    Healthy,
    Scope,
    SenderDown,
    Unreachable,
)
from waqcore.core.settle import (
    Alert,
    held_alert,
    probed,
)

NOW = at(2)


def test_a_good_probe_leaves_the_lane_on_trial() -> None:
    lane = a_lane()._replace(pause=by_gateway(), trouble=broken(at(60), probes=2))

    after = probed(lane, Healthy(), NOW, POLICY)

    assert after == a_lane()._replace(pause=None, trouble=Trouble(probes=2))


def test_a_good_probe_does_not_end_a_persons_pause() -> None:
    lane = a_lane()._replace(pause=by_person(), trouble=broken(at(60)))

    after = probed(lane, Healthy(), NOW, POLICY)

    assert (after.pause, after.trouble.open) == (by_person(), False)


def test_a_good_probe_after_a_timed_pause_has_ended_is_heard_of() -> None:
    lane = a_lane()._replace(pause=by_person(until=NOW), trouble=broken(at(0)))

    assert held_alert(lane, probed(lane, Healthy(), NOW, POLICY)) == Alert.LANE_RECOVERED


def test_a_probe_that_finds_the_gateway_out_of_reach_changes_nothing() -> None:
    lane = a_lane()._replace(trouble=broken(at(60), probes=1))

    assert probed(lane, Unreachable("DNS"), NOW, POLICY) == lane


def test_a_probe_that_finds_the_sender_down_pauses_with_the_reason() -> None:
    lane = a_lane()._replace(trouble=broken(at(60), probes=1, scope=Scope.ACCOUNT))

    after = probed(lane, SenderDown("logged out"), NOW, POLICY)

    assert after.pause == Pause(PausedBy.GATEWAY, "logged out", NOW, NEVER)
    assert after.trouble == broken(NOW + s(30), probes=1, scope=Scope.LANE)


@pytest.mark.parametrize(
    ("before", "after", "alert"),
    [
        (a_lane(), a_lane(), None),
        (a_lane(), a_lane()._replace(pause=by_gateway()), Alert.LANE_PAUSED),
        (a_lane(), a_lane()._replace(trouble=broken(at(9))), Alert.BREAKER_OPENED),
        (a_lane()._replace(pause=by_gateway()), a_lane(), Alert.LANE_RECOVERED),
        (a_lane()._replace(trouble=broken(at(9))), a_lane(), Alert.LANE_RECOVERED),
        (a_lane()._replace(pause=by_gateway()), a_lane()._replace(pause=by_gateway()), None),
        (a_lane()._replace(trouble=broken(at(9))), a_lane()._replace(trouble=broken(at(9))), None),
        (
            a_lane()._replace(pause=by_gateway(), trouble=broken(at(9))),
            a_lane()._replace(pause=by_gateway()),
            None,
        ),
        (
            a_lane()._replace(pause=by_gateway(), trouble=broken(at(9))),
            a_lane()._replace(trouble=broken(at(9))),
            None,
        ),
        (
            a_lane()._replace(trouble=broken(at(9))),
            a_lane()._replace(pause=by_gateway(), trouble=broken(at(9))),
            Alert.LANE_PAUSED,
        ),
        (
            a_lane()._replace(pause=by_person(until=at(0))),
            a_lane()._replace(pause=by_gateway()),
            Alert.LANE_PAUSED,
        ),
    ],
)
def test_a_person_hears_once_of_a_lane_that_is_held_or_released(
    before: Lane, after: Lane, alert: Alert | None
) -> None:
    assert held_alert(before, after) == alert
