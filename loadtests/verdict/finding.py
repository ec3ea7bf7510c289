"""One thing that was judged, and what came out."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

EXAMPLES_MAX = 10  # Of each finding; enough to start looking, few enough to read.

Measure = str | int | float | None


class State(StrEnum):
    """What is thought of it."""

    CLEAN = "clean"
    BROKEN = "broken"
    TOLD = "told"  # Measured, with no limit to hold it against.


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check has found."""

    name: str
    question: str
    state: State
    said: str
    """The answer in one line."""
    problems: int = 0
    examples: list[str] = field(default_factory=list)
    measures: dict[str, Measure] = field(default_factory=dict)


def finding(
    name: str,
    question: str,
    said: str,
    problems: Iterable[str],
    measures: dict[str, Measure] | None = None,
    *,
    judged: bool = True,
) -> Finding:
    """A finding that is broken if it has problems; without, clean if it could have had any."""
    found = list(problems)
    state = State.BROKEN if found else State.CLEAN if judged else State.TOLD
    return Finding(
        name=name,
        question=question,
        state=state,
        said=said,
        problems=len(found),
        examples=found[:EXAMPLES_MAX],
        measures=measures or {},
    )


def counted(number: int, noun: str) -> str:
    """A number and its noun: `1 call`, `2,000 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
