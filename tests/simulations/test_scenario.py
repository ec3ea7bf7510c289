from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from simulations import scenario
from simulations.scenario import Scenario, changed, load, play, prepare, streams
from simulations.written import ScenarioError
from waqcore.core.instants import HOUR, SECOND
from waqcore.core.policy import Cap, Quiet, TimeShift

SMALL = """
title = "Some people register"
starts_at = "2026-03-01T10:00:00+07:00"

[arrivals.registrations]
kind = "within"
users = 10
within_s = 60
brings = "registration"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_founding_five_leave_at_their_instants() -> None:
    frame = play(load("founding-five")).messages()

    called_at = frame.set_index(["reference", "priority"])["called_at"]
    clock = {
        key: datetime.fromisoformat("1970-01-01T07:00:00") + timedelta(microseconds=int(at))
        for key, at in called_at.items()
    }
    assert {key: f"{at:%Y-%m-%d %H:%M:%S.%f}" for key, at in clock.items()} == {
        ("REG-1", "high"): "2026-03-01 10:00:05.000000",
        ("REG-2", "high"): "2026-03-01 10:00:15.000000",
        ("REG-3", "high"): "2026-03-01 10:00:25.000000",
        ("REG-4", "high"): "2026-03-01 10:00:35.000000",
        ("REG-5", "high"): "2026-03-01 10:00:45.000000",
        ("REG-1", "normal"): "2026-03-01 10:00:55.000000",
        ("REG-2", "normal"): "2026-03-01 10:01:05.000000",
        ("REG-3", "normal"): "2026-03-01 10:01:15.000000",
        ("REG-4", "normal"): "2026-03-01 10:01:25.000000",
        ("REG-5", "normal"): "2026-03-01 10:01:35.000000",
    }
    assert frame["enqueued_at"].drop_duplicates().diff().dropna().tolist() == [1_000_000] * 4


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_is_read_and_runs_to_its_end(name: str) -> None:
    found = load(name)

    run = play(found, seed=1)

    assert found.title
    assert len(run.given) >= 10
    assert (run.messages()["state"] != "queued").all()


def test_the_scenarios_are_those_that_were_promised() -> None:
    assert scenario.names() == [
        "200-in-a-minute",
        "2000-in-a-minute",
        "failing-messages",
        "founding-five",
        "gateway-outage",
        "marketing-under-registrations",
        "opening-day",
        "priority-mix",
        "retry-storm",
    ]


def test_two_hundred_in_a_minute_end_as_arithmetic_says() -> None:
    latency = {"kind": "constant", "seconds": 0.3}
    exact = changed(load("200-in-a-minute"), {"guard": 0, "weather.latency": latency})

    run = play(exact)

    # The first call starts with the first arrival; 400 calls are 399 paces.
    assert run.called_at.max() - run.given.at[0] == 3_990_000_000
    assert np.all(np.diff(np.sort(run.called_at)) == 10_000_000)


def test_policies_meet_the_same_people_and_the_same_weather() -> None:
    slow = changed(load("failing-messages"), {"pace": 12, "max_attempts": 5})
    fast = changed(load("failing-messages"), {"pace": 4, "senders": 3})

    on_slow, on_fast = prepare(slow, 7), prepare(fast, 7)

    assert on_slow.workload.at.tolist() == on_fast.workload.at.tolist()
    asked = [(seq, attempt) for seq in range(len(on_slow.workload)) for attempt in (1, 2, 3)]
    assert [on_slow.gateway.call(s, a, 0, 0) for s, a in asked] == [
        on_fast.gateway.call(s, a, 0, 0) for s, a in asked
    ]
    assert on_slow.policy_seed == on_fast.policy_seed


def test_a_seeds_streams_are_the_same_each_time_and_differ_from_each_other() -> None:
    root = np.random.SeedSequence(3)

    first, again, other = streams(root), streams(root), streams(4)

    numbers = [[rng.random() for rng in drawn[:4]] for drawn in (first, again, other)]
    assert numbers[0] == numbers[1]
    assert len({*numbers[0], *numbers[2]}) == 8
    assert first.policy == again.policy != other.policy
    assert root.n_children_spawned == 0


def test_the_same_seed_gives_the_same_frames() -> None:
    found = load("retry-storm")

    once, again, other = play(found, 5), play(found, 5), play(found, 6)

    assert once.attempt_rows().equals(again.attempt_rows())
    assert once.messages().equals(again.messages())
    assert not once.attempt_rows().equals(other.attempt_rows())


def test_everything_about_a_policy_can_be_written(tmp_path: Path) -> None:
    text = (
        SMALL
        + """
