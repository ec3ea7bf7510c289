"""A run whose service's wall was stepped is judged on the true one."""

from pathlib import Path

import pytest

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import State
from loadtests.verdict.folder import CannotJudge, read
from tests.loadtests.verdict.handmade import US, HandMade, at

TEN_MINUTES_S = 600.0


def _step(run: HandMade, seconds: float, ahead_s: float) -> None:
    run.run["chaos"].append(
        {
            "what": "clock step",
            "at": at(seconds),
            "restored_at": at(seconds + 0.001),
            "ahead_us": round(ahead_s * US),
        }
    )


def _stepped(ahead_s: float = TEN_MINUTES_S) -> HandMade:
    """The run made by hand, as it is written down where the wall was set at second 25: by then
    three of its six calls had been made, the third at 20.15."""
    run = HandMade()
    for attempt in run.attempts:
        attempt["claimed_at"] = attempt["called_at"] - 5_000
    _step(run, 25, ahead_s)
    for attempt, message in zip(run.attempts, run.messages, strict=True):
        assert attempt["message_id"] in ("L0", "L1", "L2", "A0", "A1", "A2")
        if attempt["called_at"] < at(25):
            # An export reckons starts by the wall of its own time, and trims them to the answer's.
            later = attempt["finished_at"] if ahead_s > 0 else attempt["claimed_at"] + 1_000
            attempt["called_at"] = later
        else:
            for name in ("claimed_at", "called_at", "finished_at"):
                attempt[name] += round(ahead_s * US)
        if message["ended_at"] >= at(25):
            message["ended_at"] += round(ahead_s * US)
    return run


@pytest.mark.parametrize("ahead_s", [TEN_MINUTES_S, -TEN_MINUTES_S, 3_600, -3_600])
def test_a_clean_run_is_clean_whichever_way_its_wall_was_stepped(
    tmp_path: Path, ahead_s: float
) -> None:
    assert _stepped(ahead_s).broken(tmp_path) == {}


def test_every_instant_of_the_service_is_mapped_to_the_true_wall(tmp_path: Path) -> None:
    run = _stepped()
    evidence = Evidence(read(run.write(tmp_path)))
    calls = {one.message_id: one for one in evidence.folder.attempts}

    assert evidence.messages["L0"].ended_at == at(0.15)
    assert evidence.messages["A2"].ended_at == at(50.4)
    assert calls["A2"].called_at == at(50.3)
    assert calls["A2"].finished_at == at(50.4)
    assert calls["L2"].called_at == at(20.145)  # Its claim: when it left was lost in the export.
    assert evidence.left_out.starts == {("L0", 1), ("L1", 1), ("L2", 1)}


def test_settings_that_come_again_are_told_apart(tmp_path: Path) -> None:
    run = _stepped()
    _step(run, 45, 0)
    run.message("A2")["ended_at"] = at(50.4)
    for name in ("claimed_at", "called_at", "finished_at"):
        run.attempts[5][name] -= round(TEN_MINUTES_S * US)
    evidence = Evidence(read(run.write(tmp_path)))

    assert evidence.messages["A1"].ended_at == at(40.35)
    assert evidence.messages["A2"].ended_at == at(50.4)
    assert evidence.left_out.starts == {("A0", 1), ("A1", 1)}


def test_an_eta_told_after_a_step_is_of_the_wall_then_and_one_told_about_it_is_left_out(
    tmp_path: Path,
) -> None:
    run = HandMade()
    _step(run, 0.0, TEN_MINUTES_S)
    _step(run, 10.0, 0)
    for line, told in zip(run.acknowledged, (0.5, 9.9, 10.5, 12.0, 5.0, 11.2), strict=True):
        line["acknowledged_at"] = at(told)
        line["eta_at"] = at(1_000)
    evidence = Evidence(read(run.write(tmp_path)))
    etas = [one.eta_at for one in evidence.folder.acknowledged]

    #  0.5: a second before it another setting held; 9.9: plainly between; 10.5: not plainly after.
    assert etas == [None, at(400), None, at(1_000), at(400), at(1_000)]
    assert evidence.left_out.etas == 2


def test_a_short_gap_is_found_whatever_the_wall_did(tmp_path: Path) -> None:
    run = _stepped()
    run.calls[3]["arrived_us"] -= 200_000

    assert set(run.broken(tmp_path)) == {"pace"}


def test_a_start_that_ignored_the_guard_is_found_where_the_wall_was_the_last(
    tmp_path: Path,
) -> None:
    run = _stepped()
    run.attempts[4]["called_at"] -= 40_000

    (said,) = run.broken(tmp_path)["pace"]
    assert "A1 was called 10.010 s after A0" in said


def test_a_claim_is_not_taken_for_a_start(tmp_path: Path) -> None:
    run = _stepped()
    run.attempts[1]["claimed_at"] -= 100_000

    assert run.broken(tmp_path) == {}


def test_what_is_not_compared_is_said(tmp_path: Path) -> None:
    said = _stepped().findings(tmp_path)["pace"].said

    assert said.endswith("; 3 starts by the database left out: the clock was stepped")


def test_a_message_that_was_overtaken_is_found_across_a_step(tmp_path: Path) -> None:
    run = _stepped(-TEN_MINUTES_S)
    run.calls[2]["text"], run.calls[3]["text"] = run.calls[3]["text"], run.calls[2]["text"]
    run.attempts[2]["message_id"], run.attempts[3]["message_id"] = "A0", "L2"

    assert "order" in run.broken(tmp_path)


def test_a_lane_that_stalls_after_a_step_is_found(tmp_path: Path) -> None:
    run = _stepped()
    for call in run.calls[3:]:
        call["arrived_at"] += 16 * US

    assert any("after clock step" in said for said in run.broken(tmp_path)["recovery"])


def test_a_step_does_not_excuse_that_a_kill_was_not_got_over(tmp_path: Path) -> None:
    run = _stepped()
    run.kill(22, back=22.5)
    for call in run.calls[3:]:
        call["arrived_at"] += 16 * US

    assert any("after kill" in said for said in run.broken(tmp_path)["recovery"])


def test_a_step_is_no_reason_for_a_double(tmp_path: Path) -> None:
    run = _stepped()
    run.message("L2")["maybe_duplicate"] = True
    run.run["chaos"][0] |= {"at": at(20.2), "restored_at": at(20.201)}
    run.calls[2]["deliveries"] *= 2

    assert run.findings(tmp_path)["doubles"].state is State.BROKEN


def test_steps_shorter_than_the_run_cannot_be_judged(tmp_path: Path) -> None:
    with pytest.raises(CannotJudge, match="the same instants twice"):
        _stepped(-20).findings(tmp_path)


def test_an_instant_that_no_setting_showed_cannot_be_judged(tmp_path: Path) -> None:
    run = _stepped()
    run.message("L2")["ended_at"] = at(300)

    with pytest.raises(CannotJudge, match=f"wrote {at(300)}, which its wall did not show"):
        run.findings(tmp_path)


def test_a_scheduled_message_under_a_stepped_wall_cannot_be_judged(tmp_path: Path) -> None:
    run = _stepped()
    run.message("A2")["send_at"] = at(30)

    with pytest.raises(CannotJudge, match="A2 has a send_at"):
        run.findings(tmp_path)
