"""The numbers we send from, from the settings and from a file."""

from pathlib import Path

import pytest

from waqcore.core.instants import HOUR, SECOND
from waqcore.core.policy import Cap, Quiet
from waqcore.senders import Fleet, fleet
from waqcore.settings import Kind, Settings, SettingsError

FIRST, SECOND_NUMBER, THIRD = "628114040707", "628114040808", "628114040909"


def fleet_of(folder: Path, file: str = "", **environ: str) -> Fleet:
    path = folder / "senders.toml"
    if file:
        path.write_text(file, encoding="utf-8")
        environ["WAQ_SENDERS_FILE"] = str(path)
    return fleet(
        Settings.from_env({k: v for k, v in environ.items() if "KEY_OF" not in k}), environ
    )


def refusal(folder: Path, file: str = "", **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        fleet_of(folder, file, **environ)
    return str(caught.value)


def test_the_first_sender_is_the_default(tmp_path: Path) -> None:
    found = fleet_of(tmp_path, WHATSAPP_SENDER=FIRST, WAQ_SENDERS=f"{SECOND_NUMBER}, {THIRD}")

    assert list(found.senders) == [FIRST, SECOND_NUMBER, THIRD]
    assert found.default_sender() == FIRST


def test_senders_of_the_settings_share_one_account(tmp_path: Path) -> None:
    found = fleet_of(tmp_path, WHATSAPP_SENDER=FIRST, WAQ_SENDERS=SECOND_NUMBER)

    assert {sender.account for sender in found.senders.values()} == {"default"}
    assert list(found.accounts) == ["default"]


def test_no_sender_at_all_is_refused_with_where_to_name_one(tmp_path: Path) -> None:
    assert refusal(tmp_path).startswith("no sender is configured: set WHATSAPP_SENDER")


@pytest.mark.parametrize("number", ["+628114040707", "0811-4040-707", "12345", "１２３４５６７"])
def test_a_number_not_in_digits_is_refused(tmp_path: Path, number: str) -> None:
    assert "written in digits as the gateway has it" in refusal(tmp_path, WHATSAPP_SENDER=number)


def test_a_sender_named_twice_is_refused(tmp_path: Path) -> None:
    line = f"sender {FIRST} is configured twice"

    assert line in refusal(tmp_path, WHATSAPP_SENDER=FIRST, WAQ_SENDERS=FIRST)
    assert line in refusal(tmp_path, f'[[sender]]\nnumber = "{FIRST}"', WHATSAPP_SENDER=FIRST)


def test_a_sender_of_the_file_has_rules_of_its_own(tmp_path: Path) -> None:
    file = f"""
        [[sender]]
        number = "{SECOND_NUMBER}"
        pace_seconds = 30
        jitter_seconds = 2.5
        cap_calls = 200
        cap_hours = 6
        quiet_from = "20:00"
        quiet_to = "08:00"
    """
    found = fleet_of(tmp_path, file, WHATSAPP_SENDER=FIRST, WAQ_MAX_ATTEMPTS="5")

    policy = found.senders[SECOND_NUMBER].policy
    assert (policy.pace_us, policy.jitter_us) == (30 * SECOND, 2_500_000)
    assert policy.cap == Cap(200, 6 * HOUR)
    assert policy.quiet == Quiet(20 * HOUR, 8 * HOUR)
    assert policy.max_attempts == 5
    assert found.senders[FIRST].policy.pace_us == 10 * SECOND


NO_PACE = (
    "{} is 0 for sender {}, and WhatsApp bans senders who go too fast: set it above 0 "
    "(10 is the default); only the sandbox gateway may go without"
)


@pytest.mark.parametrize("value", ["0", "0.0", "0.0000001"])
def test_a_sender_without_a_pace_is_refused(tmp_path: Path, value: str) -> None:
    line = refusal(tmp_path, WHATSAPP_SENDER=FIRST, WAQ_PACE_SECONDS=value)

    assert line == NO_PACE.format("WAQ_PACE_SECONDS", FIRST)


def test_a_missing_pace_is_named_as_it_was_set(tmp_path: Path) -> None:
    old = refusal(tmp_path, WHATSAPP_SENDER=FIRST, WHATSAPP_QUEUE_DELAY="0")
    own = f'[[sender]]\nnumber = "{SECOND_NUMBER}"\npace_seconds = 0'
    inherited = f'[[sender]]\nnumber = "{SECOND_NUMBER}"\ngateway = "mpwa"'
    sandbox = {"WHATSAPP_SENDER": FIRST, "WAQ_GATEWAY": "sandbox", "WAQ_PACE_SECONDS": "0"}

    assert old == NO_PACE.format("WHATSAPP_QUEUE_DELAY", FIRST)
    assert refusal(tmp_path, own) == NO_PACE.format("pace_seconds", SECOND_NUMBER)
    line = NO_PACE.format("WAQ_PACE_SECONDS", SECOND_NUMBER)
    assert refusal(tmp_path, inherited, **sandbox) == line


def test_the_sandbox_needs_no_pace(tmp_path: Path) -> None:
    found = fleet_of(tmp_path, WHATSAPP_SENDER=FIRST, WAQ_GATEWAY="sandbox", WAQ_PACE_SECONDS="0")

    assert found.senders[FIRST].policy.pace_us == 0


def test_a_sender_of_the_file_takes_its_key_from_the_variable_it_names(tmp_path: Path) -> None:
    file = f"""
        [[sender]]
        number = "{SECOND_NUMBER}"
        api_key_env = "KEY_OF_SHOP_2"
        gateway_url = "https://wa2.example.com"
    """
    found = fleet_of(
        tmp_path, file, WHATSAPP_SENDER=FIRST, WHATSAPP_API_KEY="one", KEY_OF_SHOP_2="two"
    )

    account = found.accounts[found.senders[SECOND_NUMBER].account]
    assert (account.api_key, account.url) == ("two", "https://wa2.example.com")
    assert found.accounts["default"].api_key == "one"


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    file = f'[[sender]]\nnumber = "{SECOND_NUMBER}"\napi_key_env = "KEY_OF_SHOP_2"'
    found = fleet_of(
        tmp_path, file, WHATSAPP_SENDER=FIRST, WHATSAPP_API_KEY="one-key", KEY_OF_SHOP_2="two-key"
    )

    assert "one-key" not in repr(found)
    assert "two-key" not in repr(found)


def test_two_senders_with_one_address_and_key_share_an_account(tmp_path: Path) -> None:
    file = "".join(
        f'[[sender]]\nnumber = "{number}"\napi_key_env = "KEY_OF_SHOP_2"\n'
        for number in (SECOND_NUMBER, THIRD)
    )
    found = fleet_of(tmp_path, file, WHATSAPP_SENDER=FIRST, KEY_OF_SHOP_2="two")

    assert found.senders[SECOND_NUMBER].account == found.senders[THIRD].account != "default"


def test_a_sender_may_use_another_kind_of_gateway(tmp_path: Path) -> None:
    file = f'[[sender]]\nnumber = "{SECOND_NUMBER}"\ngateway = "sandbox"'
    found = fleet_of(tmp_path, file, WHATSAPP_SENDER=FIRST)

    assert found.accounts[found.senders[SECOND_NUMBER].account].gateway is Kind.SANDBOX


def test_a_key_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    file = f'[[sender]]\nnumber = "{SECOND_NUMBER}"\napi_key_env = "KEY_OF_SHOP_2"'

    assert refusal(tmp_path, file) == (
        f"sender {SECOND_NUMBER} takes its key from the environment variable KEY_OF_SHOP_2, "
        "which is not set"
    )


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("pace = 3", "unknown field `pace`"),
        ('number = "abc"', "write it in digits"),
        ("number = 628114040808", "write it in digits"),
        ("pace_seconds = -1", "it must be a number >= 0"),
        ('pace_seconds = "fast"', "it must be a number"),
        ("cap_calls = 0", "it must be a whole number >= 1"),
        ('quiet_from = "25:00"', "write it as 21:00, hours and minutes"),
        ('gateway = "pigeon"', "it may be mpwa or sandbox"),
        ('gateway_url = "wa.example.com"', "write it as http://… or https://…"),
        ('quiet_from = "21:00"', "quiet_from and quiet_to go together"),
    ],
)
def test_a_bad_entry_of_the_file_is_refused_with_what_it_may_be(
    tmp_path: Path, entry: str, why: str
) -> None:
    number = "" if entry.startswith("number") else f'number = "{SECOND_NUMBER}"\n'

    line = refusal(tmp_path, f"[[sender]]\n{number}{entry}")

    assert why in line


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    line = refusal(tmp_path, WAQ_SENDERS_FILE="/nowhere/senders.toml")

    assert (
        line == "WAQ_SENDERS_FILE '/nowhere/senders.toml' cannot be read: No such file or directory"
    )


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    assert "is not TOML" in refusal(tmp_path, "[[sender]\nnumber=")


def test_an_unknown_table_of_the_file_is_refused(tmp_path: Path) -> None:
    assert "sendr" in refusal(tmp_path, f'[[sendr]]\nnumber = "{SECOND_NUMBER}"')