[policy]
pace_s = 8
guard_s = 0.05
jitter_s = 2
gather_s = 5
max_attempts = 4
backoff_s = 1
backoff_max_s = 60
order = "time-shift"
high_head_start_s = 120
cap_calls = 500
cap_window_s = 3_600
quiet_from = "21:00"
quiet_to = "06:30"
senders = 2
assign = "hash"
on_unknown = "hold"
"""
    )

    found = load(written(tmp_path, text))

    policy = found.policy
    assert (policy.pace_us, policy.guard_us, policy.jitter_us) == (8_000_000, 50_000, 2_000_000)
    assert (policy.gather_us, policy.max_attempts) == (5_000_000, 4)
    assert (policy.backoff_base_us, policy.backoff_cap_us) == (1_000_000, 60_000_000)
    assert policy.time_shift == TimeShift(high_us=120_000_000, normal_us=0)
    assert policy.cap == Cap(500, HOUR)
    assert policy.quiet == Quiet(21 * HOUR, 6 * HOUR + HOUR // 2)
    assert found.fleet.numbers == ("sender-0", "sender-1")
    assert (found.fleet.assignment, found.fleet.on_unknown) == ("hash", "hold")


def test_quiet_hours_go_by_the_scenarios_own_clock(tmp_path: Path) -> None:
    text = SMALL.replace("10:00:00", "20:59:00").replace("registration", "reminder")
    found = load(written(tmp_path, text + '[policy]\nquiet_from = "21:00"\nquiet_to = "06:00"\n'))

    called_at = np.sort(play(found).called_at)

    nine = found.starts_at + 60 * SECOND
    six = nine + 9 * HOUR
    assert np.all((called_at < nine) | (called_at >= six))
    assert (called_at < nine).any()
    assert six in called_at.tolist()


def test_a_trace_is_found_beside_its_scenario(tmp_path: Path) -> None:
    (tmp_path / "then.csv").write_text("at,priority\n1000000,low\n2000000,high\n", encoding="utf-8")
    text = SMALL.split("[arrivals")[0] + (
        '[arrivals.then]\nkind = "trace"\nfile = "then.csv"\nbrings = "traced"\n'
    )

    found = load(written(tmp_path, text))

    workload = prepare(found).workload
    assert (workload.at - found.starts_at).tolist() == [0, 1_000_000]
    assert workload.priority.tolist() == [3, 1]
    before = found.fingerprint
    (tmp_path / "then.csv").write_text("at,priority\n1000000,low\n2500000,high\n", encoding="utf-8")
    assert load(tmp_path / "mine.toml").fingerprint != before


@pytest.mark.parametrize(
    ("key", "pace_us"),
    [("pace", 8), ("pace_s", 8), ("policy.pace", 8), ("policy.pace_s", 8)],
)
def test_a_setting_goes_by_its_short_name_or_its_whole_one(key: str, pace_us: int) -> None:
    assert changed(load("founding-five"), {key: 8}).policy.pace_us == pace_us * SECOND


def test_a_changed_scenario_leaves_the_one_it_was_made_from() -> None:
    found = load("founding-five")

    other = changed(
        found, {"users": 7, "not_sent": 0.5, "arrivals.registrations.expires_after_s": 20}
    )

    assert len(prepare(other).workload) == 14
    assert other.climate.failures.not_sent == 0.5
    assert other.flows[0].expires_after_us == 20_000_000
    assert len(prepare(found).workload) == 10
    assert found.fingerprint == load("founding-five").fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"pase": 8}, "there is no key pase: write pace"),
        (
            {"starts": 8},
            "starts is not one key here: write arrivals.registrations.starts_s or arrivals.camp",
        ),
        (
            {"per_minute": 8, "campaign.per_minute": 3},
            "there is no key campaign.per_minute",
        ),
        ({"brings": "spam"}, "brings is not one key here"),
        (
            {"arrivals.campaign.usr": 1},
            "arrivals.campaign.usr = 1: there is no such key; write users",
        ),
        ({"pace": 0}, "policy.pace_s = 0: write seconds from 0.001 to"),
    ],
)
def test_a_setting_that_cannot_be_made_says_what_to_write(
    setting: dict[str, object], says: str
) -> None:
    found: Scenario = load("marketing-under-registrations")
    if "starts" in setting:
        found = changed(found, {"arrivals.registrations.starts_s": 0})

    with pytest.raises(ScenarioError) as refused:
        changed(found, setting)

    assert says in str(refused.value)


def test_there_is_no_scenario_of_a_wrong_name() -> None:
    with pytest.raises(ScenarioError, match="no scenario 'founding': write one of 200-in-a-minute"):
        load("founding")
