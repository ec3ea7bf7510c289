"""The life of a message, its table written out by hand."""

import pytest

from tests.core.builders import a_message
from waqcore.core.errors import IllegalTransition
from waqcore.core.message import TRANSITIONS, Event, Priority, State, advance, states_taking

# From the promises, not from the code: a transition lost or added there is noticed here.
LIFE = {
    ("queued", "lease"): "sending",
    ("queued", "cancel"): "cancelled",
    ("queued", "expire"): "expired",
    ("queued", "lose"): "unknown",
    ("queued", "accept"): "sent",
    ("sending", "accept"): "sent",
    ("sending", "retry"): "queued",
    ("sending", "release"): "queued",
    ("sending", "fail"): "failed",
    ("sending", "lose"): "unknown",
    ("sending", "cancel"): "cancelled",
    ("cancelled", "restore"): "queued",
    ("cancelled", "accept"): "sent",
    ("failed", "retry by hand"): "queued",
    ("failed", "accept"): "sent",
    ("expired", "retry by hand"): "queued",
    ("expired", "accept"): "sent",
    ("unknown", "resolve sent"): "sent",
    ("unknown", "resolve resend"): "queued",
    ("unknown", "resolve drop"): "cancelled",
    ("unknown", "accept"): "sent",
}
PAIRS = [(state, event) for state in State for event in Event]


@pytest.mark.parametrize(("pair", "follows"), LIFE.items())
def test_a_pair_of_the_table_leads_to_its_state(pair: tuple[str, str], follows: str) -> None:
    state, event = pair

    assert advance(State(state), Event(event)) == follows


@pytest.mark.parametrize(
    ("state", "event"), [pair for pair in PAIRS if (pair[0].value, pair[1].value) not in LIFE]
)
def test_a_pair_that_is_not_in_the_table_raises_and_names_both(state: State, event: Event) -> None:
    with pytest.raises(IllegalTransition) as raised:
        advance(state, event)

    assert (raised.value.state, raised.value.event) == (state, event)
    assert str(raised.value) == f"a message that is '{state}' cannot take the event '{event}'"


def test_the_states_and_no_others_are_those_of_the_design() -> None:
    words = {"queued", "sending", "sent", "failed", "unknown", "cancelled", "expired"}

    assert {state.value for state in State} == words
    assert {state.value for state, _ in TRANSITIONS} == words - {"sent"}


def test_nothing_leaves_sent() -> None:
    assert [event for state, event in TRANSITIONS if state is State.SENT] == []


@pytest.mark.parametrize(
    ("event", "states"),
    [
        ("lease", ["queued"]),
        ("cancel", ["queued", "sending"]),
        ("lose", ["queued", "sending"]),
        ("retry by hand", ["failed", "expired"]),
        ("accept", ["sending", "queued", "unknown", "cancelled", "expired", "failed"]),
    ],
)
def test_the_states_an_event_may_find_are_known(event: str, states: list[str]) -> None:
    assert states_taking(Event(event)) == tuple(states)


def test_an_event_changes_the_state_and_what_it_is_told_to_and_nothing_else() -> None:
    message = a_message(7, Priority.HIGH)

    after = message.after(Event.CANCEL, reason="why")

    assert after == message._replace(state=State.CANCELLED, reason="why")


def test_an_event_that_is_illegal_changes_nothing_and_raises() -> None:
    with pytest.raises(IllegalTransition):
        a_message().after(Event.RESTORE)


def test_a_call_that_begins_is_one_attempt_more_and_changes_nothing_else() -> None:
    message = a_message()._replace(state=State.SENDING, attempts=2, failures=1)

    assert message.begun() == message._replace(attempts=3)


def test_bypass_goes_before_high_before_normal_before_low() -> None:
    assert [priority.word for priority in sorted(Priority)] == ["bypass", "high", "normal", "low"]
