from pathlib import Path

import pandas as pd
import pytest

from simulations import legacy, scenario
from simulations.cli import main
from simulations.console import span
from waqcore import Queue


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, what it printed, and what it complained of."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, out, err


def line(out: str, starts: str) -> list[str]:
    """The words of the one line that starts so."""
    (found,) = (one for one in out.splitlines() if one.startswith(starts))
    return found.split()


def test_list_shows_every_scenario_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "list")

    assert code == 0
    for name in scenario.names():
        assert line(out, f"{name} ")[1:] == scenario.load(name).title.split()


def test_run_shows_what_became_of_the_founding_five(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = said(capsys, "run", "founding-five")

    assert (code, err) == (0, "")
    assert line(out, "messages") == ["messages", "10"]
    assert line(out, "sent") == ["sent", "10"]
    assert line(out, "last payment link")[3:] == ["45.0", "s", "·", "10:00:45"]
    assert line(out, "smallest gap") == ["smallest", "gap", "10.00", "s"]
    # Payment links waited 5, 14, 23, 32 and 41 s.
    assert line(out, "high") == ["high", "5", "23.0", "s", "39.2", "s", "41.0", "s"]


def test_settings_change_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    short = said(capsys, "run", "founding-five", "--pace", "2", "--senders", "2")[1]
    long = said(capsys, "run", "founding-five", "--set", "pace=2", "--set", "policy.senders=2")[1]

    assert "2 senders, pace 2 s" in short
    assert short == long


def test_run_writes_its_frames_as_csv_and_as_parquet(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = str(tmp_path / "new")
    said(capsys, "run", "failing-messages", "--seed", "3", "--out", out)
    code, told, _ = said(
        capsys, "run", "failing-messages", "--seed", "3", "--out", out, "--format", "parquet"
    )

    assert code == 0
    assert f"wrote {out}/messages.parquet" in told
    expected = scenario.play(scenario.load("failing-messages"), 3)
    from_parquet = pd.read_parquet(tmp_path / "new" / "attempts.parquet")
    from_csv = pd.read_csv(tmp_path / "new" / "attempts.csv")
    for frame in (from_parquet, from_csv):
        assert frame["called_at"].tolist() == expected.attempt_rows()["called_at"].tolist()
        assert list(frame.columns) == list(expected.attempt_rows().columns)
    assert len(pd.read_csv(tmp_path / "new" / "messages.csv")) == 120
    assert len(list((tmp_path / "new").iterdir())) == 6


def test_compare_shows_the_old_beside_the_new(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, _ = said(capsys, "compare", "2000-in-a-minute", "--out", str(tmp_path))

    assert code == 0
    assert line(out, "    ") == ["OLD", "NEW"]
    old, new = (int(one.replace(",", "")) for one in line(out, "lost")[1:])
    assert old > 100
    assert new == 0
    states = pd.read_csv(tmp_path / "old-messages.csv")["state"]
    assert (states == legacy.LOST).sum() == old
    assert (pd.read_csv(tmp_path / "new-messages.csv")["state"] == "sent").all()


@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_picture_is_drawn_where_one_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str
) -> None:
    picture = tmp_path / "new" / "five.png"

    code, out, _ = said(capsys, command, "founding-five", "--plot", str(picture))

    assert code == 0
    assert f"wrote {picture}" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_sweep_shows_a_line_a_point_and_keeps_its_tables(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments = ["sweep", "founding-five", "--set", "pace=8,10", "--replications", "2"]

    code, out, _ = said(capsys, *arguments, "--measure", "last_high_s", "--out", str(tmp_path))
    again = said(capsys, *arguments, "--out", str(tmp_path), "--seed", "1")

    assert code == 0
    # Five seconds of gathering and four paces, whatever chance says.
    assert "8  37.00 ± 0.00" in out
    assert "10  45.00 ± 0.00" in out
    assert "4 runs, 0 of them found finished" in out
    assert "note: seed has changed since this folder was last used" in again[2]
    assert len(pd.read_parquet(tmp_path / "runs.parquet")) == 4


def test_the_old_loop_sleeps_for_the_pace_that_was_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = said(capsys, "compare", "founding-five", "--pace", "2")[1]

    # Two seconds after a call that took 0.3 s.
    assert line(out, "smallest gap")[2:] == ["2.30", "s", "2.00", "s"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "founding"], "there is no scenario 'founding': write one of 200-in-a-minute"),
        (["run", "none.toml"], "none.toml: cannot be read: No such file or directory"),
        (["run", "founding-five", "--pace", "0"], "policy.pace_s = 0.0: write seconds from 0.001"),
        (["run", "founding-five", "--pace", "fast"], "Invalid value for '--pace'"),
        (["run", "founding-five", "--set", "pace"], "--set pace: write KEY=VALUE, such as pace=8"),
        (["run", "founding-five", "--set", "pace="], "--set pace=: write KEY=VALUE"),
        (["run", "founding-five", "--set", "pace=8,9"], "one value; `sweep` takes several"),
        (["run", "founding-five", "--set", "pase=8"], "there is no key pase: write pace"),
        (["run", "founding-five", "--frob"], "No such option: --frob"),
        (["run", "founding-five", "--plot", "a.svg"], "a.svg: write a name that ends in .png"),
        (["run"], "Missing argument 'NAME' (see `python -m simulations run --help`)"),
        (["sweep", "founding-five", "--measure", "luck"], "there is no measure luck: write mess"),
        (["swep"], "No such command 'swep'"),
    ],
)
def test_wrong_input_ends_with_one_line_and_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    code, out, err = said(capsys, *arguments)

    assert (code, out) == (2, "")
    assert err.startswith("simulations: ")
    assert says in err
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_written_to_ends_with_1(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    code, _, err = said(capsys, "run", "founding-five", "--out", str(tmp_path / "file"))

    assert code == 1
    assert err == f"simulations: {tmp_path / 'file'}: File exists\n"


@pytest.mark.parametrize("command", [[], ["list"], ["run"], ["compare"], ["sweep"]])
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    code, out, _ = said(capsys, *command, "--help")

    assert code == 0
    assert "Usage: python -m simulations" in out
    assert command == ["list"] or "Examples:" in out


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (float("nan"), "-"),
        (0.52, "0.52 s"),
        (45.0, "45.0 s"),
        (95.4, "1 min 35 s"),
        (5_399.4, "89 min 59 s"),
        (40_740.0, "11 h 19 min"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: float, says: str) -> None:
    assert span(seconds) == says


def test_a_sweep_is_drawn_as_a_heatmap_of_its_first_measure(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    picture = tmp_path / "heat.png"
    grid = ("--set", "pace=8,10", "--replications", "1")

    code, out, _ = said(capsys, "sweep", "founding-five", *grid, "--plot", str(picture))

    assert (code, picture.read_bytes()[:4]) == (0, b"\x89PNG")
    assert out.splitlines()[-1] == f"wrote {picture}"
    code, _, err = said(capsys, "sweep", "founding-five", "--plot", str(picture))
    assert (code, "a heatmap has one or two settings, not 0" in err) == (2, True)


def test_the_twin_tells_when_a_live_queue_is_through(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One high and two normal messages, at a pace of 8 s: the last leaves some 16 s from now."""
    url = f"sqlite:///{tmp_path / 'q.db'}"
    environ = {
        "WHATSAPP_SENDER": "628114040707",
        "WAQ_GATEWAY": "sandbox",
        "WAQ_DATABASE_URL": url,
    }
    with Queue.from_env(environ) as queue:
        for n, priority in enumerate(["normal", "high", "normal"]):
            queue.enqueue(f"08123456789{n}", "hello", priority=priority)

    code, out, _ = said(capsys, "twin", url, "--pace", "8")

    assert code == 0
    assert line(out, "high")[:3] == ["high", "1", "1"]
    assert line(out, "normal")[:3] == ["normal", "2", "2"]
    assert "(in 16." in out
    code, _, err = said(capsys, "twin", f"sqlite:///{tmp_path / 'none.db'}")
    assert (code, "there is no database" in err) == (2, True)
