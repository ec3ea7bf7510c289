"""Secrets of payments are checked at the start, and shown by nothing."""

import pytest

from tests.payments.stage import PAYMENT_SECRET
from waqcore.cli.settings import HIDDEN, _open
from waqcore.settings import Settings, SettingsError, is_secret

SECRETS = (
    "WAQ_XENDIT_TOKEN",
    "WAQ_MIDTRANS_SERVER_KEY",
    "WAQ_PAYMENT_SECRET",
    "WAQ_ALERT_SECRET",
    "WAQ_ALERT_URL",
    "WAQ_ALERT_COMMAND",
)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_hidden(name: str) -> None:
    assert is_secret(name)
    assert _open(name, "something") == HIDDEN


@pytest.mark.parametrize("name", ["WAQ_PAYMENT_SECRET", "WAQ_ALERT_SECRET"])
@pytest.mark.parametrize("value", ["hunter2hunter2", "whsec_c2hvcnQ=", f"{PAYMENT_SECRET},short"])
def test_a_secret_that_signs_nothing_stops_the_start_and_is_not_repeated(
    name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})

    assert str(caught.value).startswith(f"{name} has a secret that is ")
    for part in value.split(","):
        assert part not in str(caught.value)


def test_an_address_of_a_chat_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"WAQ_ALERT_URL": "hooks.example/T0/very-secret"})

    assert "very-secret" not in str(caught.value)
    assert "write it as http://… or https://…" in str(caught.value)


def test_several_secrets_hold() -> None:
    both = f"{PAYMENT_SECRET}, {PAYMENT_SECRET}"

    assert Settings.from_env({"WAQ_PAYMENT_SECRET": both}).payment_secret == both
