"""A service waits for a database server that is away, and not for what only a person can mend."""

import logging

import pytest

from waqcore.dispatcher.patience import MOST_S, opened
from waqcore.store.errors import (
    NewerDatabaseError,
    RefusingDatabaseError,
    StoreError,
    UnreachableDatabaseError,
)


def test_it_tries_again_less_and_less_often_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    errors = [UnreachableDatabaseError(f"refused {n}") for n in range(7)]
    waited: list[float] = []

    def open_() -> str:
        if errors:
            raise errors.pop(0)
        return "open"

    found = opened(open_, waited.append)

    lines = [vars(record) for record in caplog.records]
    assert found == "open"
    assert waited == [1, 2, 4, 8, MOST_S, MOST_S, MOST_S]
    assert [line["reason"] for line in lines] == [f"refused {n}" for n in range(7)]
    assert [line["again_in_s"] for line in lines] == waited
    assert {line["levelno"] for line in lines} == {logging.WARNING}


@pytest.mark.parametrize(
    "error", [RefusingDatabaseError("wrong password"), NewerDatabaseError("9", "1")]
)
def test_what_waiting_does_not_mend_is_told_at_once(error: StoreError) -> None:
    def open_() -> str:
        raise error

    with pytest.raises(type(error)):
        opened(open_, lambda _: pytest.fail("it waited"))
