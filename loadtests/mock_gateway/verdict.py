"""What to think of a run, judged from the gateway's own log and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from loadtests.mock_gateway import expectation as compare
from loadtests.mock_gateway.clock import US_PER_S, whole_us
from loadtests.mock_gateway.expectation import Expectation, Key, Moved
from loadtests.mock_gateway.log import Call

EXAMPLES_MAX = 10  # Of each finding; enough to start looking, few enough to read.


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Two calls of one sender, one after the other."""

    sender: str
    gap_s: float
    calls: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderVerdict:
    """One sender's calls."""

    calls: int
    delivered: int
    smallest_gap_s: float | None  # None: fewer than two calls.
    short_gaps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message a finding is about."""

    sender: str
    recipient: str
    text: str
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """How often something happened, and some of the messages it happened to."""

    count: int
    examples: list[Example]


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """How often messages were called in the wrong order, and some that were."""

    count: int
    examples: list[dict[str, Example]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Everything found; clean if it holds no problem."""

    clean: bool
    problems: list[str]
    calls: int
    delivered: int
    pace_s: float
    senders: dict[str, SenderVerdict]
    short_gaps: int
    worst_gaps: list[Gap]
    doubled: Finding
    altered: Finding
    lost: Finding | None  # None: no expectation to compare with; so are the next three.
    unexpected: Finding | None
    inversions: Disorder | None
    overtaken: Disorder | None
    banned: list[str]


