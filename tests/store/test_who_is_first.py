"""Of several who add the same at once one does, and the others are told so; none of them breaks."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection

from tests.store.hand import open_store
from waqcore.store import people, samples, tokens
from waqcore.store.people import UserRow
from waqcore.store.store import Store
from waqcore.store.tokens import TokenRow

COMERS, ROUNDS = 4, 15

Add = Callable[[Connection, int, int], object]
"""Adds the one of a round, by the how manyth comer."""


def _token(connection: Connection, turn: int, comer: int) -> object:
    row = TokenRow(f"site {turn}", f"digest {turn} {comer}", "read", 0, None)
    return tokens.add(connection, row)


def _person(connection: Connection, turn: int, comer: int) -> object:
    return people.add(connection, UserRow(f"ani {turn}", "admin", f"{comer}", 0))


def _key(connection: Connection, turn: int, comer: int) -> object:
    return people.keep_key(connection, f"key {turn}", f"{comer}", 0) == f"{comer}"


@pytest.mark.parametrize("add", [_token, _person, _key])
def test_of_those_who_come_at_once_one_adds(folder: Path, add: Add) -> None:
    store = open_store(folder)

    for turn in range(ROUNDS):
        said = _at_once(store, lambda c, comer, turn=turn: add(c, turn, comer))  # type: ignore[misc]
        assert sorted(map(str, said)) == ["False"] * (COMERS - 1) + ["True"]
    store.close()


def test_a_session_is_ended_and_a_minute_sampled_by_several_at_once(folder: Path) -> None:
    store = open_store(folder)
    assert store.read(lambda c: samples.since(c, 0)) == []

    for turn in range(ROUNDS):
        said = _at_once(store, lambda c, _, turn=turn: people.end_session(c, f"{turn}", 9, 0))  # type: ignore[misc]
        assert said == [None] * COMERS
    assert _together(lambda _: samples.take(store)) == [None] * COMERS
    assert len(store.read(lambda c: samples.since(c, 0))) == 1
    store.close()


def _at_once(store: Store, add: Callable[[Connection, int], object]) -> list[object]:
    return _together(lambda comer: store.write(lambda connection: add(connection, comer)))


def _together(work: Callable[[int], object]) -> list[object]:
    """What each of several threads that start together returned, or what broke it."""
    start, said = threading.Barrier(COMERS, timeout=10), list[object]()

    def come(comer: int) -> None:
        start.wait()
        try:
            said.append(work(comer))
        except Exception as error:  # Shown by the assertion.
            said.append(error)

    comers = [threading.Thread(target=come, args=(comer,)) for comer in range(COMERS)]
    for comer in comers:
        comer.start()
    for comer in comers:
        comer.join()
    return said
