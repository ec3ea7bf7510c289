"""The oracle, against timelines worked out by hand, in whole seconds at a pace of 10."""

import numpy as np
import pytest

from simulations import oracle
from simulations.workload import Ints

PACE = 10
HIGH, NORMAL, LOW = 1, 2, 3


def instants(*seconds: int) -> Ints:
    return np.array(seconds, dtype=np.int64)


@pytest.mark.parametrize(
    ("due", "sends"),
    [
        ([], []),
        ([7], [7]),
        ([0, 1, 2, 3, 4], [0, 10, 20, 30, 40]),
        ([4, 1, 3, 0, 2], [0, 10, 20, 30, 40]),  # Whose they are is not asked.
        ([5, 5, 5], [5, 15, 25]),
        ([0, 10, 20], [0, 10, 20]),
        ([0, 9, 20], [0, 10, 20]),
        ([0, 11, 20], [0, 11, 21]),
        ([0, 0, 100, 103], [0, 10, 100, 110]),
    ],
)
def test_a_call_starts_when_something_is_due_and_the_pace_has_passed(
    due: list[int], sends: list[int]
) -> None:
    assert oracle.send_instants(instants(*due), PACE).tolist() == sends


def test_the_first_due_waits_for_those_before_it() -> None:
    assert oracle.fifo_waits_us(instants(0, 1, 2, 40), PACE).tolist() == [0, 9, 18, 0]


def test_waiting_is_handed_over_and_never_lost() -> None:
    """Sends at 0, 10, 20 and 40 for what was due at 0, 1, 2 and 40."""
    assert oracle.total_wait_us(instants(2, 40, 0, 1), PACE) == 27


def test_a_slot_goes_to_the_smallest_place_then_due() -> None:
    due = instants(0, 1, 2, 11)
    places = [(LOW, 0), (LOW, 1), (NORMAL, 2), (HIGH, 11)]

    assert oracle.timeline(due, places, PACE).tolist() == [0, 30, 10, 20]


def test_what_falls_due_at_the_instant_of_a_slot_takes_part_in_it() -> None:
    due = instants(0, 1, 10)
    places = [(LOW, 0), (LOW, 1), (HIGH, 10)]

    assert oracle.timeline(due, places, PACE).tolist() == [0, 20, 10]


def test_what_falls_due_just_after_a_slot_does_not() -> None:
    due = instants(0, 1, 11)
    places = [(LOW, 0), (LOW, 1), (HIGH, 11)]

    assert oracle.timeline(due, places, PACE).tolist() == [0, 10, 20]
