"""What a receiver's arrivals say of a sender: pace, order, lost, doubled, and the way back.

**Invariant:** nothing of a peer is asked; what it says of itself is no evidence.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(kw_only=True, eq=False)
class Arrival:
    """A call as the receiver saw it."""

    number: int
    """Of the message, in the order they were handed over."""
    at_us: int
    """When its first byte came, on the steady clock."""
    answered: bool = False
    """Whether the caller was still there to take the answer."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The figures of one run."""

    gap_us: int | None
    """The smallest gap between two starts; None: fewer than two calls came."""
    disordered: int
    """Messages that started after one that was handed over later; repeats do not count."""
    lost: int
    """Messages without an answered call when the run ended."""
    doubled: int
    """Messages with more than one answered call."""
    cut: int
    """Messages whose call a kill cut off."""
    rerun_us: int | None
    """From the kill to the last of the cut messages' next calls; None: one never came, or no kill
    cut a call."""


def judge(arrivals: Iterable[Arrival], messages: int, killed_at_us: int | None = None) -> Verdict:
    """Judge a run of *messages* numbered from 0; `killed_at_us` is when workers were killed."""
    in_time = sorted(arrivals, key=lambda arrival: arrival.at_us)
    answered = Counter(arrival.number for arrival in in_time if arrival.answered)
    cut = _cut(in_time, killed_at_us)
    return Verdict(
        gap_us=min((b.at_us - a.at_us for a, b in pairwise(in_time)), default=None),
        disordered=_disordered(in_time),
        lost=sum(1 for number in range(messages) if not answered[number]),
        doubled=sum(1 for count in answered.values() if count > 1),
        cut=len(cut),
        rerun_us=_rerun_us(in_time, cut, killed_at_us),
    )


def _disordered(in_time: Sequence[Arrival]) -> int:
    seen: set[int] = set()
    latest, count = -1, 0
    for arrival in in_time:
        if arrival.number not in seen:
            count += arrival.number < latest
        seen.add(arrival.number)
        latest = max(latest, arrival.number)
    return count


def _cut(in_time: Sequence[Arrival], killed_at_us: int | None) -> set[int]:
    if killed_at_us is None:
        return set()
    return {one.number for one in in_time if one.at_us <= killed_at_us and not one.answered}


def _rerun_us(in_time: Sequence[Arrival], cut: set[int], killed_at_us: int | None) -> int | None:
    if killed_at_us is None or not cut:
        return None
    again = {
        number: min(
            (one.at_us for one in in_time if one.number == number and one.at_us > killed_at_us),
            default=None,
        )
        for number in cut
    }
    known = [at_us for at_us in again.values() if at_us is not None]
    return max(known) - killed_at_us if len(known) == len(cut) else None
