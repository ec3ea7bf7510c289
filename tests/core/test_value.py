"""What the core's values have in common."""

import pytest

from tests.core.builders import a_lane, a_message, at
from waqcore.core.message import Message, Priority
from waqcore.core.schedule import Idle, Probe, Step


def test_a_value_does_not_change() -> None:
    message = a_message()

    with pytest.raises(AttributeError, match="immutable"):
        message.attempts = 1  # type: ignore[misc]


def test_a_copy_differs_in_what_was_changed_alone() -> None:
    message = Message(7, "m7", Priority.LOW, at(1))

    copy = message._replace(failures=2, reason="busy")

    assert (copy.failures, copy.reason) == (2, "busy")
    assert copy._replace(failures=0, reason="") == message


def test_a_copy_with_a_field_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="failure"):
        a_message()._replace(failure=1)


def test_values_are_compared_by_kind_and_by_what_they_hold() -> None:
    assert a_lane(closed_until=at(5)) == a_lane(closed_until=at(5))
    assert a_lane(closed_until=at(5)) != a_lane(closed_until=at(6))
    idle: Step = Idle()
    assert idle != Probe()
