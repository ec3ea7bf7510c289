"""`waq clear` and `waq restore`."""

import re
from collections.abc import Callable

from typer.testing import Result

from waqcore import Queue, State

Waq = Callable[..., Result]
Put = Callable[..., str]


def test_what_was_cleared_can_be_restored_by_the_line_printed(
    waq: Waq, queue: Queue, put: Put
) -> None:
    ids = [put(), put(priority="low")]
    being_sent = put("sending")

    cleared = waq("clear", "--yes")

    assert cleared.exit_code == 0
    assert cleared.stdout.startswith(
        "This will clear 2 messages: 2 queued; 1 normal, 1 low\nCleared: 2 messages.\n"
    )
    assert {queue.message(id_).state for id_ in ids} == {State.CANCELLED}
    assert queue.message(being_sent).state is State.SENDING
    undo = re.search(r"^Undo: waq (restore batch_\w+)$", cleared.stdout, re.MULTILINE)
    assert undo is not None

    restored = waq(*undo[1].split())

    assert (restored.exit_code, restored.stdout) == (0, "Restored: 2 messages.\n")
    assert {queue.message(id_).state for id_ in ids} == {State.QUEUED}


def test_a_part_of_the_queue_can_be_cleared(waq: Waq, queue: Queue, put: Put) -> None:
    low, normal = put(priority="low"), put()

    waq("clear", "--priority", "low", "--yes", "--reason", "wrong text")

    assert queue.message(low).state is State.CANCELLED
    assert queue.message(low).reason == "wrong text"
    assert queue.message(normal).state is State.QUEUED


def test_a_batch_that_is_none_cannot_be_restored(waq: Waq) -> None:
    result = waq("restore", "batch_no")

    assert result.exit_code == 1
    assert result.stderr == (
        "waq: nothing to restore: no cancelled message is of batch 'batch_no'\n"
    )
