from pathlib import Path

import pytest

from simulations.scenario import load
from simulations.written import ScenarioError

HEAD = 'title = "Some people register"\nstarts_at = 2026-03-01T10:00:00+07:00\n'
PEOPLE = '[arrivals.r]\nkind = "at once"\nusers = 5\n'
BARE = HEAD + PEOPLE
GOOD = BARE + 'brings = "registration"\n'

WRONG = {
    "no title": (
        GOOD.replace("title", "titel"),
        "title is missing: write one line",
    ),
    "no offset": (
        GOOD.replace("+07:00", ""),
        'starts_at = "2026-03-01 10:00:00": write a date and time with its offset',
    ),
    "no date": (GOOD.replace("2026-03-01T10:00:00+07:00", '"noon"'), 'starts_at = "noon": write a'),
    "nobody": (HEAD, "arrivals is missing: write at least one: [arrivals.registrations]"),
    "arrivals not named": (
        HEAD + '[arrivals]\nkind = "at once"\n',
        'arrivals.kind = "at once": write a table: [arrivals.kind]',
    ),
    "kind": (
        GOOD.replace("at once", "poison"),
        'arrivals.r.kind = "poison": write "poisson"',
    ),
    "no kind": (HEAD + "[arrivals.r]\nusers = 5\n", 'r.kind is missing: write "at once", "spaced"'),
    "users": (GOOD.replace("5", "5.5"), "arrivals.r.users = 5.5: write a whole number from 0 to"),
    "users true": (GOOD.replace("5", "true"), "arrivals.r.users = true: write a whole number"),
    "users below 0": (GOOD.replace("5", "-5"), "arrivals.r.users = -5: write a whole number"),
    "another kind's key": (
        GOOD + "within_s = 60\n",
        "arrivals.r.within_s = 60: there is no such key; write",
    ),
    "a key by a slip": (
        GOOD + "[policy]\npace = 8\n",
        "policy.pace = 8: there is no such key; write pace_s",
    ),
    "a table by a slip": (
        GOOD + "[polisy]\npace_s = 8\n",
        'polisy = {"pace_s": 8}: there is no such key; write policy',
    ),
    "seconds": (
        GOOD + '[policy]\npace_s = "10 s"\n',
        'policy.pace_s = "10 s": write seconds from 0.001 to',
    ),
    "not a number": (GOOD + "[policy]\nguard_s = nan\n", "policy.guard_s = NaN: write seconds"),
    "a year of milliseconds": (
        GOOD + "[policy]\ngather_s = 50_000_000\n",
        "write seconds from 0 to 31,622,400",
    ),
    "attempts": (
        GOOD + "[policy]\nmax_attempts = 0\n",
        "max_attempts = 0: write a whole number from 1 to 255",
    ),
    "order": (
        GOOD + '[policy]\norder = "fifo"\n',
        'policy.order = "fifo": write "strict" or "time-shift"',
    ),
    "quiet": (
        GOOD + '[policy]\nquiet_from = "9pm"\n',
        'policy.quiet_from = "9pm": write a local time: "21:00"',
    ),
    "half quiet": (
        GOOD + '[policy]\nquiet_from = "21:00"\n',
        "policy.quiet_to is missing: write a local time",
    ),
    "probability": (
        GOOD + "[weather.failures]\nnot_sent = 20\n",
        "weather.failures.not_sent = 20: write a number from 0 to 1",
    ),
    "probabilities": (
        GOOD + "[weather.failures]\nnot_sent = 0.6\nrefused = 0.6\n",
        'weather.failures = {"not_sent": 0.6, "refused": 0.6}: write probabilities that add up',
    ),
    "p99 below the median": (
        GOOD + '[weather.latency]\nkind = "lognormal"\nmedian_s = 2\np99_s = 1\n',
        "weather.latency.p99_s = 1: write seconds from 2 to",
    ),
    "an outage that is not a list": (
        GOOD + "[weather.outages]\nstarts_s = 1\n",
        'weather.outages = {"starts_s": 1}: write a list of tables: [[weather.outages]]',
    ),
    "an outage without an end": (
        GOOD + "[[weather.outages]]\nstarts_s = 1\n[[weather.outages]]\nlasts_s = 1\n",
        "weather.outages[0].lasts_s is missing: write seconds",
    ),
    "no such sender": (
        GOOD + "[[weather.disconnects]]\nstarts_s = 1\nlasts_s = 1\nsender = 1\n",
        "weather.disconnects[0].sender = 1: write a whole number from 0 to 0",
    ),
    "brings": (
        BARE + 'brings = "registrations"\n',
        'arrivals.r.brings = "registrations": write "registration"',
    ),
    "brings nothing": (
        BARE + "brings = { reminder = 0 }\n",
        'r.brings = {"reminder": 0}: write "registration", or',
    ),
    "brings without end": (
        BARE + "brings = { reminder = inf }\n",
        "arrivals.r.brings.reminder = Infinity: write a number of at least 0",
    ),
    "brings what is unknown": (
        BARE + "brings = { spam = 1 }\n",
        "arrivals.r.brings.spam = 1: there is no such key",
    ),
    "no trace to go by": (BARE + 'brings = "traced"\n', 'arrivals.r.brings = "traced": write'),
    "steps": (
        HEAD
        + '[arrivals.r]\nkind = "profile"\nlasts_s = 60\nrates = [{ from_s = 5, per_minute = 1 },'
        " { from_s = 0, per_minute = 1 }]\n",
        "write its steps in rising order: [{ from_s = …, per_minute = 30 }, …]",
    ),
    "too many": (
        HEAD + '[arrivals.r]\nkind = "poisson"\nlasts_s = 6_000\nper_minute = 60_000\n',
        "arrivals.r.per_minute = 60000: write a number from 0 to 50,000",
    ),
    "trace": (
        HEAD + '[arrivals.r]\nkind = "trace"\nfile = "none.csv"\n',
        "none.csv: cannot be read",
    ),
}


@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_run_says_where_and_what_to_write(
    tmp_path: Path, text: str, says: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ScenarioError) as refused:
        load(path)

    assert says in str(refused.value)
    assert str(refused.value).startswith("mine.toml: ") or "none.csv" in says
    assert "\n" not in str(refused.value)


def test_the_scenario_these_are_slips_of_is_good(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")

    assert load(path).name == "mine"


def test_a_file_that_is_not_toml_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + "users =\n", encoding="utf-8")

    with pytest.raises(ScenarioError, match=r"mine.toml: is not TOML: .*line 7"):
        load(path)
