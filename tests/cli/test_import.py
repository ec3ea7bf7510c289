"""`waq import`: the old system's queued messages, checked whole and taken over once."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from waqcore import Queue
from waqcore.store.controls import Filter

Waq = Callable[..., Result]

FIRST = {
    "number": "081234567890",
    "message": "Halo Budi,\nsilakan bayar",
    "priority": "high",
    "attempts": 0,
    "created_at": "2026-03-01 09:00:00",
}


def _row(n: int, **changes: Any) -> dict[str, Any]:
    return {**FIRST, "number": f"0812345678{n:02}", "message": f"text {n}", **changes}


def _texts(queue: Queue) -> list[str]:
    return [message.body for message in reversed(queue.messages())]


def test_a_dump_of_the_cached_array_is_queued_in_the_order_of_its_making(
    waq: Waq, queue: Queue, tmp_path: Path
) -> None:
    rows = [
        _row(1, created_at="2026-03-01 09:00:02"),
        _row(2, created_at="2026-03-01T02:00:01.000000Z", priority="normal"),
        _row(3, created_at=1_772_330_400),
    ]
    (tmp_path / "queue.json").write_text(json.dumps(rows))

    result = waq("import", str(tmp_path / "queue.json"))

    assert (result.exit_code, result.stdout) == (0, "Queued: 3 messages.\n")
    assert _texts(queue) == ["text 3", "text 2", "text 1"]
    assert [one.priority for one in queue.messages()] == ["high", "normal", "high"]
    assert queue.messages()[0].recipient == "+6281234567801"


def test_what_php_writes_of_an_array_with_gaps_is_read_too(waq: Waq, queue: Queue) -> None:
    dump = json.dumps({"0": _row(1), "4": _row(2)})

    result = waq("import", "-", input_=dump.encode())

    assert (result.exit_code, _texts(queue)) == (0, ["text 1", "text 2"])


def test_a_csv_is_read_with_its_quotes_and_line_ends(waq: Waq, queue: Queue) -> None:
    file = (
        "created_at,number,priority,attempts,message\r\n"
        '2026-03-01 09:00:00,081234567890,high,0,"Halo ""Budi"",\nbaris dua"\r\n'
    )

    result = waq("import", "-", input_=file.encode())

    assert (result.exit_code, _texts(queue)) == (0, ['Halo "Budi",\nbaris dua'])


def test_the_same_file_again_adds_nothing(waq: Waq, queue: Queue) -> None:
    dump = json.dumps([_row(1), _row(2)]).encode()
    waq("import", "-", input_=dump)

    again = waq("import", "-", input_=dump)

    assert again.stdout.startswith("Queued: 0 messages.\n2 were there already")
    assert len(queue.messages()) == 2


def test_a_row_that_came_since_is_added_alone(waq: Waq, queue: Queue) -> None:
    waq("import", "-", input_=json.dumps([_row(1)]).encode())

    waq("import", "-", input_=json.dumps([_row(1, attempts=1), _row(2)]).encode())

    assert _texts(queue) == ["text 1", "text 2"]


def test_what_the_old_system_has_tried_is_marked_and_has_fewer_tries_left(
    waq: Waq, queue: Queue
) -> None:
    rows = [_row(1), _row(2, attempts="2"), _row(3, attempts=9)]

    result = waq("import", "-", input_=json.dumps(rows).encode())

    assert result.stdout.endswith("2 were tried by the old system, so marked as maybe doubled.\n")
    found = {message.body: message for message in queue.messages()}
    assert [found[f"text {n}"].failures for n in (1, 2, 3)] == [0, 2, 2]
    assert [found[f"text {n}"].maybe_duplicate for n in (1, 2, 3)] == [False, True, True]


def test_a_dry_run_stores_nothing(waq: Waq, queue: Queue) -> None:
    dump = json.dumps([_row(1), _row(2, priority="normal")]).encode()

    result = waq("import", "-", "--dry-run", input_=dump)

    assert result.stdout == "This would queue 2 messages: 1 high, 1 normal\n"
    assert queue.messages() == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"number": "12"}, "entry 2: "),
        ({"number": None}, "entry 2: number is None: it must be a text"),
        ({"message": ""}, "entry 2: message is '': it must be a text"),
        ({"priority": "urgent"}, "entry 2: there is no priority 'urgent'"),
        ({"attempts": "two"}, "entry 2: attempts is 'two': it must be a whole number"),
        ({"attempts": -1}, "entry 2: attempts is -1"),
        ({"created_at": "yesterday"}, "entry 2: created_at is 'yesterday'"),
        ({"created_at": None}, "entry 2: created_at is None"),
        ({"created_at": 10**20}, "entry 2: created_at is 100000000000000000000"),
    ],
)
def test_one_bad_row_and_nothing_is_stored(
    waq: Waq, queue: Queue, change: dict[str, Any], complaint: str
) -> None:
    dump = json.dumps([_row(1), _row(2, **change), _row(3)]).encode()

    result = waq("import", "-", input_=dump)

    lines = result.stderr.splitlines()
    assert (result.exit_code, result.stdout) == (2, "")
    assert lines[0].startswith(f"waq: {complaint}")
    assert lines[1].startswith("waq: 1 row of '-' cannot be sent: nothing was stored")
    assert queue.messages() == []


def test_a_bad_line_of_a_csv_is_named_by_its_number(waq: Waq) -> None:
    file = "number,message,priority,attempts,created_at\n081234567890,x,high,0,2026-03-01\n5,y,,,\n"

    result = waq("import", "-", input_=file.encode())

    assert result.stderr.startswith("waq: line 3: priority is ''")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"[1, 2]", "entry 1 is 1 and no object with number, message"),
        (b'[{"number"', "it begins as JSON and is none"),
        (b"number,text\n1,2\n", "its first line names no column message, priority"),
        (b"[]", "'-' holds no message"),
        (b"", "its first line names no column number"),
        (b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_what_is_no_dump_is_one_line(waq: Waq, content: bytes, complaint: str) -> None:
    result = waq("import", "-", input_=content)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_who_has_opted_out_is_left_out_and_said(waq: Waq, queue: Queue) -> None:
    queue.suppress("081234567801", reason="asked")

    result = waq("import", "-", input_=json.dumps([_row(1), _row(2)]).encode())

    assert result.stdout.splitlines()[1] == "1 was left out: their recipients have opted out."
    assert _texts(queue) == ["text 2"]


def test_the_sender_can_be_named(waq: Waq, queue: Queue) -> None:
    dump = json.dumps([_row(1)]).encode()

    waq("import", "-", "--sender", "628129990001", input_=dump, WAQ_SENDERS="628129990001")

    assert queue.count(Filter(sender="628129990001")) == {"queued": 1}
    wrong = waq("import", "-", "--sender", "5", input_=dump)
    assert wrong.stderr.startswith("waq: --sender '5' is not configured")


def test_the_audit_keeps_how_many_came(waq: Waq, queue: Queue) -> None:
    waq("import", "-", input_=json.dumps([_row(n) for n in range(3)]).encode())

    (line,) = queue.audit()
    assert (line.happening.action, line.happening.messages) == ("import", 3)
