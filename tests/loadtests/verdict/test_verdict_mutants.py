"""Deliberately broken dispatchers, in virtual time: the verdict must catch each, and only those."""

import sqlite3
from collections.abc import Collection
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from loadtests.verdict.evidence import Evidence
from loadtests.verdict.finding import State
from loadtests.verdict.folder import read
from loadtests.verdict.judge import Verdict, judge
from tests.loadtests.verdict.production import (
    PACE_S,
    PEOPLE,
    Forgetful,
    Impatient,
    Staged,
    Weather,
    load_test,
)
from waqcore.clock import Now
from waqcore.core.message import Priority
from waqcore.core.outcome import NotSent
from waqcore.store import messages
from waqcore.store.messages import Stored
from waqcore.store.tables import message

IN_A_THOUSAND = 510
"""People who register for two messages each, so that one in a thousand is one."""

_heads = messages.heads


def _judged(folder: Path) -> Verdict:
    return judge(Evidence(read(folder)))


def _broken(folder: Path) -> set[str]:
    return {one.name for one in _judged(folder).findings if one.state is State.BROKEN}


def test_the_real_dispatcher_is_clean(tmp_path: Path) -> None:
    verdict = _judged(load_test(tmp_path))

    assert [one.examples for one in verdict.findings if one.state is State.BROKEN] == []
    assert verdict.finding("accounted").measures["acknowledged"] == 2 * PEOPLE
    assert verdict.finding("doubles").measures["doubled, marked maybe_duplicate"] != 0


def test_a_pace_that_is_off_by_two_percent_is_caught(tmp_path: Path) -> None:
    assert _broken(load_test(tmp_path, pace_s=0.98 * PACE_S)) == {"pace"}


def test_last_in_first_out_inside_high_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "heads", _newest_high_first)

    assert _broken(load_test(tmp_path)) == {"order"}


def test_a_dispatcher_that_takes_one_message_in_a_thousand_for_sent_is_caught(
    tmp_path: Path,
) -> None:
    assert _broken(load_test(tmp_path, adapter=Forgetful, people=IN_A_THOUSAND)) == {"accounted"}


def test_a_store_that_drops_a_single_message_is_caught(tmp_path: Path) -> None:
    assert _broken(load_test(tmp_path, also=_drop_one)) == {"accounted"}


def test_retries_without_the_pace_are_caught(tmp_path: Path) -> None:
    assert "pace" in _broken(load_test(tmp_path, adapter=Impatient))


def test_a_double_on_a_timeout_is_caught(tmp_path: Path) -> None:
    weather = Weather(lost_answer_means=NotSent("timed out"))

    assert "doubles" in _broken(load_test(tmp_path, weather=weather))


def _newest_high_first(
    connection: Connection, senders: Collection[str], now: Now
) -> dict[str, list[Stored]]:
    found = _heads(connection, senders, now)
    return {
        sender: [_newest(connection, one, now) for one in heads] for sender, heads in found.items()
    }


def _newest(connection: Connection, head: Stored, now: Now) -> Stored:
    if head.message.priority is not Priority.HIGH:
        return head
    newest = select(func.max(message.c.seq)).where(
        message.c.sender == head.sender,
        message.c.priority == Priority.HIGH.value,
        message.c.state == "queued",
        message.c.retry_at <= now.steady,
    )
    row = connection.execute(messages._load_by_seq, {"seqs": [connection.scalar(newest)]}).one()
    return messages._stored(row, now)


def _drop_one(staged: Staged, person: int) -> None:
    if person == PEOPLE // 2:  # While there is a queue.
        path = staged.settings.database_url.removeprefix("sqlite:///")
        with sqlite3.connect(path) as connection:
            connection.execute(
                "DELETE FROM waq_message WHERE seq = (SELECT max(seq) FROM waq_message)"
            )
        connection.close()
