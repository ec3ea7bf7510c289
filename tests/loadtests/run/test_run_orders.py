"""What a run is told, and what it plans from that."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from loadtests.mock_gateway.weather import from_file
from loadtests.run import harvest, people
from loadtests.run.chaos import planned
from loadtests.run.order import WEATHER, Order, of_arguments, parser
from loadtests.run.scenarios import SCENARIOS
from loadtests.shapes import SHAPES
from loadtests.users.ledger import Ledger


def _order(*arguments: str) -> Order:
    return of_arguments(parser().parse_args(arguments))


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_an_order_that_can_be_followed(name: str) -> None:
    order = _order(name)

    assert order.shape in SHAPES
    assert order.people >= 5
    assert order.weather.is_file()
    disturbances = order.kills + order.drops + order.full_disks + order.clock_steps
    assert len(planned(order)) == disturbances


@pytest.mark.parametrize("file", sorted(WEATHER.glob("*.toml")))
def test_every_weather_can_be_read(file: Path) -> None:
    assert from_file(file).latency is not None


def test_without_a_name_it_is_two_minutes_with_faults() -> None:
    order = _order()

    assert (order.scenario, order.weather.name) == ("load", "rough.toml")
    assert order.seconds <= 120


def test_options_go_before_what_the_scenario_says() -> None:
    order = _order("load", "--pace", "2", "--people", "7", "--kills", "0", "--senders", "1")

    assert (order.pace_s, order.people, order.kills, order.senders) == (2.0, 7, 0, 1)


def test_people_are_as_many_as_keep_the_senders_busy() -> None:
    assert _order("load", "--seconds", "300", "--pace", "0.95", "--senders", "3").people == 240


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["--pace", "0"], ["--people", "0"], ["--weather", "nowhere.toml"]]
)
def test_a_bad_argument_ends_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        _order(*arguments)

    assert ended.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_chaos_is_spread_over_the_run_and_repeats_with_the_seed() -> None:
    order = _order("soak", "--kills", "60", "--drops", "4")
    events = planned(order)
    gaps = [after.in_s - before.in_s for before, after in itertools.pairwise(events)]

    assert events == planned(order)
    assert events != planned(_order("soak", "--seed", "2"))
    assert events[0].in_s >= 180
    assert events[-1].in_s <= 1_800  # Then ten minutes of calm, for one life to be looked at.
    assert order.seconds == 2_400
    assert min(gaps) > 10
    assert sum(event.what == "drop" for event in events) == 4


def test_two_processes_are_killed_in_turn() -> None:
    for seed in range(5):
        events = planned(_order("apart", "--seed", f"{seed}"))

        assert [event.nth for event in events if event.what == "kill"] == [0, 1, 2, 3, 4, 5]


def _settings(*arguments: str) -> list[int]:
    steps = (event for event in planned(_order(*arguments)) if event.what == "clock step")
    return [event.ahead_s for event in steps]


def test_a_wall_is_set_forward_and_back_in_turn_and_repeats_with_the_seed() -> None:
    settings = _settings("clock", "--clock-steps", "40")
    steps = [after - before for before, after in itertools.pairwise([0, *settings])]

    assert settings == _settings("clock", "--clock-steps", "40")
    assert settings != _settings("clock", "--clock-steps", "40", "--seed", "3")
    assert set(settings) == {-3_600, -600, 0, 600, 3_600}
    assert all((before < 0) != (after < 0) for before, after in itertools.pairwise(steps))


def test_a_wall_is_set_by_more_than_the_run_lasts() -> None:
    assert set(_settings("soak", "--clock-steps", "40")) == {-28_800, -4_800, 0, 4_800, 28_800}


def _message(**changes: Any) -> dict[str, Any]:
    return {
        "id": "M1",
        "priority": "high",
        "recipient": "+62812000001",
        "sender": "62811",
        "eta": {"at": "2026-01-01T00:00:10.5+00:00", "low_at": None, "high_at": None},
        **changes,
    }


def test_the_ledger_keeps_a_202_once(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "acknowledged-0.jsonl")

    kept = [
        ledger.acknowledge(_message(), kind="payment_link", took_us=7, mark="https://x"),
        ledger.acknowledge(_message(), kind="payment_link", took_us=9, mark="https://x"),
        ledger.acknowledge(_message(id="M2", eta=None), kind="activation", took_us=7, mark=None),
    ]
    ledger.close()

    first, second = map(json.loads, (tmp_path / "acknowledged-0.jsonl").read_text().splitlines())
    assert kept == [True, False, True]
    assert (first["id"], first["recipient"], first["took_us"]) == ("M1", "62812000001", 7)
    assert first["eta_at"] == 1_767_225_610_500_000
    assert second["eta_at"] is None


def test_the_records_of_all_workers_become_one(tmp_path: Path) -> None:
    (tmp_path / "acknowledged-0.jsonl").write_text('{"id": "a"}\n')
    (tmp_path / "acknowledged-1.jsonl").write_text('{"id": "b"}\n')

    harvest.acknowledged(tmp_path)

    assert (tmp_path / "acknowledged.jsonl").read_text() == '{"id": "a"}\n{"id": "b"}\n'
    assert not list(tmp_path.glob("acknowledged-*.jsonl"))


def test_arrivals_that_found_no_free_hand_are_told(tmp_path: Path) -> None:
    (tmp_path / "arrivals-0.txt").write_text("100 0 0\n")
    assert people.late(tmp_path) is None

    (tmp_path / "arrivals-1.txt").write_text("100 3 2\n")
    said = people.late(tmp_path)

    assert said is not None
    assert said.startswith("3 of 200 arrivals found no free hand, and 2 never had their turn")
