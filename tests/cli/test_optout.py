"""`waq suppress`, `unsuppress`, `suppressed`, and `waq audit`, which tells of them."""

import json
from collections.abc import Callable

from typer.testing import Result

from waqcore import Queue, State

Waq = Callable[..., Result]
Put = Callable[..., str]


def test_a_number_is_suppressed_and_what_was_queued_for_it_cancelled(
    waq: Waq, queue: Queue, put: Put
) -> None:
    id_ = put()

    result = waq("suppress", "0812-3456-7890", "--reason", "asked us to stop")

    assert result.exit_code == 0
    assert "cancelled: 1 message." in result.stdout
    assert queue.message(id_).state is State.CANCELLED
    assert [one.recipient for one in queue.suppressed()] == ["+6281234567890"]


def test_the_list_masks_numbers_unless_asked_not_to(waq: Waq, queue: Queue) -> None:
    assert waq("suppressed").stdout == "No number is suppressed.\n"
    queue.suppress("081234567890", reason="stop")

    assert "+62********890" in waq("suppressed").stdout
    assert "+6281234567890" in waq("suppressed", "--full-numbers").stdout


def test_a_number_is_taken_off_the_list_once(waq: Waq, queue: Queue) -> None:
    queue.suppress("081234567890", reason="stop")

    assert waq("unsuppress", "081234567890").exit_code == 0
    again = waq("unsuppress", "081234567890")

    assert again.exit_code == 1
    assert again.stderr.startswith("waq: that number is not on the suppression list")
    assert queue.suppressed() == []


def test_what_is_no_number_is_refused(waq: Waq, queue: Queue) -> None:
    result = waq("suppress", "12", "--reason", "x")

    assert result.exit_code == 2
    assert result.stderr.startswith('waq: "12" is not an Indonesian number')
    assert queue.suppressed() == []


def test_the_audit_says_who_did_what(waq: Waq, put: Put) -> None:
    assert waq("audit").stdout == "Nothing has been done to the queue yet.\n"
    put()
    waq("pause", "--reason", "gateway moves")
    waq("clear", "--yes")

    header, *rows = waq("audit").stdout.splitlines()
    told = json.loads(waq("audit", "--json", "--limit", "1").stdout)

    assert header.split() == ["AT", "BY", "DID", "SENDER", "MESSAGES", "DETAIL"]
    assert rows[1].split()[2:] == ["pause", "628114040707", "gateway", "moves"]
    (event,) = told["events"]
    assert set(event) == {"at", "actor", "action", "sender", "messages", "detail"}
    assert (event["action"], event["messages"]) == ("clear", 1)
    assert event["actor"].startswith("cli:")
