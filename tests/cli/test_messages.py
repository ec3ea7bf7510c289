"""`waq messages` and `waq message`."""

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from waqcore import Queue

Waq = Callable[..., Result]
Put = Callable[..., str]


def test_an_empty_queue_says_how_to_fill_it(waq: Waq) -> None:
    result = waq("messages")

    assert result.exit_code == 0
    assert result.stdout == "There are no messages yet; `waq send 0812… 'text'` queues one.\n"


def test_a_filter_that_nothing_matches_says_so(waq: Waq, put: Put) -> None:
    put()

    result = waq("messages", "--state", "failed")

    assert result.exit_code == 0
    assert result.stdout.startswith("No message matches")


def test_a_listing_masks_numbers_and_leaves_out_texts(waq: Waq, put: Put) -> None:
    older = put("failed", "it broke", body="a secret", reference="REG-1")
    newer = put(body="a secret")

    header, *rows = waq("messages").stdout.splitlines()

    assert header.split() == ["ID", "STATE", "PRIORITY", "TO", "WHEN", "NOTE"]
    assert [row.split()[:4] for row in rows] == [
        [newer, "queued", "normal", "+62********890"],
        [older, "failed", "normal", "+62********890"],
    ]
    assert rows[1].endswith("REG-1 · it broke")
    assert "secret" not in "".join(rows)


def test_numbers_are_shown_whole_on_request(waq: Waq, put: Put) -> None:
    put()

    assert "+6281234567890" in waq("messages", "--full-numbers").stdout


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("--state", "failed"), {"failed"}),
        (("--state", "failed", "--state", "queued", "--priority", "low"), {"low"}),
        (("--to", "0812 9876 5432"), {"other"}),
        (("--reference", "REG-1"), {"group"}),
        (("--sender", "628114040707"), {"failed", "low", "other", "group"}),
        (("--sender", "999"), set()),
        (("--batch", "batch_1"), set()),
    ],
)
def test_filters_are_combined(
    waq: Waq, put: Put, args: tuple[str, ...], expected: set[str]
) -> None:
    names = {
        put("failed"): "failed",
        put(priority="low"): "low",
        put(to="081298765432"): "other",
        put(reference="REG-1"): "group",
    }

    told = json.loads(waq("messages", "--json", *args).stdout)

    assert {names[one["id"]] for one in told["messages"]} == expected


def test_pages_follow_each_other(waq: Waq, put: Put) -> None:
    ids = [put() for _ in range(3)]

    first = json.loads(waq("messages", "--json", "--limit", "2").stdout)
    second = json.loads(
        waq("messages", "--json", "--limit", "2", "--before", first["next_before"]).stdout
    )

    assert [one["id"] for one in first["messages"]] == [ids[2], ids[1]]
    assert [one["id"] for one in second["messages"]] == [ids[0]]
    assert second["next_before"] is None
    assert waq("messages", "--before", ids[0]).stdout == "There are no older messages.\n"


def test_json_masks_numbers_and_leaves_out_texts_too(waq: Waq, put: Put) -> None:
    put(body="a secret")

    result = waq("messages", "--json")

    assert "secret" not in result.stdout
    assert json.loads(result.stdout)["messages"][0]["recipient"] == "+62********890"


def test_one_message_is_shown_whole(waq: Waq, put: Put) -> None:
    id_ = put("failed", "500 three times", 3, body="Line one\nLine two", reference="REG-1")

    shown = waq("message", id_).stdout

    assert shown.startswith(f"{id_}\n")
    assert "state       failed: 500 three times" in shown
    assert "to          +6281234567890" in shown
    assert "reference   REG-1" in shown
    assert "  Line one\n  Line two\n" in shown
    course = [line.strip() for line in shown.split("Course\n")[1].splitlines()]
    assert course[0].endswith("queued")
    assert course[-1].endswith("attempt 3: not_sent after 1.5 s, HTTP 500: it broke")


def test_one_queued_message_says_when_it_goes(waq: Waq, put: Put) -> None:
    put()
    id_ = put()

    assert "expected to go, 1 message before it" in waq("message", id_).stdout


def test_one_message_of_a_paused_lane_says_why_nobody_knows(
    waq: Waq, queue: Queue, put: Put
) -> None:
    id_ = put()
    queue.pause("gateway moves")

    assert "not known when it goes: paused: gateway moves" in waq("message", id_).stdout


def test_json_of_one_message_has_its_text_and_its_calls(waq: Waq, put: Put) -> None:
    id_ = put("failed", calls=2, body="Line one 🎉")

    told = json.loads(waq("message", id_, "--json").stdout)

    assert (told["id"], told["state"], told["body"]) == (id_, "failed", "Line one 🎉")
    assert told["recipient"] == "+6281234567890"
    assert told["eta"] is None
    assert [call["number"] for call in told["calls"]] == [1, 2]
    assert set(told["calls"][0]) == {
        "number",
        "started_at",
        "finished_at",
        "outcome",
        "http_status",
        "detail",
    }


@pytest.mark.parametrize(
    ("args", "code", "complaint"),
    [
        (("message", "nope"), 1, "there is no message 'nope'"),
        (("messages", "--before", "nope"), 1, "there is no message 'nope'"),
        (("messages", "--state", "lost"), 2, "Invalid value for '--state': 'lost'"),
        (("messages", "--to", "12"), 2, '"12" is not an Indonesian number'),
        (("messages", "--limit", "0"), 2, "Invalid value for '--limit'"),
        (("messages", "--reference", ""), 2, "--reference is empty"),
    ],
)
def test_what_cannot_be_looked_at_is_one_line(
    waq: Waq, args: tuple[str, ...], code: int, complaint: str
) -> None:
    result = waq(*args)

    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(f"waq: {complaint}")
    assert result.stderr.count("\n") == 1


def test_an_escape_code_from_the_gateway_does_not_reach_the_terminal(waq: Waq, put: Put) -> None:
    id_ = put("failed", "\x1b[2Jcleared\nyour screen")

    for shown in (waq("messages").stdout, waq("message", id_).stdout):
        assert "\x1b" not in shown
        assert "[2Jcleared your screen" in shown
