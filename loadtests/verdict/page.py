"""The report: one HTML file that needs no other, light or dark, on a desk or on a phone."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files

from loadtests.verdict import plots
from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import Finding, Measure, State
from loadtests.verdict.folder import HttpStat
from loadtests.verdict.judge import Verdict
from loadtests.verdict.records import US

_WORDS = {State.CLEAN: "clean", State.BROKEN: "broken", State.TOLD: "told"}


def page(verdict: Verdict, evidence: Evidence) -> str:
    """The whole report."""
    run = evidence.run
    style = files("loadtests.verdict").joinpath("page.css").read_text(encoding="utf-8")
    result = "clean" if verdict.clean else "not clean"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{escape(run.scenario)}: {result}</title><style>{style}</style></head><body><main>",
        _head(verdict, evidence),
        *(_finding(finding) for finding in verdict.findings),
        "<h2>What it looked like</h2>",
        f'<div class="plots">{"".join(_plot(plot) for plot in plots.drawn(evidence))}</div>',
        _http(evidence.folder.http),
        _chaos(evidence),
        "<h2>What was run</h2>",
        _pairs({"seed": run.seed, "pace, s": run.pace_s, "guard, s": run.guard_s}, run.parameters),
        "<h2>Versions</h2>",
        _pairs(run.versions),
        "</main></body></html>",
    ]
    return "\n".join(parts)


def _head(verdict: Verdict, evidence: Evidence) -> str:
    run = evidence.run
    began = datetime.fromtimestamp(run.started_at / US, UTC)
    seconds = (run.ended_at - run.started_at) / US
    state = State.CLEAN if verdict.clean else State.BROKEN
    broken = [finding.question for finding in verdict.findings if finding.state is State.BROKEN]
    why = f"<p class='why'>{escape(' '.join(broken))}</p>" if broken else ""
    remarks = "".join(f"<p class='remark'>{escape(remark)}</p>" for remark in run.remarks)
    return (
        f"<header><p class='verdict {state}'>{'Clean' if verdict.clean else 'Not clean'}</p>"
        f"<h1>{escape(run.scenario)}</h1>"
        f"<p class='when'>{began:%Y-%m-%d %H:%M:%S} UTC, {seconds:,.0f} s, pace {run.pace_s:g} s, "
        f"seed {run.seed}, {escape(run.end)}</p>{why}{remarks}</header>"
    )


def _finding(finding: Finding) -> str:
    examples = "".join(f"<li>{escape(example)}</li>" for example in finding.examples)
    more = finding.problems - len(finding.examples)
    if more > 0:
        examples += f"<li>and {more:,} more</li>"
    shown = f"<ul class='problems'>{examples}</ul>" if examples else ""
    measures = _table(("measure", ""), [(k, _measure(v)) for k, v in finding.measures.items()])
    details = f"<details><summary>measures</summary>{measures}</details>" if measures else ""
    return (
        f"<section class='finding {finding.state}'><div class='state'>{_WORDS[finding.state]}</div>"
        f"<div><h3>{escape(finding.question)}</h3><p>{escape(finding.said)}</p>{shown}{details}"
        "</div></section>"
    )


def _plot(plot: plots.Plot) -> str:
    return f"<figure><figcaption>{escape(plot.title)}</figcaption>{plot.svg}</figure>"


def _http(stats: Sequence[HttpStat]) -> str:
    if not stats:
        return ""
    rows = [
        (
            f"{stat.method} {stat.name}".strip(),
            f"{stat.requests:,}",
            f"{stat.failures:,}",
            f"{stat.median_ms:.0f}",
            f"{stat.p99_ms:.0f}",
            f"{stat.max_ms:.0f}",
            f"{stat.per_second:.1f}",
        )
        for stat in stats
    ]
    head = ("request", "number", "failed", "median, ms", "p99, ms", "slowest, ms", "a second")
    return f"<h2>Requests, as Locust counted them</h2>{_table(head, rows)}"


def _chaos(evidence: Evidence) -> str:
    if not evidence.run.chaos:
        return ""
    rows = [
        (
            one.what,
            one.detail,
            f"{(one.at - evidence.run.started_at) / US:.2f}",
            f"{(one.restored_at - one.at) / US:.2f}",
        )
        for one in evidence.run.chaos
    ]
    return f"<h2>Chaos</h2>{_table(('what', 'to what', 'at, s', 'for, s'), rows)}"


def _pairs(*mappings: Mapping[str, Measure]) -> str:
    rows = [(key, _measure(value)) for mapping in mappings for key, value in mapping.items()]
    return _table(("", ""), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    if not body:
        return ""
    named = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    top = f"<thead><tr>{named}</tr></thead>" if any(head) else ""
    return f"<div class='scroll'><table>{top}<tbody>{body}</tbody></table></div>"


def _measure(value: Measure) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,.3f}"
        case int():
            return f"{value:,}"
        case str():
            return value


def as_json(verdict: Verdict, evidence: Evidence) -> str:
    """The verdict for machines."""
    return json.dumps(verdict.shown(evidence), indent=2, ensure_ascii=False) + "\n"
