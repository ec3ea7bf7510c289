"""Did memory or file handles grow?

Memory is what the system counts as resident (RSS). Of the service's some 23 MB are the files of its
libraries, which do not grow, and it maps nothing of its database. What it has for itself alone
(USS) was measured to jump by 7 MB whenever another process with these libraries came or went.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from statistics import fmean

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, Measure, finding
from loadtests.verdict.lives import SETTLED_S, Held, Life, across, lives, within
from loadtests.verdict.records import US, Limits, Sample

MIB = 1024 * 1024


def check(evidence: Evidence) -> Finding:
    """Compare the end with minute five, in a life and across lives, and tell the slope."""
    question = "Did memory or handles grow?"
    if not evidence.folder.samples:
        return finding("resources", question, "no samples were taken", [], judged=False)
    problems: list[str] = []
    measures: dict[str, Measure] = {}
    said = []
    judged = False
    for process, samples in by_process(evidence.folder.samples).items():
        found, last = lives(samples), samples[-1]
        measures[f"{process}: memory at the end, MB"] = _mb(last)
        measures[f"{process}: memory, MB an hour"] = slope_mb_per_hour(found)
        measures[f"{process}: handles at the end"] = last.handles
        said.append(f"{process} {_mb(last):.0f} MB, {last.handles} handles")
        for name, grown, limit, example in _growths(found, evidence.run.limits):
            measures[f"{process}: {name}"] = grown
            judged = judged or grown is not None
            if grown is not None and limit is not None and grown > limit:
                problems.append(f"{process} {example}")
    short = "" if judged else "; too short a run to judge growth by"
    return finding(
        "resources", question, ", ".join(said) + short, problems, measures, judged=judged
    )


def by_process(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """Samples by the name of their process, whichever of its lives they are from."""
    found: dict[str, list[Sample]] = defaultdict(list)
    for sample in sorted(samples, key=lambda one: one.at):
        found[sample.process].append(sample)
    return found


def slope_mb_per_hour(found: Sequence[Life]) -> float | None:
    """The least-squares slope of memory over the longest life, from its minute five; None: it was
    shorter.

    slope = sum((t - mean t) (m - mean m)) / sum((t - mean t)^2).
    """
    longest = max(found, key=len)
    life = [one for one in longest if one.at >= longest[0].at + SETTLED_S * US]
    if len(life) < 2:
        return None
    hours = [one.at / US / 3_600 for one in life]
    mean_h, mean_mb = fmean(hours), fmean(map(_mb, life))
    spread = sum((hour - mean_h) ** 2 for hour in hours)
    pairs = zip(hours, life, strict=True)
    return sum((hour - mean_h) * (_mb(one) - mean_mb) for hour, one in pairs) / spread


def _growths(
    found: Sequence[Life], limits: Limits
) -> Iterator[tuple[str, float | None, float | None, str]]:
    """What was compared: a name, how far it grew, the limit of that, and words for too much."""
    longest = max(found, key=len)
    kinds: tuple[tuple[str, Held, float | None], ...] = (
        ("MB", _mb, limits.memory_growth_mb),
        ("handles", _handles, limits.handle_growth),
    )
    for unit, held, limit in kinds:
        grown = within(longest, held)
        said = f"ended {grown or 0:.1f} {unit} above minute five of its longest life"
        yield f"{unit} above minute five of the longest life", grown, limit, said
        grown = across(found, held)
        said = f"ended {grown or 0:.1f} {unit} above what it held at the same age at minute five"
        yield f"{unit} above minute five, at the same age", grown, limit, said


def _mb(sample: Sample) -> float:
    return sample.rss_bytes / MIB


def _handles(sample: Sample) -> float:
    return sample.handles
