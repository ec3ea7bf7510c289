"""How fast were requests answered? Locust's own statistics, and the 202s it kept."""

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, Measure, finding

TOTAL = "Aggregated"


def check(evidence: Evidence) -> Finding:
    """Hold the 99th percentile of the 202s against the limit, if there is one."""
    took_ms = sorted(
        one.took_us / 1_000 for one in evidence.acknowledged.values() if one.took_us is not None
    )
    limit_ms = evidence.run.limits.acknowledge_p99_ms
    measures: dict[str, Measure] = {}
    problems = []
    said = "no times were kept"
    if took_ms:
        p99_ms = took_ms[min(len(took_ms) - 1, int(0.99 * len(took_ms)))]
        said = f"202s: median {took_ms[len(took_ms) // 2]:.0f} ms, p99 {p99_ms:.0f} ms"
        measures["202s, ms, p99"] = p99_ms
        measures["202s, ms, slowest"] = took_ms[-1]
        if limit_ms is not None and p99_ms > limit_ms:
            problems.append(f"the 202s' p99 is {p99_ms:.0f} ms, above {limit_ms:.0f} ms")
    for stat in evidence.folder.http:
        if stat.name == TOTAL:
            said += f"; {stat.requests:,} requests, {stat.failures:,} failed"
            measures |= {"requests": stat.requests, "requests that failed": stat.failures}
    judged = limit_ms is not None and bool(took_ms)
    return finding("http", "Were requests answered fast?", said, problems, measures, judged=judged)
