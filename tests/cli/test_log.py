"""Log lines for machines and for people."""

import json
import logging
import sys
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from waqcore.log import JsonLines, TextLines, configure


def _record(event: str = "attempt", **extra: object) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"msg": event, "levelname": "INFO", "levelno": 20, "created": 1_772_379_000.0125, **extra}
    )


def test_a_json_line_has_its_fields_in_order() -> None:
    line = JsonLines().format(_record(message_id="msg_1", attempt=2, took_s=0.25, http_status=None))

    assert line == (
        '{"at": "2026-03-01T15:30:00.012+00:00", "level": "info", "event": "attempt", '
        '"message_id": "msg_1", "attempt": 2, "took_s": 0.25, "http_status": null}'
    )


def test_a_text_line_is_for_people() -> None:
    line = TextLines(ZoneInfo("Asia/Jakarta")).format(
        _record(message_id="msg_1", took_s=0.25, http_status=None, detail="not on\nWhatsApp")
    )

    assert line == (
        '22:30:00.012 info     attempt message_id=msg_1 took_s=0.250 detail="not on\\nWhatsApp"'
    )


@pytest.mark.parametrize("name", ["body", "api_key", "password"])
def test_texts_and_keys_are_hidden(name: str) -> None:
    record = _record(**{name: "s3cret"})

    assert "s3cret" not in JsonLines().format(record)
    assert "s3cret" not in TextLines(None).format(record)


def test_an_exception_is_on_the_line_too() -> None:
    try:
        raise RuntimeError("it broke")
    except RuntimeError:
        record = _record("probe broke", exc_info=sys.exc_info())

    told = json.loads(JsonLines().format(record))

    assert told["event"] == "probe broke"
    assert told["exception"].endswith("RuntimeError: it broke")
    assert TextLines(None).format(record).endswith("RuntimeError: it broke")


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, put back as it was."""
    root, ours = logging.getLogger(), logging.getLogger("waqcore")
    before = root.handlers, root.level, ours.level
    yield root
    root.handlers, level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)


def test_our_events_and_others_warnings_go_to_stderr(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json")

    logging.getLogger("waqcore.dispatcher").info("dispatching", extra={"senders": 3})
    logging.getLogger("httpx").info("HTTP Request: GET https://x/?api_key=s3cret")
    logging.getLogger("asyncio").warning("slow")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["dispatching", "slow"]
    assert lines[0]["senders"] == 3
