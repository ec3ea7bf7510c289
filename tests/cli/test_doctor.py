"""`waq doctor`: every fault is found, graded, and told with what to do."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from loadtests.mock_gateway.process import running
from tests.store.hand import HandClock
from waqcore import Queue
from waqcore.core.instants import SECOND
from waqcore.doctor import clocks
from waqcore.store.steady import Setting

Waq = Callable[..., Result]
Put = Callable[..., str]

SENDER = "628114040707"
KEY = "the-gateways-own-key"


def _found(waq: Waq, **env: str) -> dict[str, dict[str, Any]]:
    """The findings by what was looked at; of several the last."""
    told = json.loads(waq("doctor", "--json", **env).stdout)
    return {one["what"]: one for one in told["findings"]}


@pytest.fixture
def dispatching(queue: Queue, tmp_path: Path) -> None:
    """A dispatcher that is alive, as the database has it."""
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute(
            "INSERT INTO waq_dispatcher (id, host, process, started_at, lease_until)"
            " VALUES ('d', 'h', '1/2', 0, ?)",
            (2**60,),
        )
    db.close()
    (tmp_path / "q.db").chmod(0o600)


@pytest.fixture(scope="module")
def mock_gateway() -> Iterator[str]:
    """The mock gateway's address; numbers that end in 707 are connected there."""
    with running() as url:
        yield url


@pytest.mark.usefixtures("dispatching")
def test_nothing_is_bad_where_all_is_well(waq: Waq, mock_gateway: str) -> None:
    result = waq("doctor", WAQ_GATEWAY="mpwa", WAQ_GATEWAY_URL=mock_gateway, WHATSAPP_API_KEY=KEY)

    assert (result.exit_code, result.stderr) == (0, "")
    assert {line[:4] for line in result.stdout.splitlines()} <= {"ok  ", "warn", "    ", "0 fa"}
    assert f"{mock_gateway} answers; 1 sender connected there" in result.stdout
    assert "\nbad " not in result.stdout
    assert KEY not in result.output


def test_a_setting_that_is_wrong_is_a_finding_of_its_own(waq: Waq) -> None:
    result = waq("doctor", WAQ_PACE_SECONDS="soon")

    assert result.exit_code == 1
    assert result.stdout.startswith("bad  settings     WAQ_PACE_SECONDS = 'soon' is not allowed")
    assert result.stdout.endswith("1 fault, 0 warnings.\n")


def test_no_sender_is_a_finding_too(waq: Waq) -> None:
    assert _found(waq, WHATSAPP_SENDER="")["settings"]["grade"] == "bad"


def test_a_key_cut_off_is_seen_and_not_told(waq: Waq) -> None:
    result = waq("doctor", WHATSAPP_API_KEY="abc42xy")

    assert "warn secrets      WHATSAPP_API_KEY has 7 characters" in result.stdout
    assert "abc42xy" not in result.output


def test_a_pace_that_nobody_has_tried_is_a_warning(waq: Waq) -> None:
    found = _found(waq, WAQ_GATEWAY="mpwa", WAQ_PACE_SECONDS="2")

    assert (found["pace"]["grade"], found["pace"]["seen"]) == (
        "warn",
        f"{SENDER} calls every 2 s",
    )


