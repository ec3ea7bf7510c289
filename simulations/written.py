"""A table of a scenario's file, checked: what cannot be read says where, and what to write."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from difflib import get_close_matches
from math import inf, isfinite

from waqcore.core.instants import SECOND, microseconds

DURATION_MAX_S = 366 * 86_400.0
"""A year: longer is a slip of the unit, such as milliseconds given as seconds."""


class ScenarioError(ValueError):
    """A scenario that cannot be run as it is written; one line, for a person."""


class Table:
    """One table of a file. Keys are taken one by one; `end` refuses those that nobody took."""

    def __init__(self, values: Mapping[str, object], file: str, path: str = "") -> None:
        self.file = file
        self._values = values
        self._path = path
        self._known: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        self._known[key] = None
        return key in self._values

    def wrong(self, key: str, write: str) -> ScenarioError:
        """What to raise about a key: where it is, its value, and what to write instead."""
        value = self._values.get(key)
        shown = (
            f"{self._at(key)} is missing" if value is None else f"{self._at(key)} = {_toml(value)}"
        )
        return ScenarioError(f"{self.file}: {shown}: write {write}")

    def end(self) -> None:
        """Refuse every key that was not taken.

        Raises:
            ScenarioError: there is one.
        """
        for key in self._values:
            if key not in self._known:
                near = get_close_matches(key, self._known, 1)
                known = near[0] if near else ", ".join(self._known)
                raise ScenarioError(
                    f"{self.file}: {self._at(key)} = {_toml(self._values[key])}: "
                    f"there is no such key; write {known}"
                )

    def number(
        self, key: str, default: float | None = None, *, least: float = 0.0, most: float = inf
    ) -> float:
        """A number between two bounds; without a default it must be there."""
        if key not in self and default is not None:
            return default
        value = self._values.get(key)
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        if not fits or not isfinite(value) or not least <= value <= most:  # type: ignore[arg-type, operator]
            raise self.wrong(key, f"a number {_between(least, most)}")
        return float(value)  # type: ignore[arg-type]

    def whole(
        self, key: str, default: int | None = None, *, least: int = 0, most: int = 10_000_000
    ) -> int:
        """A whole number between two bounds."""
        if key not in self and default is not None:
            return default
        value = self._values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"a whole number {_between(least, most)}")
        return value

    def duration(self, key: str, default_us: int | None = None, *, least_s: float = 0.0) -> int:
        """Seconds as whole microseconds."""
        if key not in self and default_us is not None:
            return default_us
        try:
            return microseconds(self.number(key, least=least_s, most=DURATION_MAX_S))
        except ScenarioError:
            raise self.wrong(key, f"seconds {_between(least_s, DURATION_MAX_S)}") from None

    def word(self, key: str, words: Sequence[str], default: str | None = None) -> str:
        """One of a few words."""
        if key not in self and default is not None:
            return default
        value = self._values.get(key)
        if value not in words:
            near = get_close_matches(str(value), words, 1)
            raise self.wrong(key, json.dumps(near[0]) if near else _or(words))
        return str(value)

    def text(self, key: str, example: str) -> str:
        """A text that is not empty."""
        value = self._values.get(key) if key in self else None
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, example)
        return value

    def instant(self, key: str) -> tuple[int, int]:
        """Microseconds since the epoch, and what its local time is ahead of UTC by."""
        value = self._values.get(key) if key in self else None
        if isinstance(value, str):
            value = _parsed(value)
        offset = value.utcoffset() if isinstance(value, datetime) else None
        if not isinstance(value, datetime) or offset is None:
            raise self.wrong(key, "a date and time with its offset: 2026-03-01T10:00:00+07:00")
        epoch = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
        return _us(value - epoch), _us(offset)

    def time_of_day(self, key: str) -> int:
        """A local time as microseconds after midnight."""
        value = self._values.get(key) if key in self else None
        try:
            at = value if isinstance(value, time) else time.fromisoformat(str(value))
        except ValueError:
            raise self.wrong(key, 'a local time: "21:00"') from None
        return ((at.hour * 60 + at.minute) * 60 + at.second) * SECOND + at.microsecond

    def table(self, key: str) -> "Table":
        """A table inside this one; an empty one where there is none."""
        value = self._values.get(key, {}) if key in self else {}
        if not isinstance(value, Mapping):
            raise self.wrong(key, f"a table: [{self._at(key)}]")
        return Table(value, self.file, self._at(key))

    def items(self) -> "Iterator[tuple[str, Table]]":
        """The tables inside this one, by name."""
        for key in self._values:
            yield key, self.table(key)

    def numbers(self, *, least: float, most: float) -> Iterator[tuple[str, float]]:
        """Every key with its number."""
        for key in self._values:
            yield key, self.number(key, least=least, most=most)

    def is_text(self, key: str) -> bool:
        """Whether a key's value is one word rather than a table."""
        return key in self and isinstance(self._values[key], str)

    def tables(self, key: str) -> "list[Table]":
        """A list of tables; an empty one where there is none."""
        value = self._values.get(key, []) if key in self else []
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise self.wrong(key, f"a list of tables: [[{self._at(key)}]]")
        return [Table(one, self.file, f"{self._at(key)}[{n}]") for n, one in enumerate(value)]

    def _at(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _us(duration: timedelta) -> int:
    return duration // timedelta(microseconds=1)


def _between(least: float, most: float) -> str:
    return f"of at least {least:g}" if most == inf else f"from {least:,g} to {most:,.12g}"


def _or(words: Sequence[str]) -> str:
    *most, last = (json.dumps(word) for word in words)
    return f"{', '.join(most)} or {last}" if most else last


def _toml(value: object) -> str:
    shown = json.dumps(value, default=str, ensure_ascii=False)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
