"""At a terminal: questions, colours and width, over a pseudo-terminal and a process of its own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.terminal import RUN, Terminal
from waqcore import Queue, State

Put = Callable[..., str]


@pytest.mark.parametrize(
    ("typed", "code", "left"),
    [("2\n", 0, 0), ("3\n", 1, 2), ("\n", 1, 2), ("\x04", 1, 2)],
)
def test_clear_happens_only_if_the_number_is_typed(
    environ: dict[str, str], queue: Queue, put: Put, typed: str, code: int, left: int
) -> None:
    put()
    put()

    terminal = Terminal(environ, "clear")
    terminal.read_until("Type 2 to go on")
    terminal.type(typed)

    assert terminal.end() == code
    assert queue.status().queue_length == left
    assert ("nothing was done" in terminal.shown) is (left == 2)


def test_an_override_wants_a_yes(environ: dict[str, str], queue: Queue) -> None:
    terminal = Terminal(environ, "override-pace", "628114040707", "--reason", "hurry")
    terminal.read_until("Type yes to go on")
    terminal.type("y\n")

    assert terminal.end() == 1
    assert queue.audit() == []


def test_resolving_several_wants_their_number(
    environ: dict[str, str], queue: Queue, put: Put
) -> None:
    ids = [put("unknown"), put("unknown")]

    terminal = Terminal(environ, "resolve", *ids, "--as", "sent")
    terminal.read_until("Type 2 to go on")
    terminal.type("2\n")

    assert terminal.end() == 0
    assert [queue.message(id_).state for id_ in ids] == [State.SENT] * 2


def test_watching_ends_well_at_ctrl_c(environ: dict[str, str], put: Put) -> None:
    put()

    terminal = Terminal(environ, "status", "--watch")
    terminal.read_until("628114040707")
    terminal.process.send_signal(signal.SIGINT)

    assert terminal.end() == 0
    assert "Traceback" not in terminal.shown


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("command", "columns"), [("status", "80"), ("messages", "80"), ("messages", "120")]
)
def test_no_line_is_wider_than_the_terminal(
    environ: dict[str, str], put: Put, command: str, columns: str
) -> None:
    put("failed", "a reason that is longer than a terminal of eighty columns has room for " * 2)
    put(reference="REG-1")

    terminal = Terminal(environ, command, COLUMNS=columns)

    assert terminal.end() == 0
    lines = [_COLOURS.sub("", line) for line in terminal.shown.splitlines()]
    assert max(len(line) for line in lines) <= int(columns)
    assert _COLOURS.search(terminal.shown)
    assert "…" not in terminal.shown


def test_colours_are_left_out_where_nobody_wants_them(environ: dict[str, str], put: Put) -> None:
    put("failed")

    terminal = Terminal(environ, "messages", NO_COLOR="1")

    assert terminal.end() == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.shown)


def test_a_dispatcher_sends_what_is_queued_and_ends_at_sigterm(
    environ: dict[str, str], queue: Queue, put: Put, tmp_path: Path
) -> None:
    id_ = put(body="a secret")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "dispatch", "--log", "json", "--id", "one"],
        env={"PATH": os.environ["PATH"], **environ},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None

    lines = []
    for line in process.stderr:
        lines.append(line)
        if '"event": "attempt"' in line:
            process.send_signal(signal.SIGTERM)
    process.stderr.close()

    assert process.wait() == 0
    assert queue.message(id_).state is State.SENT
    assert "a secret" not in "".join(lines)
    assert '"event": "stopped", "dispatcher": "one_' in lines[-1]
