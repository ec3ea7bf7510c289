"""The whole life of one message, whatever becomes of its calls."""

from itertools import pairwise
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.core.builders import (
    POLICY,
    a_lane,
    a_message,
    at,
    s,
)
from waqcore.core.chance import Chance
from waqcore.core.instants import DAY, NEVER
from waqcore.core.message import Message, OnUnknown, State
from waqcore.core.outcome import (
    Accepted,
    NotCalled,
    NotSent,
    Outcome,
    Refused,
    Rejected,
    Scope,
    SenderDown,
    Unknown,
    Unreachable,
)
from waqcore.core.schedule import claim
from waqcore.core.settle import (
    settle,
)

NOW = at(2)


outcomes: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        Refused("429"),
        Refused("429", s(90), Scope.MESSAGE),
        NotSent("busy"),
        NotSent("broken"),
        Unreachable("DNS"),
        Unknown("timeout"),
        Unknown("reset"),
        Rejected("no such number"),
        SenderDown("logged out"),
        NotCalled("late"),
        Accepted(),
    ]
)


class Call(NamedTuple):
    outcome: Outcome
    leaves_after_us: int
    takes_us: int
    backoff: float


class Life(NamedTuple):
    message: Message
    called_at: list[int]
    made: list[Outcome]


def live(message: Message, calls: list[Call]) -> Life:
    """Claim and settle one message, each call at the first instant the lane and it allow."""
    lane, now = a_lane(), at(0)
    life = Life(message, [], [])
    for call in calls:
        if life.message.state is not State.QUEUED:
            break
        now = max(now, lane.ready_at(POLICY), life.message.retry_at)
        lane, leased = claim(
            lane, life.message, now, token="t", holder="d", until=NEVER, policy=POLICY
        )
        called_at = now + call.leaves_after_us
        now = called_at + call.takes_us
        if not isinstance(call.outcome, NotCalled):
            leased = leased._replace(attempts=leased.attempts + 1)
            life.called_at.append(called_at)
        life.made.append(call.outcome)
        u = Chance(call.backoff, 0)
        settled = settle(
            lane, leased, call.outcome, called_at=called_at, now=now, u=u, policy=POLICY
        )
        lane, life = settled.lane, life._replace(message=settled.message)
    return life


lives = st.builds(
    live,
    st.builds(
        a_message()._replace,
        on_unknown=st.sampled_from(OnUnknown),
        due_at=st.sampled_from([at(0), at(0) - DAY + s(30)]),
    ),
    st.lists(
        st.builds(
            Call,
            outcomes,
            st.integers(0, s(3)),
            st.integers(0, s(40)),
            st.floats(0, 1, exclude_max=True),
        ),
        max_size=20,
    ),
)


@given(lives)
def test_a_message_fails_for_three_failures_of_its_own_a_rejection_or_its_age(life: Life) -> None:
    own = sum(isinstance(outcome, NotSent) for outcome in life.made)

    assert own <= 3
    assert life.message.failures == own
    if life.message.state is State.FAILED:
        assert own == 3 or isinstance(life.made[-1], Rejected | Refused)


@given(lives)
def test_a_message_is_called_again_after_at_most_one_unknown_outcome_and_is_marked(
    life: Life,
) -> None:
    unknown = sum(isinstance(outcome, Unknown) for outcome in life.made)
    resent = sum(isinstance(outcome, Unknown) for outcome in life.made[:-1])

    assert resent <= (life.message.on_unknown is OnUnknown.RESEND)
    assert life.message.maybe_duplicate >= (resent > 0)
    if unknown == 2:
        assert life.message.state is State.UNKNOWN


@given(lives)
def test_a_message_in_doubt_never_ends_as_if_there_were_none(life: Life) -> None:
    in_doubt = any(isinstance(outcome, Unknown) for outcome in life.made)

    if in_doubt and not isinstance(life.made[-1], Accepted):
        assert life.message.unresolved
        assert life.message.state in (State.QUEUED, State.UNKNOWN)
    else:
        assert not life.message.unresolved
        assert life.message.state is not State.UNKNOWN


@given(lives)
def test_calls_of_one_message_start_a_pace_apart_whatever_becomes_of_them(life: Life) -> None:
    starts = life.called_at

    assert all(later - earlier >= s(10) for earlier, later in pairwise(starts))


@given(lives)
def test_an_ended_message_stays_ended_and_only_an_acceptance_makes_it_sent(life: Life) -> None:
    ends = {State.QUEUED, State.SENT, State.FAILED, State.UNKNOWN}

    assert life.message.state in ends
    assert (life.message.state is State.SENT) == any(
        isinstance(outcome, Accepted) for outcome in life.made
    )
