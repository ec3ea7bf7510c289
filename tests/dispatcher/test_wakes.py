"""The next instant of every lane, and the first of them all."""

from waqcore.core.instants import NEVER
from waqcore.dispatcher.wakes import Wakes

MANY = 1_000


def test_with_no_lane_there_is_nothing_to_wake_for() -> None:
    wakes = Wakes()

    assert wakes.earliest() == NEVER
    assert wakes.pop_due(10, 10) == []


def test_lanes_come_out_when_due_in_the_order_of_their_instants() -> None:
    wakes = Wakes()
    for sender, at in (("a", 30), ("b", 10), ("c", 20)):
        wakes.set(sender, at)

    assert wakes.earliest() == 10
    assert wakes.pop_due(20, 10) == ["b", "c"]
    assert wakes.earliest() == 30


def test_setting_a_lane_anew_forgets_its_old_instant() -> None:
    wakes = Wakes()
    wakes.set("a", 10)
    wakes.set("a", 30)

    assert wakes.pop_due(20, 10) == []
    wakes.set("a", 15)
    assert wakes.pop_due(20, 10) == ["a"]
    assert wakes.pop_due(40, 10) == []


def test_a_lane_that_waits_for_news_alone_is_never_due() -> None:
    wakes = Wakes()
    wakes.set("a", 10)
    wakes.set("a", NEVER)

    assert wakes.earliest() == NEVER
    wakes.set("a", 10)
    assert wakes.pop_due(10, 10) == ["a"]


def test_no_more_lanes_come_out_than_asked_for_the_longest_waiting_first() -> None:
    wakes = Wakes()
    for sender, at in (("a", 3), ("b", 1), ("c", 2)):
        wakes.set(sender, at)

    assert wakes.pop_due(10, 2) == ["b", "c"]
    assert wakes.pop_due(10, 2) == ["a"]
    assert wakes.pop_due(10, 0) == []


def test_lanes_that_are_looked_at_again_and_again_do_not_fill_the_heap() -> None:
    wakes = Wakes()
    for n in range(10_000):
        wakes.set("a", 1_000_000 + n % 2)
        wakes.set("b", 500)

    assert wakes.earliest() == 500
    assert wakes.pop_due(2_000_000, 10) == ["b", "a"]
    assert len(wakes._heap) < 200
