"""What to think of a run: the gateway's verdict, and the founding timeline by the gateway's log."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.demo.gateway import Arrival
from loadtests.demo.plan import TOLERANCE_S, due_s
from loadtests.demo.record import HIGH, Message, Record
from loadtests.mock_gateway.clock import US_PER_S
from loadtests.mock_gateway.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One message and when it reached the gateway, in seconds after the first registration."""

    message: Message
    due_s: float
    calls_s: tuple[float, ...]  # Every call for it; more than one if it was called for again.

    @property
    def arrived_s(self) -> float | None:
        """When the first call for it came; None: none did."""
        return self.calls_s[0] if self.calls_s else None

    @property
    def off_s(self) -> float | None:
        """Later than the founding timeline says; None: never arrived."""
        return None if self.arrived_s is None else self.arrived_s - self.due_s

    @property
    def is_judged(self) -> bool:
        """Whether its arrival is a promise: an activation's shifts with every link before it."""
        return self.message.priority == HIGH

    @property
    def is_on_time(self) -> bool:
        """Whether it came within the tolerance, where that is judged."""
        if not self.is_judged:
            return True
        return self.off_s is not None and abs(self.off_s) <= TOLERANCE_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Everything found; clean if it holds no problem."""

    pace_s: float
    reached: list[Reached]
    verdict: Verdict
    problems: list[str]

    @property
    def smallest_gap_s(self) -> float | None:
        """The smallest gap between two calls; None: fewer than two."""
        gaps = [one.smallest_gap_s for one in self.verdict.senders.values()]
        return min((gap for gap in gaps if gap is not None), default=None)


def judge(record: Record, calls: Sequence[Arrival], verdict: Verdict) -> Judgement:
    """Compare a run with the founding timeline, and add what the gateway thinks of it."""
    calls_s: dict[str, list[float]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.arrived_us):
        calls_s[call.text].append((call.arrived_us - record.first_registration_us) / US_PER_S)
    reached = [
        Reached(
            message=message,
            due_s=due_s(message.place, record.pace_s),
            calls_s=tuple(calls_s[message.text]),
        )
        for message in record.messages
    ]
    off = [_said(one) for one in reached if not one.is_on_time]
    return Judgement(
        pace_s=record.pace_s,
        reached=reached,
        verdict=verdict,
        problems=[*verdict.problems, *off],
    )


def _said(one: Reached) -> str:
    what = f"{one.message.kind} to {one.message.user}"
    if one.off_s is None:
        return f"{what} never reached the gateway"
    return f"{what} came {one.off_s:+.3f} s off: more than {TOLERANCE_S:g} s"
