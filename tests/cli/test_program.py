"""The program as a whole: help, settings, what is wrong with them, and plain output."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Waq = Callable[..., Result]
Put = Callable[..., str]

COMMANDS = [
    *("status", "messages", "message", "audit", "export", "settings", "send", "dispatch"),
    *("cancel", "retry", "resolve", "prioritise", "clear", "restore"),
    *("pause", "resume", "process", "override-pace", "suppress", "unsuppress", "suppressed"),
    *("doctor", "backup", "restored", "purge", "import", "migrate", "deploy-files"),
]


def test_the_help_names_every_command(waq: Waq) -> None:
    shown = waq("--help")

    assert shown.exit_code == 0
    for command in COMMANDS:
        assert f"│ {command} " in shown.stdout
    assert waq().stdout == shown.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(waq: Waq, command: str) -> None:
    shown = waq(command, "--help")

    assert shown.exit_code == 0
    assert f" waq {command}" in shown.stdout.split("Example")[-1]


def test_the_version_is_shown(waq: Waq) -> None:
    assert waq("--version").stdout.startswith("waq ")


def test_a_mistyped_command_is_answered_with_the_one_meant(waq: Waq) -> None:
    result = waq("staus")

    assert result.exit_code == 2
    assert result.stderr.startswith("waq: No such command 'staus'. Did you mean 'status'")


def test_settings_show_values_and_sources_but_no_key(waq: Waq) -> None:
    result = waq(
        "settings",
        WHATSAPP_API_KEY="s3cret",
        WAQ_GATEWAY_URL="https://ops:s3cret@wa.example.com",
        WHATSAPP_QUEUE_DELAY="12",
    )

    rows = {line.split()[0]: line.split()[1:] for line in result.stdout.splitlines() if line}
    assert result.exit_code == 0
    assert rows["WHATSAPP_API_KEY"] == ["(hidden)", "environment"]
    assert rows["WAQ_GATEWAY_URL"] == ["https://(hidden)@wa.example.com", "environment"]
    assert rows["WAQ_PACE_SECONDS"] == ["12", "WHATSAPP_QUEUE_DELAY"]
    assert rows["WAQ_MAX_ATTEMPTS"] == ["3", "default"]
    assert rows["628114040707"] == ["12", "s", "sandbox", "default"]
    assert "s3cret" not in result.output


def test_settings_are_told_to_scripts_without_a_key(waq: Waq) -> None:
    result = waq(
        *("settings", "--json"),
        WHATSAPP_API_KEY="s3cret",
        WAQ_GATEWAY_URL="https://ops:s3cret@wa.example.com",
        WHATSAPP_QUEUE_DELAY="12.5",
        WAQ_MOBILE_ONLY="false",
    )

    told = json.loads(result.stdout)
    assert (result.exit_code, set(told)) == (0, {"settings", "senders"})
    said = told["settings"]
    assert said["WHATSAPP_API_KEY"] == {"value": "(hidden)", "from": "environment"}
    assert said["WAQ_GATEWAY_URL"]["value"] == "https://(hidden)@wa.example.com"
    assert said["WAQ_PACE_SECONDS"] == {"value": 12.5, "from": "WHATSAPP_QUEUE_DELAY"}
    assert said["WAQ_MAX_ATTEMPTS"] == {"value": 3, "from": "default"}
    assert said["WAQ_MOBILE_ONLY"] == {"value": False, "from": "environment"}
    assert said["WAQ_CAP_CALLS"] == {"value": None, "from": "default"}
    assert told["senders"] == [
        {"number": "628114040707", "pace_s": 12.5, "gateway": "sandbox", "account": "default"}
    ]
    assert "s3cret" not in result.output


def test_scripts_are_told_settings_even_where_no_sender_is_configured(waq: Waq) -> None:
    result = waq("settings", "--json", WHATSAPP_SENDER="")

    assert result.exit_code == 2
    assert json.loads(result.stdout)["senders"] == []
    assert result.stderr.startswith("waq: no sender is configured")


def test_settings_are_shown_even_where_no_sender_is_configured(waq: Waq) -> None:
    result = waq("settings", WHATSAPP_SENDER="")

    assert result.exit_code == 2
    assert "WAQ_PACE_SECONDS" in result.stdout
    assert result.stderr.startswith("waq: no sender is configured")


@pytest.mark.parametrize(
    ("env", "complaint"),
    [
        ({"WAQ_PACE_SECOND": "5"}, "there is no setting WAQ_PACE_SECOND: did you mean"),
        ({"WAQ_PACE_SECONDS": "-1"}, "WAQ_PACE_SECONDS = '-1' is not allowed"),
        ({"WHATSAPP_QUEUE_DELAY": "-1"}, "WHATSAPP_QUEUE_DELAY = '-1' is not allowed"),
        ({"WAQ_PACE_SECONDS": "0", "WAQ_GATEWAY": "mpwa"}, "WAQ_PACE_SECONDS is 0 for sender"),
        ({"WAQ_TIMEZONE": "Mars"}, "WAQ_TIMEZONE names no time zone: 'Mars'"),
        ({"WHATSAPP_SENDER": ""}, "no sender is configured"),
    ],
)
@pytest.mark.parametrize("args", [("status",), ("send", "081234567890", "x"), ("dispatch",)])
def test_a_wrong_setting_is_one_line_and_nothing_is_stored(
    waq: Waq, tmp_path: Path, env: dict[str, str], complaint: str, args: tuple[str, ...]
) -> None:
    before = (tmp_path / "q.db").read_bytes()

    result = waq(*args, **env)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"waq: {complaint}")
    assert result.stderr.count("\n") == 1
    assert [file.name for file in tmp_path.iterdir()] == ["q.db"]
    assert (tmp_path / "q.db").read_bytes() == before


def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    waq: Waq, put: Put, tmp_path: Path
) -> None:
    put()
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_schema_version SET version_num = '9999'")
    db.close()

    result = waq("send", "081234567890", "x")

    assert result.exit_code == 1
    assert result.stderr.startswith("waq: the database is at schema 9999")
    assert result.stderr.count("\n") == 1
    with sqlite3.connect(tmp_path / "q.db") as db:
        assert db.execute("SELECT count(*) FROM waq_message").fetchone() == (1,)
    db.close()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("sqlite:////nowhere/at/all/q.db", "the folder of the database does not exist"),
        ("sqlite:////dev/null/q.db", "the folder of the database does not exist: /dev/null"),
        ("mysql://x/y", "WAQ_DATABASE_URL must name a SQLite file"),
        ("nonsense", "WAQ_DATABASE_URL is not a database URL"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(waq: Waq, url: str, complaint: str) -> None:
    result = waq("status", WAQ_DATABASE_URL=url)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"waq: {complaint}")
    assert result.stderr.count("\n") == 1


def test_what_is_no_database_is_one_line(waq: Waq, tmp_path: Path) -> None:
    (tmp_path / "q.db").write_text("this is a letter, not a database\n" * 100)

    result = waq("status")

    assert result.exit_code == 1
    assert "is not a database" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("args", [("status",), ("messages",), ("audit",), ("settings",)])
def test_piped_output_has_no_colours_rules_or_trailing_spaces(
    waq: Waq, put: Put, args: tuple[str, ...]
) -> None:
    put("failed", "a reason that is longer than a terminal of eighty columns has room for beside")

    shown = waq(*args).stdout

    assert "\x1b" not in shown
    assert not set(shown) & set("│─╭╮╰╯┃━…")
    assert all(line == line.rstrip() for line in shown.splitlines())
