"""A setting that is wrong stops the start with one line that says which, and what it may be."""

import pytest

from waqcore.core.instants import HOUR, MINUTE, SECOND
from waqcore.core.message import OnUnknown
from waqcore.core.policy import Cap, Policy, Quiet, TimeShift
from waqcore.settings import Kind, Settings, SettingsError


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return str(caught.value)


def test_the_defaults_are_those_of_the_policy() -> None:
    assert Settings.from_env({}).policy() == Policy()


def test_the_default_pace_is_ten_seconds_and_three_attempts() -> None:
    settings = Settings.from_env({})

    assert (settings.pace_seconds, settings.max_attempts) == (10.0, 3)
    assert (settings.timeout_minutes, settings.gateway) == (30.0, Kind.MPWA)


def test_every_rule_of_a_lane_can_be_set() -> None:
    policy = Settings.from_env(
        {
            "WAQ_PACE_SECONDS": "2.5",
            "WAQ_GUARD_MS": "7",
            "WAQ_JITTER_SECONDS": "1",
            "WAQ_GATHER_SECONDS": "5",
            "WAQ_HIGH_HEAD_START_SECONDS": "60",
            "WAQ_MAX_ATTEMPTS": "5",
            "WAQ_BACKOFF_SECONDS": "3",
            "WAQ_BACKOFF_MAX_SECONDS": "90",
            "WAQ_BREAKER_THRESHOLD": "4",
            "WAQ_PROBE_SECONDS": "20",
            "WAQ_PROBE_MAX_SECONDS": "120",
            "WAQ_TIMEOUT_MINUTES": "7",
            "WAQ_REFUSED_MAX_HOURS": "2",
            "WAQ_QUIET_FROM": "21:00",
            "WAQ_QUIET_TO": "07:30",
            "WAQ_CAP_CALLS": "500",
            "WAQ_CAP_HOURS": "12",
        }
    ).policy()

    assert policy == Policy(
        pace_us=2_500_000,
        guard_us=7_000,
        jitter_us=SECOND,
        gather_us=5 * SECOND,
        time_shift=TimeShift(60 * SECOND, 30 * SECOND),
        quiet=Quiet(21 * HOUR, 7 * HOUR + 30 * MINUTE),
        cap=Cap(500, 12 * HOUR),
        max_attempts=5,
        backoff_base_us=3 * SECOND,
        backoff_cap_us=90 * SECOND,
        breaker_threshold=4,
        probe_base_us=20 * SECOND,
        probe_cap_us=120 * SECOND,
        sending_max_us=7 * MINUTE,
        refused_age_max_us=2 * HOUR,
    )


def test_the_old_name_of_the_pace_is_read_too() -> None:
    assert Settings.from_env({"WHATSAPP_QUEUE_DELAY": "4"}).pace_seconds == 4
    both = {"WHATSAPP_QUEUE_DELAY": "4", "WAQ_PACE_SECONDS": "6"}
    assert Settings.from_env(both).pace_seconds == 6
    empty = {"WHATSAPP_QUEUE_DELAY": "4", "WAQ_PACE_SECONDS": ""}
    assert Settings.from_env(empty).pace_seconds == 4


def test_a_refused_pace_is_named_as_it_was_set() -> None:
    line = "{} = 'ten' is not allowed: it must be a number"

    assert refusal(WHATSAPP_QUEUE_DELAY="ten") == line.format("WHATSAPP_QUEUE_DELAY")
    both = {"WHATSAPP_QUEUE_DELAY": "4", "WAQ_PACE_SECONDS": "ten"}
    assert refusal(**both) == line.format("WAQ_PACE_SECONDS")
    assert refusal(WHATSAPP_QUEUE_DELAY="4", WAQ_JITTER_SECONDS="ten") == (
        line.format("WAQ_JITTER_SECONDS")
    )


def test_an_empty_setting_is_one_that_is_not_set() -> None:
    settings = Settings.from_env({"WAQ_PACE_SECONDS": "", "WAQ_QUIET_FROM": "", "WAQ_SENDERS": ""})

    assert settings == Settings.from_env({})


def test_what_is_not_ours_is_none_of_our_business() -> None:
    assert Settings.from_env({"PATH": "/bin", "WHATSAPP_SOMETHING": "1"}) == Settings.from_env({})


def test_yes_and_no_are_written_true_and_false() -> None:
    assert Settings.from_env({"WAQ_MOBILE_ONLY": "false"}).mobile_only is False
    assert Settings.from_env({"WAQ_ON_UNKNOWN": "hold"}).on_unknown is OnUnknown.HOLD


def test_a_misspelt_name_is_refused_with_the_right_one() -> None:
    assert refusal(WAQ_PACE_SECOND="3") == (
        "there is no setting WAQ_PACE_SECOND: did you mean WAQ_PACE_SECONDS?"
    )
    assert refusal(WAQ_XYZZY="3").startswith("there is no setting WAQ_XYZZY: see the README")


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("WAQ_PACE_SECONDS", "-1", "it must be a number >= 0"),
        ("WAQ_PACE_SECONDS", "ten", "it must be a number"),
        ("WAQ_PACE_SECONDS", "nan", "it must be a number >= 0"),
        ("WAQ_PACE_SECONDS", "inf", "it must be a number <= 31622400"),
        ("WAQ_PACE_SECONDS", "99999999", "it must be a number <= 31622400"),
        ("WAQ_BACKOFF_SECONDS", "0", "it must be a number > 0"),
        ("WAQ_MAX_ATTEMPTS", "0", "it must be a whole number >= 1"),
        ("WAQ_MAX_ATTEMPTS", "2.5", "it must be a whole number"),
        ("WAQ_CALL_TIMEOUT_SECONDS", "61", "it must be a number <= 40"),
        ("WAQ_TIMEOUT_MINUTES", "0", "it must be a number > 0"),
        ("WAQ_GATEWAY", "pigeon", "it may be mpwa or sandbox"),
        ("WAQ_GATEWAY_URL", "ftp://x", "write it as http://… or https://…"),
        ("WAQ_ON_UNKNOWN", "perhaps", "it may be resend or hold"),
        ("WAQ_MOBILE_ONLY", "maybe", "it must be true or false"),
        ("WAQ_QUIET_FROM", "25:00", "write it as 21:00, hours and minutes"),
        ("WAQ_QUIET_FROM", "9pm", "write it as 21:00, hours and minutes"),
        ("WAQ_CAP_CALLS", "0", "it must be a whole number >= 1"),
        ("WAQ_CAP_CALLS", "many", "it must be a whole number"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_what_is(
    name: str, value: str, why: str
) -> None:
    assert refusal(**{name: value}) == f"{name} = {value!r} is not allowed: {why}"


def test_quiet_hours_need_both_ends() -> None:
    line = "WAQ_QUIET_FROM and WAQ_QUIET_TO go together: set both or neither"

    assert refusal(WAQ_QUIET_FROM="21:00") == line
    assert refusal(WAQ_QUIET_TO="07:00") == line


def test_a_backoff_cap_below_its_base_is_refused() -> None:
    assert "raise it" in refusal(WAQ_BACKOFF_MAX_SECONDS="4")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Asia"])
def test_a_time_zone_that_is_none_is_refused_with_an_example(zone: str) -> None:
    assert refusal(WAQ_TIMEZONE=zone) == (
        f"WAQ_TIMEZONE names no time zone: {zone!r}; write it as Asia/Jakarta or Europe/Berlin"
    )
