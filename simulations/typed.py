"""What is typed on a command line: settings such as `--set pace=8,10`, and formats."""

import tomllib
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulations.scenario import Scenario


class Format(StrEnum):
    """How frames are written."""

    CSV = "csv"
    PARQUET = "parquet"


class BadInput(ValueError):
    """What was typed cannot be done as it stands."""


def chosen_scenario(
    name: str, pace: float | None, senders: int | None, settings: list[str] | None
) -> "Scenario":
    """The scenario that was asked for, with the settings that were typed.

    Raises:
        BadInput: a setting is not written as one.
        ScenarioError: the scenario, or a setting's key or value.
    """
    from simulations import scenario

    named = {"policy.pace_s": pace, "policy.senders": senders}
    values: dict[str, object] = {key: value for key, value in named.items() if value is not None}
    for written in settings or ():
        key, (value, *more) = setting(written)
        if more:
            raise BadInput(f"--set {written}: one value; `sweep` takes several")
        values[key] = value
    return scenario.changed(scenario.load(name), values)


def setting(written: str) -> tuple[str, list[object]]:
    """A key and its values: `pace=8,10`; what is no number, truth or instant is a word.

    Raises:
        BadInput: it is not written so.
    """
    key, equals, values = written.partition("=")
    parts = [one.strip() for one in values.split(",")]
    if not key.strip() or not equals or not all(parts):
        raise BadInput(f"--set {written}: write KEY=VALUE, such as pace=8")
    return key.strip(), [_value(one) for one in parts]


def _value(written: str) -> object:
    try:
        return tomllib.loads(f"value = {written}")["value"]
    except tomllib.TOMLDecodeError:
        return written
