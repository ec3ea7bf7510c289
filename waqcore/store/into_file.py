"""New messages into a file: few sizes of statement, which its driver keeps prepared."""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from msgspec.structs import astuple
from sqlalchemy import Dialect, bindparam, exists, select, union_all
from sqlalchemy import insert as insert_into
from sqlalchemy.dialects import sqlite

from waqcore.store.fresh import FIELDS, NewMessage
from waqcore.store.tables import message, suppression


def insert(cursor: Any, _: Dialect, new: Sequence[NewMessage]) -> int:
    """Insert messages but for those who have opted out; returns how many were.

    Many at a step: the driver lets other threads have the interpreter at each, and a row a step
    made 32 threads take half as long again.
    """
    inserted = done = 0
    for size in _SIZES:
        while done + size <= len(new):
            values = tuple(chain.from_iterable(map(astuple, new[done : done + size])))
            cursor.execute(_some(size), values)
            inserted += cursor.rowcount
            done += size
    return inserted


_SIZES = (64, 16, 4, 1)
"""Messages in one statement: few sizes, so that the driver keeps them all prepared."""


@cache
def _some(size: int) -> str:
    """An insert of so many messages, as SQLite's driver takes it; its values go by place."""
    new = union_all(
        *(
            select(
                *(
                    bindparam(f"{name}_{n}", type_=message.c[name].type).label(name)
                    for name in FIELDS
                )
            )
            for n in range(size)
        )
    ).subquery()
    opted_out = exists().where(suppression.c.recipient == new.c.recipient)
    chosen = select(*(new.c[name] for name in FIELDS)).where(~opted_out)
    return str(insert_into(message).from_select(FIELDS, chosen).compile(dialect=sqlite.dialect()))