@pytest.mark.parametrize(
    ("env", "seen"),
    [
        ({"WAQ_GATEWAY_URL": ""}, "it has no address"),
        ({"WHATSAPP_API_KEY": ""}, "it has no key"),
        ({"WAQ_GATEWAY_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9 cannot be reached: conn"),
    ],
)
def test_a_gateway_out_of_reach_is_bad(waq: Waq, env: dict[str, str], seen: str) -> None:
    given = {
        "WAQ_GATEWAY": "mpwa",
        "WHATSAPP_API_KEY": KEY,
        "WAQ_GATEWAY_URL": "http://127.0.0.1:9",
        **env,
    }

    found = _found(waq, **given)["gateway"]

    assert found["grade"] == "bad"
    assert found["seen"].startswith(seen)
    assert found["todo"]


def test_a_sender_that_is_not_connected_is_bad(waq: Waq, tmp_path: Path) -> None:
    weather = tmp_path / "weather.toml"
    weather.write_text('[[rules]]\nfault = "disconnected"\n')

    with running("--weather", str(weather)) as url:
        found = _found(waq, WAQ_GATEWAY="mpwa", WAQ_GATEWAY_URL=url, WHATSAPP_API_KEY=KEY)

    assert found["gateway"]["grade"] == "bad"
    assert f"{url} says of {SENDER}: " in found["gateway"]["seen"]
    assert "connect the number" in found["gateway"]["todo"]


def test_a_key_the_gateway_does_not_know_is_bad(waq: Waq, tmp_path: Path) -> None:
    weather = tmp_path / "weather.toml"
    weather.write_text('api_keys = ["another"]\n')

    with running("--weather", str(weather)) as url:
        found = _found(waq, WAQ_GATEWAY="mpwa", WAQ_GATEWAY_URL=url, WHATSAPP_API_KEY=KEY)

    assert found["gateway"]["grade"] == "bad"
    assert KEY not in json.dumps(found)


def test_the_sandbox_is_told_apart_from_a_gateway(waq: Waq) -> None:
    assert _found(waq)["gateway"]["grade"] == "warn"


def test_without_a_dispatcher_nothing_goes(waq: Waq, put: Put) -> None:
    assert _found(waq)["dispatchers"]["grade"] == "warn"

    put()

    found = _found(waq)["dispatchers"]
    assert (found["grade"], found["seen"]) == ("bad", "none runs; waiting: 1 message")


@pytest.mark.usefixtures("dispatching")
def test_a_message_that_could_go_and_does_not_is_bad(waq: Waq, put: Put, tmp_path: Path) -> None:
    put()
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_message SET enqueued_at = enqueued_at - ?", (300 * SECOND,))
    db.close()

    found = _found(waq)["oldest due"]

    assert (found["grade"], found["seen"]) == ("bad", f"due for 5 min, while {SENDER} could call")


@pytest.mark.usefixtures("dispatching")
def test_a_long_queue_at_its_pace_is_not_bad(waq: Waq, put: Put, tmp_path: Path) -> None:
    put()
    with sqlite3.connect(tmp_path / "q.db") as db:
        db.execute("UPDATE waq_message SET enqueued_at = enqueued_at - ?", (300 * SECOND,))
        db.execute("UPDATE waq_lane SET paced_until = ?", (2**52,))
    db.close()

    assert _found(waq)["oldest due"]["grade"] == "ok"


def test_a_held_sender_is_told_with_how_to_let_it_go(waq: Waq, queue: Queue) -> None:
    queue.pause("the gateway moves")

    found = _found(waq)["lanes"]

    assert found["grade"] == "warn"
    assert "the gateway moves" in found["seen"]
    assert f"waq resume --sender {SENDER}" in found["todo"]


def test_messages_in_doubt_are_told(waq: Waq, put: Put) -> None:
    put("unknown")

    assert _found(waq)["unknown"]["seen"].startswith("1 message may or may not")


def test_clocks_that_disagree_are_told() -> None:
    clock = HandClock()
    setting = Setting(clock.boot_id, clock.wall_us() - clock.boot_us(), 0)
    clock.wall_step_us = -3_600 * SECOND

    (told,) = clocks.agreeing(setting, clock)

    assert (told.grade, told.seen) == (
        "warn",
        "the wall clock was set by -3,600 s while nobody watched",
    )


def test_clocks_that_agree_are_told_too() -> None:
    clock = HandClock()
    setting = Setting(clock.boot_id, clock.wall_us() - clock.boot_us(), 0)

    (told,) = clocks.agreeing(setting, clock)

    assert (told.grade, told.seen) == ("ok", "wall and steady agree to 0.000 s")


def test_a_clock_nobody_keeps_is_a_warning() -> None:
    grades = [clocks.kept(by_ntp=state).grade for state in (True, False, None)]

    assert grades == ["ok", "warn", "ok"]


def test_the_kernel_says_whether_its_clock_is_kept() -> None:
    assert clocks.synchronised() in (True, False, None)
