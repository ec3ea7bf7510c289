"""What the table says of a run, and when it says that all held."""

from dataclasses import replace

import pytest

from tests.peers.judge import Verdict
from tests.peers.pacing import PLAYS, Play, Run
from tests.peers.peer import Broker, Peer
from tests.peers.rates import Rates
from tests.peers.report import Line, markdown, rated_cells, run_in_words

STEADY = Play(name="steady", pace_s=1, messages=20, kill_at=None, kill=0, within_s=60)
KILLED = Play(name="kill one", pace_s=1, messages=20, kill_at=6, kill=1, within_s=75)


def peer() -> Peer:
    """A peer nobody has."""
    return Peer(name="x", title="X", adapter="x", broker=Broker.REDIS, paced_by="hope")


def run(play: Play, **other: int | None) -> Run:
    """A run in which nothing is wrong but what is given."""
    cut, back = (1, 9_000_000) if play.kill else (0, None)
    fields: dict[str, int | None] = {
        "gap_us": play.pace_s * 1_000_000,
        "disordered": 0,
        "lost": 0,
        "doubled": 0,
        "cut": cut,
        "rerun_us": back,
    }
    verdict = Verdict(**{**fields, **other})  # type: ignore[arg-type]
    return Run(play=play, verdict=verdict, arrivals=[])


@pytest.mark.parametrize("play", [STEADY, KILLED])
def test_a_run_without_fault_keeps_all(play: Play) -> None:
    assert run(play).keeps_all


@pytest.mark.parametrize(
    "fault",
    [{"gap_us": 999_999}, {"gap_us": None}, {"disordered": 1}, {"lost": 1}, {"doubled": 1}],
)
def test_any_fault_is_enough(fault: dict[str, int | None]) -> None:
    assert not run(STEADY, **fault).keeps_all


def test_a_killed_workers_message_must_be_back_in_fifteen_seconds() -> None:
    assert run(KILLED, rerun_us=15_000_000).keeps_all
    assert not run(KILLED, rerun_us=15_000_001).keeps_all
    assert not run(KILLED, rerun_us=None).keeps_all


def test_a_kill_that_cut_no_call_proves_nothing() -> None:
    assert not run(KILLED, cut=0, rerun_us=None).keeps_all


def test_a_kill_between_calls_cuts_none() -> None:
    between = replace(KILLED, between=True)

    assert run(between, cut=0, rerun_us=None).keeps_all
    assert not run(between, cut=0, rerun_us=None, doubled=1).keeps_all


def test_a_peer_holds_only_if_it_was_seen_in_every_run() -> None:
    all_runs = [run(play) for play in PLAYS]

    assert Line(peer=peer(), runs=all_runs).holds
    assert not Line(peer=peer(), runs=all_runs[:2]).holds


def test_a_run_is_told_in_words() -> None:
    told = run_in_words(run(KILLED, gap_us=512_345, disordered=2, lost=1, rerun_us=None))

    assert told == "gap 0.512 s, 2 out of order, 1 of 20 lost, not re-run in 75 s"


def test_a_dispatch_that_did_not_end_says_so() -> None:
    rates = Rates(queued=100_000, one=1_234.5, many=None, dispatch=None, floor=4_000.0)

    assert rated_cells(Line(peer=peer(), rates=[rates]))[2:] == [
        "1,234", "–", "–", "> 60 s", "–", "4,000",
    ]  # fmt: skip


def test_rates_by_keys_are_told_where_they_were_measured() -> None:
    keyed = replace(peer(), keyed=True)
    free = Rates(queued=0, one=1.0, many=2.0, dispatch=3.0, floor=4.0)
    of_keys = replace(free, many=9_876.5, dispatch=1_781.4)
    stuck = replace(free, many=5_432.1, dispatch=None)
    rates = [replace(free, keyed=of_keys), replace(free, queued=100_000, keyed=stuck)]

    cells = rated_cells(Line(peer=keyed, rates=rates))

    assert (cells[4], cells[6]) == ("9,876 / 5,432", "1,781 / > 60 s")


def test_a_peer_that_is_absent_is_listed_with_the_reason() -> None:
    assert "- X: no redis-server" in markdown([Line(peer=peer(), absent="no redis-server")])
