"""The command: what it prints, what it writes, and what it ends with."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadtests.verdict.__main__ import main
from tests.loadtests.verdict.handmade import HandMade, at

STATS = """\
Type,Name,Request Count,Failure Count,Median Response Time,99%,Max Response Time,Requests/s
POST,/v1/registrations,120,2,12,48,61.5,1.2
,Aggregated,300,2,9,40,61.5,3.0
"""


def _give(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> int:
    monkeypatch.setattr("sys.argv", ["verdict", str(folder), *options])
    return main()


def _full() -> HandMade:
    run = HandMade()
    run.run["remarks"] = ["<ended> early"]
    run.promise("X", "low", 61)
    run.kill(62, back=63)
    run.call("X", 64)
    run.samples = [
        {"at": at(n), "process": "service", "pid": 9, "rss_bytes": 80_000_000 + n, "handles": 20}
        for n in range(60)
    ]
    return run


def test_a_clean_run_ends_with_0_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _give(_full().write(tmp_path), monkeypatch)

    said = capsys.readouterr().out
    assert code == 0
    assert "by hand, pace 10 s, seed 7: clean" in said
    assert f"report: {tmp_path}/report.html" in said
    assert json.loads((tmp_path / "verdict.json").read_text())["clean"] is True


def test_a_broken_run_ends_with_1_and_names_what_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = HandMade()
    run.calls.pop()

    code = _give(run.write(tmp_path), monkeypatch)

    assert code == 1
    assert "NOT CLEAN" in capsys.readouterr().out
    written = json.loads((tmp_path / "verdict.json").read_text())
    assert written["clean"] is False
    assert written["findings"]["accounted"]["problems"] == 1


@pytest.mark.parametrize("name", ["run.json", "calls.jsonl", "messages.jsonl"])
def test_a_missing_file_cannot_be_judged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    HandMade().write(tmp_path)
    (tmp_path / name).unlink()

    assert _give(tmp_path, monkeypatch) == 2
    assert capsys.readouterr().err == f"cannot judge: {tmp_path}/{name} is missing\n"


def test_an_empty_run_cannot_be_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = HandMade()
    run.calls = run.messages = run.attempts = run.acknowledged = []

    assert _give(run.write(tmp_path), monkeypatch) == 2
    assert "the run is empty" in capsys.readouterr().err


def test_a_broken_line_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    HandMade().write(tmp_path)
    (tmp_path / "attempts.jsonl").write_text('{"message_id": "a", "sender": "s", "number": 1}\n{"')

    assert _give(tmp_path, monkeypatch) == 2
    assert "attempts.jsonl, line 2: " in capsys.readouterr().err


def test_a_folder_that_is_not_there_cannot_be_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _give(tmp_path / "nowhere", monkeypatch) == 2
    assert "is not a folder" in capsys.readouterr().err


class _Tags(HTMLParser):
    """What a page loads, and how many pictures it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.pictures += tag == "svg"
        for name, value in attrs:
            own = (value or "").startswith("#")
            if name in ("src", "href", "data") or (name == "xlink:href" and not own):
                self.loads.append(f"{tag} {value}")


def test_the_report_holds_everything_and_needs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _full().write(tmp_path)
    (tmp_path / "locust_stats.csv").write_text(STATS)
    _give(tmp_path, monkeypatch, "--quiet")

    report = (tmp_path / "report.html").read_text()
    tags = _Tags()
    tags.feed(report)

    assert tags.loads == []
    assert tags.pictures == 8
    assert not re.search(r"url\((?!#)|@import|<script", report)
    assert "prefers-color-scheme: dark" in report
    assert "POST /v1/registrations" in report
    assert "&lt;ended&gt; early" in report
    assert all(
        shown in report for shown in ("<td>seed</td>", "<td>users</td>", "<td>python</td>", "3.11")
    )


def test_a_run_without_statistics_or_samples_still_has_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _give(HandMade().write(tmp_path), monkeypatch, "--quiet") == 0
    assert "Requests, as Locust counted them" not in (tmp_path / "report.html").read_text()
