"""What the logs look like: a JSON object a line for machines, or words for people; on stderr."""

import json
import logging
import sys
from datetime import UTC, datetime, tzinfo
from typing import Literal

_STANDARD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}
_HIDDEN = ("body", "key", "password", "secret")


def configure(
    style: Literal["json", "text"], level: int = logging.INFO, *, zone: tzinfo | None = None
) -> None:
    """Log to stderr: our own events from `level` up, other packages' warnings.

    `zone` is for the clock of the text style; None: the machine's. HTTP clients log every URL at
    INFO, and a URL may hold a key: hence warnings alone.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines(zone))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("waqcore").setLevel(level)


def extras(record: logging.LogRecord) -> dict[str, object]:
    """The fields of `extra`, in the order given; what may be a text or a key is hidden."""
    return {
        name: "(hidden)" if any(word in name.lower() for word in _HIDDEN) else value
        for name, value in vars(record).items()
        if name not in _STANDARD
    }


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `event`, the extra fields, then any `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **extras(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """For people: local time, level, event, `name=value` where there is one; a traceback below."""

    def __init__(self, zone: tzinfo | None) -> None:
        super().__init__()
        self._zone = zone

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line, and its traceback if it has one."""
        at = datetime.fromtimestamp(record.created, UTC).astimezone(self._zone)
        words = [f"{at:%H:%M:%S}.{at.microsecond // 1_000:03}", f"{record.levelname.lower():<8}"]
        words.append(_word(record.getMessage(), spaces=True))
        told = {name: value for name, value in extras(record).items() if value not in (None, "")}
        words += [f"{name}={_word(value)}" for name, value in told.items()]
        line = " ".join(words)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _word(value: object, *, spaces: bool = False) -> str:
    """A value on one line; quoted where it would be read as more than one word."""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    plain = text.isprintable() and '"' not in text and (spaces or " " not in text) and text != ""
    return text if plain else json.dumps(text)
