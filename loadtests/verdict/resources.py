"""Did memory or file handles grow?"""

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean, median

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, Measure, finding
from loadtests.verdict.records import US, Sample

MIB = 1024 * 1024
SETTLED_S = 300
"""Minute five: caches are warm by then, and what still grows is a leak."""
WINDOW_S = 30
"""Samples about an instant are put together over so long."""


def check(evidence: Evidence) -> Finding:
    """Compare the end with minute five, and tell the slope, process by process."""
    question = "Did memory or handles grow?"
    if not evidence.folder.samples:
        return finding("resources", question, "no samples were taken", [], judged=False)
    problems: list[str] = []
    measures: dict[str, Measure] = {}
    said = []
    judged = False
    for process, samples in by_process(evidence.folder.samples).items():
        slope = slope_mb_per_hour(samples)
        measures[f"{process}: memory at the end, MB"] = samples[-1].rss_bytes / MIB
        measures[f"{process}: memory, MB an hour"] = slope
        measures[f"{process}: handles at the end"] = samples[-1].handles
        said.append(
            f"{process} {samples[-1].rss_bytes / MIB:.0f} MB, {samples[-1].handles} handles"
        )
        growth = _growth(samples)
        if growth is None:
            continue
        judged = True
        memory_mb, handles = growth
        measures[f"{process}: memory above minute five, MB"] = memory_mb
        measures[f"{process}: handles above minute five"] = handles
        limits = evidence.run.limits
        if limits.memory_growth_mb is not None and memory_mb > limits.memory_growth_mb:
            problems.append(f"{process} ended {memory_mb:.1f} MB above minute five")
        if limits.handle_growth is not None and handles > limits.handle_growth:
            problems.append(f"{process} ended with {handles:.0f} handles more than at minute five")
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


def slope_mb_per_hour(samples: Sequence[Sample]) -> float | None:
    """The least-squares slope of memory, over the longest life; None: too few samples.

    slope = sum((t - mean t) (m - mean m)) / sum((t - mean t)^2).
    """
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        lives[sample.pid].append(sample)
    life = max(lives.values(), key=len)
    hours = [one.at / US / 3_600 for one in life]
    mean_h, mean_mb = fmean(hours), fmean(one.rss_bytes / MIB for one in life)
    spread = sum((hour - mean_h) ** 2 for hour in hours)
    if not spread:
        return None
    pairs = zip(hours, life, strict=True)
    return sum((hour - mean_h) * (one.rss_bytes / MIB - mean_mb) for hour, one in pairs) / spread


def _growth(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """Megabytes and handles by which the end is above minute five; None: the run was shorter."""
    began_at, ended_at = samples[0].at, samples[-1].at
    settled_at = began_at + SETTLED_S * US
    early = [one for one in samples if abs(one.at - settled_at) <= WINDOW_S * US]
    late = [one for one in samples if one.at >= ended_at - 2 * WINDOW_S * US]
    if not early or ended_at < settled_at + 2 * WINDOW_S * US:
        return None
    memory = median(one.rss_bytes for one in late) - median(one.rss_bytes for one in early)
    handles = median(one.handles for one in late) - median(one.handles for one in early)
    return memory / MIB, handles
