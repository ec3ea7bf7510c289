"""What comes together is done in one commit, and each hears of its own fate."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sqlalchemy.exc import SQLAlchemyError

from waqcore.store.enqueue import IdempotencyError, SuppressedError
from waqcore.store.errors import StoreError

Item = TypeVar("Item")
Result = TypeVar("Result")


def each_in_one(
    commit: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item]
) -> list[Result | Exception]:
    """Commit all items at once; where one of them fails them all, each half alone, and so on.

    Returns for each what came of it, or its own error. What the database did not do it did for none
    of those it was asked to do together, so that each of them is told.
    """
    try:
        return [*commit(items)] if items else []
    except Exception as error:
        if len(items) == 1 or _is_of_all(error):
            return [error for _ in items]
    half = len(items) // 2
    return each_in_one(commit, items[:half]) + each_in_one(commit, items[half:])


def _is_of_all(error: Exception) -> bool:
    refused_one = isinstance(error, IdempotencyError | SuppressedError)
    return isinstance(error, StoreError | SQLAlchemyError) and not refused_one


def or_why(work: Callable[..., Result], *given: object) -> Result | Exception:
    """What work returns, or its error: one of many must not keep the others from theirs."""
    try:
        return work(*given)
    except Exception as error:
        return error
