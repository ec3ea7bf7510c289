"""`waq cancel`, `retry`, `resolve` and `prioritise`, judged by what the database holds."""

from collections.abc import Callable

import pytest
from typer.testing import Result

from waqcore import Queue, State

Waq = Callable[..., Result]
Put = Callable[..., str]


def test_a_queued_message_is_cancelled_by_id(waq: Waq, queue: Queue, put: Put) -> None:
    id_, other = put(), put()

    result = waq("cancel", id_)

    assert result.exit_code == 0
    assert f"{id_}  cancelled" in result.stdout
    assert queue.message(id_).state is State.CANCELLED
    assert queue.message(other).state is State.QUEUED


def test_what_cannot_be_cancelled_is_named_with_its_state_and_the_rest_is_done(
    waq: Waq, queue: Queue, put: Put
) -> None:
    sent, queued = put("sent"), put()

    result = waq("cancel", sent, "msg_no", queued)

    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"waq: {sent} is sent: only what is queued or sending can be cancelled",
        "waq: there is no message 'msg_no'; `waq messages` lists those there are",
    ]
    assert queue.message(queued).state is State.CANCELLED
    assert queue.message(sent).state is State.SENT


def test_one_being_sent_is_cancelled_if_its_call_fails(waq: Waq, queue: Queue, put: Put) -> None:
    id_ = put("sending")

    result = waq("cancel", id_)

    assert result.exit_code == 0
    assert "to be cancelled if its call fails" in result.stdout
    assert queue.message(id_).cancel_requested


def test_cancelling_by_filter_counts_first(waq: Waq, queue: Queue, put: Put) -> None:
    low, high = put(priority="low"), put(priority="high")

    result = waq("cancel", "--priority", "low", "--yes")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "This will cancel 1 message: 1 queued; 1 low",
        "Cancelled: 1 message.",
    ]
    assert queue.message(low).state is State.CANCELLED
    assert queue.message(high).state is State.QUEUED


@pytest.mark.parametrize(
    "args",
    [
        ("cancel", "--priority", "normal"),
        ("retry", "--all-failed"),
        ("clear",),
        ("resolve", "msg_1", "msg_2", "--as", "drop"),
        ("override-pace", "628114040707", "--reason", "hurry"),
    ],
)
def test_without_a_terminal_and_without_yes_nothing_is_done(
    waq: Waq, queue: Queue, put: Put, args: tuple[str, ...]
) -> None:
    queued, failed = put(), put("failed")

    result = waq(*args, input_=b"1\nyes\n")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(
        "nothing was done: there is no terminal to confirm it at, add --yes\n"
    )
    assert queue.message(queued).state is State.QUEUED
    assert queue.message(failed).state is State.FAILED
    assert queue.audit() == []


@pytest.mark.parametrize(
    "args",
    [("cancel", "--priority", "low"), ("retry", "--all-failed"), ("clear",)],
)
def test_a_filter_that_names_nothing_is_no_failure(waq: Waq, args: tuple[str, ...]) -> None:
    result = waq(*args)

    assert result.exit_code == 0
    assert result.stdout.startswith("Nothing to ")


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("cancel",), "which messages? name their ids, or a filter; `waq clear` cancels all"),
        (("retry",), "which messages? name their ids, or a filter such as --all-failed"),
        (("cancel", "msg_1", "--priority", "low"), "name messages by id or by filter, not both"),
        (("resolve", "msg_1"), "Missing option '--as'"),
        (("prioritise", "msg_1"), "Missing option '--priority'"),
        (("prioritise", "msg_1", "--priority", "bypass"), "Invalid value for '--priority'"),
    ],
)
def test_naming_nothing_or_too_much_is_refused(
    waq: Waq, queue: Queue, put: Put, args: tuple[str, ...], complaint: str
) -> None:
    put()

    result = waq(*args)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"waq: {complaint}")
    assert queue.audit() == []


def test_failed_messages_are_queued_again(waq: Waq, queue: Queue, put: Put) -> None:
    failed, expired, cancelled = put("failed", calls=3), put("expired"), put("cancelled")

    result = waq("retry", "--all-failed", "--yes")

    assert result.exit_code == 0
    assert "Queued again: 1 message." in result.stdout
    assert queue.message(failed).state is State.QUEUED
    assert (queue.message(failed).attempts, queue.message(failed).failures) == (3, 0)
    assert queue.message(expired).state is State.EXPIRED
    assert queue.message(cancelled).state is State.CANCELLED


def test_a_message_to_a_number_that_opted_out_is_not_retried_and_that_is_said(
    waq: Waq, queue: Queue, put: Put
) -> None:
    id_ = put("failed")
    queue.suppress("081234567890", reason="stop")

    result = waq("retry", id_)

    assert result.exit_code == 1
    assert "1 message could not be queued again" in result.stderr
    assert queue.message(id_).state is State.FAILED


@pytest.mark.parametrize(
    ("word", "state"),
    [("sent", State.SENT), ("resend", State.QUEUED), ("drop", State.CANCELLED)],
)
def test_a_person_ends_the_doubt(waq: Waq, queue: Queue, put: Put, word: str, state: State) -> None:
    id_ = put("unknown")

    result = waq("resolve", id_, "--as", word)

    assert result.exit_code == 0
    assert queue.message(id_).state is state


def test_only_what_is_unknown_can_be_resolved(waq: Waq, queue: Queue, put: Put) -> None:
    id_ = put("failed")

    result = waq("resolve", id_, "--as", "sent")

    assert result.exit_code == 1
    assert result.stderr == f"waq: {id_} is failed: only what is unknown can be resolved\n"
    assert queue.message(id_).state is State.FAILED


def test_several_are_resolved_with_yes(waq: Waq, queue: Queue, put: Put) -> None:
    ids = [put("unknown"), put("unknown")]

    assert waq("resolve", *ids, "--as", "drop", "--yes").exit_code == 0
    assert [queue.message(id_).state for id_ in ids] == [State.CANCELLED] * 2


def test_a_message_gets_another_priority(waq: Waq, queue: Queue, put: Put) -> None:
    first, second = put(), put()

    result = waq("prioritise", second, "--priority", "high")

    assert result.exit_code == 0
    assert [one.id for one in queue.status().next] == [second, first]
