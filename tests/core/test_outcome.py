"""The closed vocabulary: its words as stored, and how far each outcome reaches unless told."""

import pytest

from waqcore.core.outcome import (
    Accepted,
    NotCalled,
    NotSent,
    Outcome,
    Refused,
    Rejected,
    SenderDown,
    Unknown,
    Unreachable,
    word,
)


@pytest.mark.parametrize(
    ("outcome", "stored"),
    [
        (Accepted(), "accepted"),
        (Refused("429"), "refused"),
        (NotSent("busy"), "not_sent"),
        (Unreachable("DNS"), "unreachable"),
        (Unknown("timeout"), "unknown"),
        (Rejected("no such number"), "rejected"),
        (SenderDown("logged out"), "sender_down"),
        (NotCalled("too late"), "not_called"),
    ],
)
def test_every_outcome_has_its_word(outcome: Outcome, stored: str) -> None:
    assert word(outcome) == stored


def test_a_refusal_closes_the_lane_unless_told() -> None:
    assert Refused("429").scope == "lane"
    assert Refused("429").retry_after_us is None


def test_a_gateway_out_of_reach_is_so_for_its_whole_account() -> None:
    assert Unreachable("DNS").scope == "account"


def test_a_sender_that_is_down_is_so_for_itself_alone() -> None:
    assert SenderDown("logged out").scope == "lane"
