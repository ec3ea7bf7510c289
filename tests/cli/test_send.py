"""`waq send`: what is stored, what is said of it."""

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import Result

from waqcore import Queue, State

Waq = Callable[..., Result]
Put = Callable[..., str]


def test_a_message_is_queued_and_its_id_position_and_time_are_printed(
    waq: Waq, queue: Queue
) -> None:
    first = waq("send", "081234567890", "Hello")
    second = waq("send", "081234567890", "Hello again", "--priority", "low", "--reference", "R-1")

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert " queued (normal): next, now · " in first.stdout
    assert " queued (low): 1 ahead of it, in 10 s · " in second.stdout
    stored = queue.message(second.stdout.split()[0])
    assert (stored.recipient, stored.body) == ("+6281234567890", "Hello again")
    assert (stored.priority, stored.reference) == ("low", "R-1")


def test_json_has_every_key_and_the_whole_number(waq: Waq) -> None:
    result = waq("send", "081234567890", "Hello", "--key", "k", "--json")

    told = json.loads(result.stdout)
    assert set(told) == {
        "id",
        "state",
        "reason",
        "sender",
        "recipient",
        "priority",
        "reference",
        "idempotency_key",
        "enqueued_at",
        "send_at",
        "expires_at",
        "retry_at",
        "ended_at",
        "position",
        "eta",
        "warning",
        "attempts",
        "failures",
        "on_unknown",
        "maybe_duplicate",
        "cancel_requested",
        "provider_id",
        "delivery",
        "batch",
    }
    assert (told["recipient"], told["idempotency_key"]) == ("+6281234567890", "k")
    assert set(told["eta"]) == {"at", "low_at", "high_at", "ahead", "exact", "reason"}
    assert (told["eta"]["ahead"], told["eta"]["exact"]) == (0, True)
    assert datetime.fromisoformat(told["enqueued_at"]).tzinfo is not None


def test_now_goes_before_everything_queued(waq: Waq, queue: Queue) -> None:
    waq("send", "081234567890", "first", "--priority", "high")

    urgent = waq("send", "081234567890", "urgent", "--now")

    assert " queued (bypass): next" in urgent.stdout
    assert [one.body for one in queue.status().next] == ["urgent", "first"]


@pytest.mark.parametrize("args", [("-",), ("--file", "-")])
def test_the_text_can_come_from_standard_input(
    waq: Waq, queue: Queue, args: tuple[str, ...]
) -> None:
    result = waq("send", "081234567890", *args, input_="Satu\nDua 🎉\n".encode())

    assert queue.message(result.stdout.split()[0]).body == "Satu\nDua 🎉"


