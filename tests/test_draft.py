"""What an application hands over is checked whole, and refused with what to do about it."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from waqcore.core.message import OnUnknown
from waqcore.core.policy import Policy, Sender
from waqcore.draft import KEY_LENGTH_MAX, Draft, DraftError, Rules, check
from waqcore.phone import PhoneError
from waqcore.senders import Account, Fleet
from waqcore.settings import Kind
from waqcore.store.fresh import NewMessage
from waqcore.text import TextError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
WALL = 1_767_225_600_000_000
MPWA, SANDBOX = "628114040707", "628114040808"
FLEET = Fleet(
    {MPWA: Sender(MPWA, "m", Policy()), SANDBOX: Sender(SANDBOX, "s", Policy())},
    {"m": Account("m", Kind.MPWA, "http://x"), "s": Account("s", Kind.SANDBOX, "")},
)
RULES = Rules(fleet=FLEET, mobile_only=True, on_unknown=OnUnknown.RESEND)


def checked(**draft: Any) -> NewMessage:
    given = {"to": "081234567890", "body": "Halo", **draft}
    return check(Draft(**given), RULES, id_="m1", wall=WALL)


def refusal(**draft: Any) -> str:
    with pytest.raises(DraftError) as caught:
        checked(**draft)
    return str(caught.value)


def test_a_plain_draft_becomes_a_normal_message_of_the_first_sender() -> None:
    new = checked()

    assert (new.sender, new.recipient, new.body) == (MPWA, "+6281234567890", "Halo")
    assert (new.priority, new.enqueued_at) == (2, WALL)
    assert (new.send_at, new.expires_at, new.on_unknown) == (None, None, "resend")


@pytest.mark.parametrize(("word", "number"), [("high", 1), ("normal", 2), ("low", 3)])
def test_priorities_are_words(word: str, number: int) -> None:
    assert checked(priority=word).priority == number


@pytest.mark.parametrize("word", ["urgent", "HIGH", "bypass", ""])
def test_another_priority_is_refused_with_those_there_are(word: str) -> None:
    assert refusal(priority=word) == f"there is no priority {word!r}: it may be high, normal, low"


def test_an_unknown_sender_is_refused_with_those_there_are() -> None:
    assert refusal(sender="628999") == (
        f"sender '628999' is not configured; it may be one of {MPWA}, {SANDBOX}: "
        "see WHATSAPP_SENDER and WAQ_SENDERS"
    )


@pytest.mark.parametrize("text", ["Halo {nama}", "https://x.id/?a={1}", "pilih {a|b}"])
def test_braces_are_refused_where_the_gateway_would_rewrite_them(text: str) -> None:
    with pytest.raises(TextError, match="%7B and %7D"):
        checked(body=text)


def test_braces_are_kept_where_the_gateway_leaves_them() -> None:
    assert checked(body="Halo {nama}", sender=SANDBOX).body == "Halo {nama}"


def test_a_lone_brace_is_harmless() -> None:
    assert checked(body="a } b { c").body == "a } b { c"


def test_an_empty_text_and_a_bad_number_are_refused() -> None:
    with pytest.raises(TextError, match="empty"):
        checked(body=" \n ")
    with pytest.raises(PhoneError):
        checked(to="12")


def test_instants_are_taken_in_any_time_zone() -> None:
    jakarta = timezone(timedelta(hours=7))
    new = checked(send_at=datetime(2026, 1, 1, 8, tzinfo=jakarta))

    assert new.send_at == WALL + 3_600_000_000


def test_microseconds_of_an_instant_are_kept() -> None:
    assert checked(send_at=NOW.replace(microsecond=999_999)).send_at == WALL + 999_999


@pytest.mark.parametrize("name", ["send_at", "expires_at"])
def test_an_instant_without_a_time_zone_is_refused(name: str) -> None:
    line = refusal(**{name: datetime(2026, 1, 2)})  # noqa: DTZ001

    assert line == f"{name}: 2026-01-02T00:00:00 has no time zone; add one, such as +07:00"


@pytest.mark.parametrize("minutes", [0, -1])
def test_a_message_to_be_sent_at_or_after_its_expiry_is_refused(minutes: int) -> None:
    send_at = NOW + timedelta(hours=1)
    line = refusal(send_at=send_at, expires_at=send_at + timedelta(minutes=minutes))

    assert "is not before expires_at" in line


@pytest.mark.parametrize("passed", [timedelta(0), timedelta(hours=1)])
def test_an_expiry_that_has_passed_is_refused(passed: timedelta) -> None:
    assert "has passed already" in refusal(expires_at=NOW - passed)


@pytest.mark.parametrize("passed", [timedelta(0), timedelta(hours=1)])
def test_a_send_at_that_has_passed_is_none_so_that_it_overtakes_nobody(passed: timedelta) -> None:
    new = checked(send_at=NOW - passed, expires_at=NOW + timedelta(seconds=1))

    assert new.send_at is None


@pytest.mark.parametrize("name", ["idempotency_key", "reference"])
def test_a_key_may_be_as_long_as_an_index_entry_and_no_longer(name: str) -> None:
    longest = "k" * KEY_LENGTH_MAX

    assert getattr(checked(**{name: longest}), name) == longest
    for bad in (longest + "k", "", "a\nb", "a\x00b"):
        assert refusal(**{name: bad}).startswith(f"{name} must be 1 to 200 printable characters")


def test_what_to_do_about_an_unknown_outcome_is_resend_or_hold() -> None:
    assert checked(on_unknown="hold").on_unknown == "hold"
    assert refusal(on_unknown="x") == "on_unknown may be resend or hold, not 'x'"


def test_the_same_content_has_the_same_hash_whatever_its_id_and_instant() -> None:
    draft = Draft(to="0812 3456 7890", body=" Halo ", idempotency_key="k")

    other = check(draft, RULES, id_="m2", wall=WALL + 1)

    assert other.content_hash == checked(idempotency_key="other").content_hash


@pytest.mark.parametrize(
    "other",
    [
        {"body": "Hai"},
        {"to": "081234567891"},
        {"priority": "high"},
        {"sender": SANDBOX},
        {"reference": "REG-1"},
        {"send_at": NOW + timedelta(hours=1)},
        {"expires_at": NOW + timedelta(hours=1)},
        {"on_unknown": "hold"},
    ],
)
def test_whatever_changes_the_message_changes_its_hash(other: dict[str, Any]) -> None:
    keyed = checked(idempotency_key="k", **other)

    assert keyed.content_hash != checked(idempotency_key="k").content_hash


def test_what_has_no_key_has_no_hash() -> None:
    assert checked().content_hash == ""
