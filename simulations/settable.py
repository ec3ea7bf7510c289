"""Giving a scenario other numbers by short names: `pace`, `users`, `weather.failures.not_sent`."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from simulations import rules
from simulations.weather import Failures
from simulations.written import ScenarioError

Path = tuple[str, ...]

_ALWAYS: tuple[Path, ...] = (
    ("warm_up_s",),
    ("starts_at",),
    *(("policy", key) for key in rules.KEYS),
    *(("weather", "failures", key) for key in Failures._fields),
)
"""What can be set by a short name, whether the file has it or not."""
_TABLES = ("arrivals", "weather", "policy")


def settle_path(written: Mapping[str, object], key: str) -> Path:
    """The place in the file that a name means.

    Raises:
        ScenarioError: none, or more than one.
    """
    asked = tuple(key.strip().split("."))
    known = dict.fromkeys([*_ALWAYS, *_leaves(written)])
    found = [path for path in known if _means(asked, path)]
    if len(found) == 1:
        return found[0]
    if found:
        several = " or ".join(".".join(path) for path in found)
        raise ScenarioError(f"{key} is not one key here: write {several}")
    if len(asked) > 1 and asked[0] in _TABLES:
        return asked  # What is not written yet: whoever reads the file knows whether it may be.
    names = dict.fromkeys(path[-1].removesuffix("_s") for path in known)
    near = get_close_matches(asked[-1], names, 3) or list(names)
    raise ScenarioError(f"there is no key {key}: write {', '.join(near)}")


def with_value(written: Mapping[str, object], path: Path, value: object) -> dict[str, object]:
    """A copy with one value set; tables on the way are made where they are missing."""
    first, *rest = path
    inner = written.get(first, {})
    if rest and isinstance(inner, Mapping):
        return {**written, first: with_value(inner, tuple(rest), value)}
    return {**written, first: value}


def _means(asked: Path, path: Path) -> bool:
    end = path[len(path) - len(asked) :]
    *tables, name = asked
    return len(asked) <= len(path) and end in ((*tables, name), (*tables, f"{name}_s"))


def _leaves(written: Mapping[str, object], above: Path = ()) -> Iterator[Path]:
    for key, value in written.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)
