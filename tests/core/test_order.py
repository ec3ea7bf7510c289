"""P3: which of the messages that are due goes first."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import a_message, at, s
from waqcore.core.message import Message, Priority
from waqcore.core.order import first, place
from waqcore.core.policy import TimeShift

BYPASS, HIGH, NORMAL, LOW = Priority
HEAD_START = TimeShift(high_us=s(60), normal_us=s(20))


def assert_goes_before(
    winner: Message, loser: Message, time_shift: TimeShift | None = None
) -> None:
    for heads in permutations((winner, loser)):
        assert first(heads, time_shift) == winner


@pytest.mark.parametrize(("higher", "lower"), [(BYPASS, HIGH), (HIGH, NORMAL), (NORMAL, LOW)])
def test_a_higher_priority_goes_first_however_late_it_fell_due(
    higher: Priority, lower: Priority
) -> None:
    assert_goes_before(a_message(2, higher, at(86_400)), a_message(1, lower, at(0)))


def test_inside_a_priority_the_first_due_goes_first_whatever_its_number() -> None:
    assert_goes_before(a_message(2, NORMAL, at(0)), a_message(1, NORMAL, at(0) + 1))


def test_messages_due_at_one_instant_go_in_sequence() -> None:
    assert_goes_before(a_message(1, NORMAL, at(0)), a_message(2, NORMAL, at(0)))


def test_a_retry_has_its_old_place() -> None:
    retried = a_message(1, NORMAL, at(0))._replace(retry_at=at(50), failures=2, attempts=2)

    assert_goes_before(retried, a_message(2, NORMAL, at(10)))


def test_a_single_head_goes_first() -> None:
    assert first([a_message(4, LOW)], None) == a_message(4, LOW)
    assert first([a_message(4, LOW)], HEAD_START) == a_message(4, LOW)


def test_a_place_is_priority_then_first_due_instant_then_sequence() -> None:
    assert place(a_message(5, LOW, at(3))) == (3, at(3), 5)


def test_a_head_start_lets_high_overtake_a_low_message_due_up_to_that_long_before() -> None:
    low = a_message(1, LOW, at(0))

    assert_goes_before(a_message(2, HIGH, at(60) - 1), low, HEAD_START)
    assert_goes_before(a_message(2, HIGH, at(60)), low, HEAD_START)
    assert_goes_before(low, a_message(2, HIGH, at(60) + 1), HEAD_START)


def test_a_head_start_lets_normal_overtake_a_low_message_due_up_to_that_long_before() -> None:
    low = a_message(1, LOW, at(0))

    assert_goes_before(a_message(2, NORMAL, at(20)), low, HEAD_START)
    assert_goes_before(low, a_message(2, NORMAL, at(20) + 1), HEAD_START)


def test_high_and_normal_differ_by_the_difference_of_their_head_starts() -> None:
    normal = a_message(1, NORMAL, at(0))

    assert_goes_before(a_message(2, HIGH, at(40)), normal, HEAD_START)
    assert_goes_before(normal, a_message(2, HIGH, at(40) + 1), HEAD_START)


def test_messages_of_one_priority_keep_their_order_under_a_time_shift() -> None:
    assert_goes_before(a_message(2, LOW, at(0)), a_message(1, LOW, at(1)), HEAD_START)
    assert_goes_before(a_message(1, LOW, at(0)), a_message(2, LOW, at(0)), HEAD_START)


@pytest.mark.parametrize("time_shift", [None, HEAD_START, TimeShift(high_us=s(86_400))])
def test_a_bypass_goes_before_everything_with_or_without_a_time_shift(
    time_shift: TimeShift | None,
) -> None:
    assert_goes_before(a_message(2, BYPASS, at(900)), a_message(1, HIGH, at(0)), time_shift)


@given(st.lists(st.tuples(st.sampled_from(Priority), st.integers(0, 3)), min_size=1, max_size=8))
def test_strictly_nothing_due_goes_before_the_first(drawn: list[tuple[Priority, int]]) -> None:
    heads = [a_message(seq, priority, due_at) for seq, (priority, due_at) in enumerate(drawn)]

    chosen = first(heads, None)

    assert not [head for head in heads if head.priority < chosen.priority]
    peers = [head for head in heads if head.priority is chosen.priority]
    assert min(head.due_at for head in peers) == chosen.due_at
    assert min(head.seq for head in peers if head.due_at == chosen.due_at) == chosen.seq


@given(
    st.integers(0, 100),
    st.lists(st.integers(0, 300), min_size=1, max_size=30),
    st.integers(0, 100),
)
def test_a_time_shift_bounds_how_many_overtake_a_low_message(
    low_due: int, high_dues: list[int], head_start: int
) -> None:
    low = a_message(0, LOW, low_due)
    waiting = [a_message(seq, HIGH, due_at) for seq, due_at in enumerate(sorted(high_dues), 1)]
    overtaking = []

    while waiting and first([waiting[0], low], TimeShift(head_start)) != low:
        overtaking.append(waiting.pop(0))

    assert all(high.due_at <= low_due + head_start for high in overtaking)
    assert all(high.due_at > low_due + head_start for high in waiting)
