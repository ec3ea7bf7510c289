"""How far a process rose, whichever of its lives it was in.

What a process holds rises while it warms up: the service by some 10 MB in two minutes, of which
nothing tells of a leak. Where it is killed and started again, two instants find it at two ages. So
a life is compared with itself, after it has warmed up, and lives with lives of the same age.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import median

from loadtests.verdict.records import US, Sample

SETTLED_S = 300
"""Minute five: caches are warm by then, and what still grows is a leak."""
WINDOW_S = 30
"""Samples of one life about an instant are put together over so long."""
ABOUT_S = 120
"""The same for samples of many lives: some nine, where each has half a minute."""
AGES_MIN = 10
"""Ages in seconds at which a life must be comparable, to say anything."""
LIVES, LIVES_MIN = 10, 5
"""Of the last lives so many are looked at, and so many there must be, at the end as about minute
five: of the same age, one was up to 3 MB off another."""

Life = list[Sample]
"""Samples of one process, in their order."""

Held = Callable[[Sample], float]
"""What of a sample is looked at."""


def lives(samples: Sequence[Sample]) -> list[Life]:
    """The lives that samples are of, in the order of their births."""
    found: dict[int, Life] = defaultdict(list)
    for sample in sorted(samples, key=lambda one: one.at):
        found[sample.pid].append(sample)
    return list(found.values())


def within(life: Life, held: Held) -> float | None:
    """How far a life's end was above its own minute five; None: it was shorter.

    Grows with what grows with age.
    """
    settled_at, ended_at = life[0].at + SETTLED_S * US, life[-1].at
    early = [held(one) for one in life if abs(one.at - settled_at) <= WINDOW_S * US]
    late = [held(one) for one in life if one.at >= ended_at - 2 * WINDOW_S * US]
    if not early or ended_at < settled_at + 2 * WINDOW_S * US:
        return None
    return median(late) - median(early)


def across(found: Sequence[Life], held: Held) -> float | None:
    """How far a process is above minute five at the end of the run, its age left out of account;
    None: too few lives to tell.

    The last lives are held against those about minute five, second by second of their age. They
    were before the end, so what they rose by a minute is counted for all minutes up to there.
    Grows with what outlives a process, such as its database.
    """
    settled_at, ended_at = found[0][0].at + SETTLED_S * US, found[-1][-1].at
    usual = _usual(found, held, settled_at)
    later = [life for life in found if life[0].at > settled_at + ABOUT_S * US]
    above = [
        (life[0].at, risen) for life in later if (risen := _above(life, held, usual)) is not None
    ]
    last = above[-LIVES:]
    if len(last) < LIVES_MIN:
        return None
    at = median(at for at, _ in last)
    return median(risen for _, risen in last) * (ended_at - settled_at) / (at - settled_at)


def _usual(found: Sequence[Life], held: Held, settled_at: int) -> Mapping[int, float]:
    """What lives about minute five held, by their age in seconds; nothing if they were too few."""
    by_age: dict[int, list[float]] = defaultdict(list)
    counted = 0
    for life in found:
        about = [one for one in life if abs(one.at - settled_at) <= ABOUT_S * US]
        counted += bool(about)
        for one in about:
            by_age[_age_s(life, one)].append(held(one))
    if counted < LIVES_MIN:
        return {}
    return {age: median(values) for age, values in by_age.items()}


def _above(life: Life, held: Held, usual: Mapping[int, float]) -> float | None:
    """How far a life was above what is usual at its age; None: it had no such age for long."""
    aged = ((_age_s(life, one), held(one)) for one in life)
    above = [value - usual[age] for age, value in aged if age in usual]
    return median(above) if len(above) >= AGES_MIN else None


def _age_s(life: Life, sample: Sample) -> int:
    return round((sample.at - life[0].at) / US)