def test_the_text_can_come_from_a_file(waq: Waq, queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_bytes(b"\xef\xbb\xbfHello\r\nyou\r\n")

    result = waq("send", "081234567890", "--file", str(tmp_path / "letter.txt"))

    assert queue.message(result.stdout.split()[0]).body == "Hello\nyou"


def test_a_message_that_nobody_will_send_is_warned_about(
    waq: Waq, queue: Queue, tmp_path: Path
) -> None:
    alone = waq("send", "081234567890", "x", "--key", "k", "--json")
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute(
            "INSERT INTO waq_dispatcher (id, host, process, started_at, lease_until)"
            " VALUES ('d1', 'host', 'p', 0, ?)",
            (2**60,),
        )
    db.close()
    attended = waq("send", "081234567890", "y")

    id_ = json.loads(alone.stdout)["id"]
    assert alone.exit_code == 0
    assert alone.stderr == (
        f"waq: {id_} is queued, but no dispatcher is running: start one with `waq dispatch`\n"
    )
    assert (attended.exit_code, attended.stderr) == (0, "")


def test_a_message_sent_long_ago_needs_no_dispatcher(waq: Waq, put: Put) -> None:
    put("sent", idempotency_key="k", body="x")

    again = waq("send", "081234567890", "x", "--key", "k")

    assert (again.exit_code, again.stderr) == (0, "")
    assert " sent (normal, there already by its key)" in again.stdout


def test_the_same_key_again_is_the_same_message_and_said_so(waq: Waq, queue: Queue) -> None:
    first = waq("send", "081234567890", "Hello", "--key", "k")
    again = waq("send", "081234567890", "Hello", "--key", "k")

    assert again.stdout.split()[0] == first.stdout.split()[0]
    assert "there already by its key" in again.stdout
    assert "there already" not in first.stdout
    assert queue.status().queue_length == 1


def test_the_same_key_for_something_else_is_refused(waq: Waq, queue: Queue) -> None:
    waq("send", "081234567890", "Hello", "--key", "k")

    other = waq("send", "081234567890", "Other", "--key", "k")

    assert other.exit_code == 1
    assert other.stderr.startswith("waq: the idempotency key 'k' ")
    assert queue.status().queue_length == 1


def test_a_message_that_expires_before_its_turn_is_warned_about(waq: Waq) -> None:
    for _ in range(10):
        waq("send", "081234567890", "before")

    late = waq("send", "081234567890", "late", "--expires-at", "+5s")

    assert late.exit_code == 0
    assert late.stderr.startswith("waq: expires before its turn, in ")


def test_times_are_local_or_relative(waq: Waq, queue: Queue) -> None:
    local = waq(
        "send", "081234567890", "x", "--send-at", "2030-01-01T09:00", WAQ_TIMEZONE="Asia/Jakarta"
    )
    offset = waq("send", "081234567890", "x", "--send-at", "2030-01-01T09:00+00:00")

    def stored(result: Result) -> datetime | None:
        return queue.message(result.stdout.split()[0]).send_at

    assert stored(local) == datetime.fromisoformat("2030-01-01T02:00+00:00")
    assert stored(offset) == datetime.fromisoformat("2030-01-01T09:00+00:00")


def test_the_sender_and_what_to_do_about_an_unknown_outcome_can_be_chosen(
    waq: Waq, queue: Queue
) -> None:
    result = waq(
        *("send", "081234567890", "x", "--sender", "628129990001", "--on-unknown", "hold"),
        WAQ_SENDERS="628129990001",
    )

    stored = queue.message(result.stdout.split()[0])
    assert (stored.sender, stored.on_unknown) == ("628129990001", "hold")
    assert stored.state is State.QUEUED


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("123", "x"), '"123" is not an Indonesian number'),
        (("081234567890", ""), "the text is empty"),
        (("081234567890", "x" * 4_097), "the text is 4097 UTF-16 units long"),
        (("081234567890", "a\udc00"), "the text has U+DC00, half of a surrogate pair"),
        (("081234567890", "x", "--priority", "urgent"), "Invalid value for '--priority': 'urgent'"),
        (("081234567890", "x", "--sender", "5"), "sender '5' is not configured"),
        (
            ("081234567890", "x", "--send-at", "+2h", "--expires-at", "+1h"),
            "send_at (",
        ),
        (("081234567890", "x", "--expires-at", "2020-01-01"), "expires_at ("),
        (("081234567890", "x", "--send-at", "soon"), "'soon' is not a time"),
        (
            ("081234567890", "x", "--send-at", "9999-12-31"),
            "'9999-12-31' is more than ten years away",
        ),
        (("081234567890", "x", "--now", "--priority", "low"), "--now means before everything"),
        (("081234567890", "x", "--now", "--send-at", "+1h"), "--now means before everything"),
        (("081234567890", "x", "--file", "y"), "give the text once"),
        (("081234567890",), "give the text once"),
        (("081234567890", "--file", "/nowhere"), "'/nowhere' cannot be read: No such file"),
        (("081234567890", "--file", "/"), "'/' cannot be read: Is a directory"),
        (("081234567890", "x", "--key", ""), "idempotency_key must be 1 to 200"),
        ((), "Missing argument 'TO'"),
    ],
)
def test_what_cannot_be_sent_is_one_line_and_nothing_is_stored(
    waq: Waq, queue: Queue, args: tuple[str, ...], complaint: str
) -> None:
    result = waq("send", *args)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"waq: {complaint}")
    assert result.stderr.count("\n") == 1
    assert queue.messages() == []


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (
            b"caf\xe9",
            "standard input is not UTF-8 text: byte 3 cannot be read; convert it first, such as "
            "with `iconv -f WINDOWS-1252 -t UTF-8`",
        ),
        (b"x" * 100_001, "standard input has more than 100,000 bytes"),
    ],
)
def test_what_is_no_text_is_refused(waq: Waq, queue: Queue, data: bytes, complaint: str) -> None:
    result = waq("send", "081234567890", "-", input_=data)

    assert result.exit_code == 2
    assert result.stderr.startswith(f"waq: {complaint}")
    assert queue.messages() == []


def test_a_number_that_opted_out_is_refused(waq: Waq, queue: Queue) -> None:
    queue.suppress("081234567890", reason="asked us to stop")

    result = waq("send", "081234567890", "x")

    assert result.exit_code == 1
    assert "+6281234567890 has opted out (asked us to stop)" in result.stderr
    assert queue.messages() == []
