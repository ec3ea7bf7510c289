import random
from pathlib import Path

import pytest

from loadtests.mock_gateway.sky import Sky
from loadtests.mock_gateway.weather import BadWeather, from_file, from_json

SECOND = 1_000_000


def _sky(rules: bytes) -> Sky:
    weather = from_json(b'{"rules": [' + rules + b"]}")
    return Sky(weather, since_us=0, chance=random.Random(4))


def _faults(sky: Sky, *numbers: str, sender: str = "S", now_us: int = 0) -> list[str]:
    return [sky.strike(sender, (number,), now_us=now_us)[0].fault for number in numbers]


def test_a_rule_strikes_only_its_sender_and_the_numbers_that_end_so() -> None:
    sky = _sky(b'{"fault": "failed", "sender": "S", "recipient": "77"}')

    assert _faults(sky, "6277", "7762") == ["failed", "ok"]
    assert _faults(sky, "6277", sender="T") == ["ok"]


def test_a_rule_strikes_as_often_as_it_says() -> None:
    sky = _sky(b'{"fault": "failed", "times": 2}')

    assert _faults(sky, "1", "2", "3") == ["failed", "failed", "ok"]


def test_a_call_window_counts_calls_from_one_and_includes_its_last() -> None:
    sky = _sky(b'{"fault": "failed", "first_call": 2, "last_call": 3}')

    assert _faults(sky, "1", "2", "3", "4") == ["ok", "failed", "failed", "ok"]


def test_a_time_window_excludes_its_end() -> None:
    sky = _sky(b'{"fault": "failed", "from_s": 1, "to_s": 2.5}')

    seen = [_faults(sky, "1", now_us=at)[0] for at in (999_999, SECOND, 2_499_999, 2_500_000)]

    assert seen == ["ok", "failed", "failed", "ok"]


def test_the_first_rule_that_applies_decides() -> None:
    sky = _sky(b'{"fault": "ok", "recipient": "7"}, {"fault": "failed"}, {"fault": "invalid"}')

    assert _faults(sky, "7", "8") == ["ok", "failed"]


def test_a_probable_rule_strikes_about_its_share_and_the_same_calls_for_the_same_seed() -> None:
    rule = b'{"fault": "failed", "probability": 0.25}'
    first = _faults(_sky(rule), *["1"] * 1_000)

    assert 200 < first.count("failed") < 300
    assert first == _faults(_sky(rule), *["1"] * 1_000)


def test_a_share_of_the_numbers_is_unregistered_and_checks_agree_with_sends() -> None:
    sky = _sky(b'{"fault": "not_registered", "probability": 0.5}')
    numbers = [str(number) for number in range(100)]
    checked = {n for n in numbers if not sky.is_registered("S", n, now_us=0)}

    sent = {n for n, fault in zip(numbers, _faults(sky, *numbers), strict=True) if fault != "ok"}

    assert 30 < len(checked) < 70
    assert sent == checked


def test_a_device_that_drops_for_some_seconds_is_down_until_they_are_over() -> None:
    sky = _sky(b'{"fault": "disconnected", "sender": "S", "times": 1, "seconds": 2}')
    assert sky.is_connected("S", now_us=0)

    assert _faults(sky, "1") == ["disconnected"]

    assert not sky.is_connected("S", now_us=2 * SECOND - 1)
    assert _faults(sky, "1", now_us=SECOND) == ["disconnected"]
    assert sky.is_connected("T", now_us=SECOND)
    assert sky.is_connected("S", now_us=2 * SECOND)
    assert _faults(sky, "1", now_us=2 * SECOND) == ["ok"]


def test_a_number_without_a_digit_is_not_on_whatsapp() -> None:
    calm, ruled = _sky(b""), _sky(b'{"fault": "failed", "recipient": "7"}')

    assert _faults(calm, "") == _faults(ruled, "") == ["not_registered"]
    assert not calm.is_registered("S", "", now_us=0)


@pytest.mark.parametrize(
    ("rule", "complaint"),
    [
        (b'{"fault": "flood"}', "Invalid enum value 'flood' - at `$.rules[0].fault`"),
        (b'{"sender": "S"}', "missing required field `fault`"),
        (b'{"fault": "ok", "colour": 1}', "unknown field `colour`"),
        (b'{"fault": "failed", "probability": 1.5}', "<= 1.0"),
        (b'{"fault": "failed", "times": 0}', ">= 1"),
        (b'{"fault": "failed", "first_call": 3, "last_call": 2}', "last_call before first_call"),
        (b'{"fault": "failed", "from_s": 3, "to_s": 3}', "to_s not after from_s"),
        (b'{"fault": "failed", "recipient": ""}', "an empty recipient suffix"),
        (b'{"fault": "slow"}', "slow: seconds is missing"),
        (b'{"fault": "disconnected", "times": 1}', "disconnected: seconds is missing"),
        (b'{"fault": "hang", "seconds": 3}', "hang: seconds has no meaning"),
        (b'{"fault": "failed", "delivered": true}', "failed: delivered cannot be chosen"),
        (b'{"fault": "failed", "retry_after": 3}', "failed: retry_after has no meaning"),
        (b'{"fault": "disconnected", "recipient": "7"}', "not down for one recipient"),
        (b'{"fault": "not_registered", "times": 2}', "times has no meaning"),
        (b"!", "JSON is malformed"),
    ],
)
def test_a_bad_rule_is_refused_with_one_clear_line(rule: bytes, complaint: str) -> None:
    with pytest.raises(BadWeather) as refusal:
        _sky(rule)

    assert complaint in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_weather_is_read_from_toml(tmp_path: Path) -> None:
    file = tmp_path / "weather.toml"
    file.write_text('senders = ["S"]\n[[rules]]\nfault = "throttled"\nretry_after = ""\n')

    weather = from_file(file)

    assert weather.senders == frozenset({"S"})
    assert weather.rules[0].retry_after == ""


def test_a_bad_weather_file_is_named_in_the_complaint(tmp_path: Path) -> None:
    file = tmp_path / "weather.toml"
    file.write_text("[[rules]\n")

    with pytest.raises(BadWeather, match=r"weather\.toml: "):
        from_file(file)