def judge(calls: Iterable[Call], wanted: Expectation, *, banned: Sequence[str] = ()) -> Verdict:
    """Judge a finished run.

    A million calls take about 6 s, and 24 s beside a million expected messages (measured on the
    two cores this was written on); the server answers nobody meanwhile.
    """
    calls = sorted(calls, key=lambda call: call.arrived_us)
    pace_us = whole_us(wanted.pace)
    gaps = _gaps(calls)
    short = [gap for gap in gaps if whole_us(gap.gap_s) < pace_us]
    delivered = compare.delivered_keys(calls)
    doubled = _finding(compare.too_many(delivered, wanted.expected))
    altered = _finding(_altered(calls))
    comparison = _Comparison.of(calls, delivered, wanted, pace_us=pace_us)
    worst = sorted(short, key=lambda gap: gap.gap_s)[:EXAMPLES_MAX]
    problems = [
        *_silence(calls, wanted),
        *_short_gaps(short, wanted.pace),
        *(f"{sender} was banned for calls closer than the pace" for sender in banned),
        *_said(doubled, "deliveries too many: a text reached a phone again"),
        *_said(altered, "deliveries with another text than was sent (braces are active)"),
        *_miscounted(delivered, wanted),
        *comparison.problems(),
    ]
    return Verdict(
        clean=not problems,
        problems=problems,
        calls=len(calls),
        delivered=delivered.total(),
        pace_s=wanted.pace,
        senders=_by_sender(calls, gaps, short),
        short_gaps=len(short),
        worst_gaps=worst,
        doubled=doubled,
        altered=altered,
        lost=comparison.lost,
        unexpected=comparison.unexpected,
        inversions=comparison.inversions,
        overtaken=comparison.overtaken,
        banned=list(banned),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """The findings that need to know what was expected."""

    lost: Finding | None = None
    unexpected: Finding | None = None
    inversions: Disorder | None = None
    overtaken: Disorder | None = None

    @staticmethod
    def of(
        calls: Sequence[Call], delivered: Counter[Key], wanted: Expectation, *, pace_us: int
    ) -> "_Comparison":
        if wanted.expected is None:
            return _Comparison()
        expected = Counter(map(compare.key_of, wanted.expected))
        strange = Counter({key: n for key, n in delivered.items() if key not in expected})
        firsts = compare.first_calls(calls)
        inverted, examples = compare.inversions(wanted, firsts)
        overtaken = compare.overtaken(wanted.expected, firsts, pace_us=pace_us)
        return _Comparison(
            lost=_finding(expected - delivered),
            unexpected=_finding(strange),
            inversions=_disorder(inverted, examples),
            overtaken=_disorder(len(overtaken), overtaken),
        )

    def problems(self) -> Iterable[str]:
        yield from _said(self.lost, "expected messages were never delivered")
        yield from _said(self.unexpected, "deliveries nobody expected")
        yield from _said(self.inversions, "pairs of messages were called in the wrong order")
        yield from _said(self.overtaken, "calls went before a waiting higher priority")


def _gaps(calls: Sequence[Call]) -> list[Gap]:
    lanes: dict[str, list[Call]] = defaultdict(list)
    for call in calls:
        lanes[call.sender].append(call)
    return [
        Gap(
            sender=sender,
            gap_s=(after.arrived_us - before.arrived_us) / US_PER_S,
            calls=(before.call, after.call),
        )
        for sender, lane in lanes.items()
        for before, after in pairwise(lane)
    ]


def _by_sender(
    calls: Sequence[Call], gaps: Sequence[Gap], short: Sequence[Gap]
) -> dict[str, SenderVerdict]:
    called = Counter(call.sender for call in calls)
    delivered: Counter[str] = Counter()
    for call in calls:
        delivered[call.sender] += len(call.deliveries)
    smallest: dict[str, float] = {}
    for gap in gaps:
        smallest[gap.sender] = min(gap.gap_s, smallest.get(gap.sender, gap.gap_s))
    too_short = Counter(gap.sender for gap in short)
    return {
        sender: SenderVerdict(
            calls=called[sender],
            delivered=delivered[sender],
            smallest_gap_s=smallest.get(sender),
            short_gaps=too_short[sender],
        )
        for sender in sorted(called)
    }


def _altered(calls: Iterable[Call]) -> Counter[Key]:
    """Deliveries whose text is not the one sent; a footer after it and outer blanks aside."""
    return Counter(
        Key(call.sender, delivery.recipient, call.text)
        for call in calls
        for delivery in call.deliveries
        if not delivery.text.startswith(call.text.strip())
    )


def _finding(times: Counter[Key]) -> Finding:
    worst = times.most_common(EXAMPLES_MAX)
    return Finding(count=times.total(), examples=[_example(key, count) for key, count in worst])


def _example(key: Key, times: int = 1) -> Example:
    return Example(sender=key.sender, recipient=key.recipient, text=key.text, times=times)


def _disorder(count: int, moved: Sequence[Moved]) -> Disorder:
    examples = [
        {name: _example(key) for name, key in pair._asdict().items()}
        for pair in moved[:EXAMPLES_MAX]
    ]
    return Disorder(count=count, examples=examples)


def _said(finding: Finding | Disorder | None, what: str) -> Iterable[str]:
    if finding is not None and finding.count:
        yield f"{finding.count} {what}"


def _silence(calls: Sequence[Call], wanted: Expectation) -> Iterable[str]:
    """A run that never reached the gateway is not a clean one."""
    if not calls and wanted.expect != 0 and wanted.expected != ():
        yield "no send call was received"


def _short_gaps(short: Sequence[Gap], pace_s: float) -> Iterable[str]:
    lanes: dict[str, list[Gap]] = defaultdict(list)
    for gap in short:
        lanes[gap.sender].append(gap)
    for sender, lane in sorted(lanes.items()):
        worst = min(lane, key=lambda gap: gap.gap_s)
        yield (
            f"{sender}: {len(lane)} gaps under the pace of {pace_s:g} s, "
            f"the smallest {worst.gap_s:.6f} s (calls {worst.calls[0]} and {worst.calls[1]})"
        )


def _miscounted(delivered: Counter[Key], wanted: Expectation) -> Iterable[str]:
    if wanted.expect is not None and len(delivered) != wanted.expect:
        yield f"{len(delivered)} different messages were delivered, expected {wanted.expect}"
