"""Registrations that come at once are stored in one transaction, and each hears of its own fate."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from waqcore.message import Message, instant
from waqcore.payments import settle
from waqcore.queue import Queue
from waqcore.registration.form import Registration, TakenError, row_of
from waqcore.store import enqueue, registrations
from waqcore.store.controls import Filter
from waqcore.store.fresh import NewMessage
from waqcore.store.registrations import RegistrationRow
from waqcore.templates import Templates
from waqcore.together import each_in_one, or_why
from waqcore.wording import first_drafts, messages_of


class Registered(NamedTuple):
    """A registration as it stands."""

    id: str
    invoice: str
    payment: str
    """`pending`, `paid` or `failed`."""
    payment_reason: str
    payment_at: datetime | None
    """When we heard of it; None: we have not."""
    registered_at: datetime
    messages: dict[str, Message]
    """By kind: `payment_link`, `activation`, and what has followed."""
    repeated: bool
    """It was known before."""


class _Asked(NamedTuple):
    """A registration that can be taken, and what its person is to be sent."""

    row: RegistrationRow
    new: list[NewMessage]


class Standing(NamedTuple):
    """A registration on disk."""

    row: RegistrationRow
    repeated: bool


def register_each(
    queue: Queue, given: Sequence[Registration], templates: Templates
) -> list[Registered | Exception]:
    """Register people each for themselves, in one commit unless one of them is refused.

    Returns for each what `register` returns or would have raised.
    """
    wall = queue.store.now().wall
    rows = [or_why(row_of, one, wall) for one in given]
    ids = [row.id for row in rows if isinstance(row, RegistrationRow)]
    known = queue.store.read(lambda connection: registrations.by_ids(connection, ids))
    asked = [
        or_why(_asked, row, queue, templates, known) if isinstance(row, RegistrationRow) else row
        for row in rows
    ]
    new = [one for one in asked if isinstance(one, _Asked)]
    stored = iter(
        each_in_one(
            lambda some: settle.write(queue, lambda c: _store(c, queue, templates, some)), new
        )
    )
    stand = [next(stored) if isinstance(one, _Asked) else one for one in asked]
    standing = [one for one in stand if isinstance(one, Standing)]
    # They are stored by now: what cannot be looked at is no error of those who were refused.
    found = iter(each_in_one(lambda some: seen(queue, some), standing))
    return [next(found) if isinstance(one, Standing) else one for one in stand]


def seen(queue: Queue, stand: Sequence[Standing]) -> list[Registered]:
    """Registrations with their messages, whose ETAs are worked out in a single look."""
    ids = tuple(id_ for one in stand for id_ in messages_of(one.row).values())
    listed = queue.messages(Filter(ids=ids), limit=len(ids)) if ids else []
    found = {one.id: one for one in listed}
    return [_registered(one, found) for one in stand]


def _asked(
    row: RegistrationRow,
    queue: Queue,
    templates: Templates,
    known: Mapping[str, RegistrationRow],
) -> _Asked | Standing | TakenError:
    if row.id in known:
        # Before its texts are looked at: a link that has expired since is no reason to refuse it.
        return _stands(known[row.id], row, repeated=True)
    drafts = first_drafts(row, templates, queue.store.timezone)
    new = queue.checked(drafts.values())
    ids = {kind: one.id for kind, one in zip(drafts, new, strict=True)}
    return _Asked(row._replace(messages=json.dumps(ids)), new)


def _store(
    connection: Connection, queue: Queue, templates: Templates, asked: Sequence[_Asked]
) -> list[Standing | Exception]:
    """Store them all but those that somebody has stored meanwhile, or that stand here twice."""
    ids = [one.row.id for one in asked]
    settle.hold(connection, {name for one in asked for name in (one.row.id, one.row.invoice)})
    known = registrations.by_ids(connection, ids)
    new: dict[str, _Asked] = {}
    for one in asked:
        if one.row.id not in known:
            new.setdefault(one.row.id, one)
    ours = list(new.values())
    queued = enqueue.enqueue(connection, [one.new for one in ours])
    rows = [_with_ids(one.row, its) for one, its in zip(ours, queued, strict=True)]
    registrations.add(connection, rows)
    settle.apply_early(connection, queue, templates, rows)
    stand = registrations.by_ids(connection, ids)
    return [
        _stands(stand[one.row.id], one.row, repeated=new.get(one.row.id) is not one)
        for one in asked
    ]


def _with_ids(row: RegistrationRow, ids: Sequence[str]) -> RegistrationRow:
    return row._replace(messages=json.dumps(dict(zip(messages_of(row), ids, strict=True))))


def _stands(
    known: RegistrationRow, row: RegistrationRow, *, repeated: bool
) -> Standing | TakenError:
    """What is on disk, if that is what was asked for."""
    same = known.content_hash == row.content_hash
    return Standing(known, repeated) if same else TakenError(row.id)


def _registered(one: Standing, found: Mapping[str, Message]) -> Registered:
    row = one.row
    return Registered(
        row.id,
        row.invoice,
        row.payment,
        row.payment_reason,
        None if row.payment_at is None else instant(row.payment_at),
        instant(row.registered_at),
        {kind: found[id_] for kind, id_ in messages_of(row).items() if id_ in found},
        one.repeated,
    )
