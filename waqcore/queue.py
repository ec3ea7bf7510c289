"""The application's handle on the queue: hand messages over, look at them, act on them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection

from waqcore.clock import Clock, Now, SystemClock
from waqcore.core import control
from waqcore.core.control import Resolution
from waqcore.core.instants import NEVER
from waqcore.core.lane import Lane
from waqcore.core.message import Event, Priority, State, states_taking
from waqcore.core.message import Message as CoreMessage
from waqcore.draft import Draft, DraftError, Rules, check
from waqcore.estimate import Estimator, Joint
from waqcore.grid import Grids
from waqcore.ids import new_id, new_ids
from waqcore.mask import mask
from waqcore.message import Attempt, Eta, Message, attempt_of, message_of, wall_us
from waqcore.phone import parse_phone
from waqcore.senders import Fleet, fleet
from waqcore.settings import Settings
from waqcore.status import Status, read_status
from waqcore.store import controls, enqueue, events, presence, review
from waqcore.store.controls import Filter, Suppressed
from waqcore.store.errors import StoreError
from waqcore.store.events import Happening
from waqcore.store.fresh import NewMessage
from waqcore.store.review import EventRow, MessageRow, fresh_row
from waqcore.store.store import Store
from waqcore.together import each_in_one, or_why

LIST_MAX = 1_000
"""Messages in one listing; a longer one is read page by page."""

EVERYTHING = Filter()
"""No condition."""


class BusyLaneError(StoreError):
    """The lane has a call in flight."""

    def __init__(self, sender: str) -> None:
        super().__init__(f"a call of sender {sender} is in flight: try again when it has ended")


class NotFoundError(LookupError):
    """There is no message with that id."""


class Queue:
    """A queue of messages; safe to share between threads."""

    def __init__(
        self, settings: Settings, fleet: Fleet, *, actor: str = "python", clock: Clock | None = None
    ) -> None:
        """Open the queue; `actor` is who the audit says acted through this handle.

        Raises:
            StoreError: the database cannot be used; the text says why and what to do.
        """
        self._actor = actor
        self.fleet = fleet
        self._rules = Rules(
            fleet=fleet, mobile_only=settings.mobile_only, on_unknown=settings.on_unknown
        )
        self._grids = Grids()
        self._store = Store(
            settings.database_url,
            fleet.senders,
            clock=clock or SystemClock(),
            timezone=settings.zone(),
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, actor: str = "python") -> Self:
        """Open the queue that an environment's settings describe.

        Raises:
            SettingsError: a setting is wrong.
            StoreError: the database cannot be used.
        """
        settings = Settings.from_env(environ)
        return cls(settings, fleet(settings, environ), actor=actor)

    def acting_as(self, actor: str) -> Self:
        """The same open queue on behalf of somebody else; only what was opened needs closing."""
        other = copy(self)
        other._actor = actor
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._store.close()

    @property
    def store(self) -> Store:
        """The store beneath, for what is no business of applications."""
        return self._store

    @property
    def actor(self) -> str:
        """Who the audit says acts through this handle."""
        return self._actor

    # Handing over

    def enqueue(
        self, to: str, body: str, *, connection: object | None = None, **draft: Any
    ) -> Message:
        """Queue a message; once this returns it is on disk. `draft`: the other fields of `Draft`.

        With `connection` (SQLAlchemy's, or its session; psycopg's, sqlite3's or Django's) it joins
        the caller's own transaction on this database, and is queued if and when that commits.

        Raises:
            PhoneError, TextError, DraftError: it cannot be sent as it is; nothing was stored.
            SuppressedError: the recipient has opted out; nothing was stored.
            IdempotencyError: its key was used for something else; nothing was stored.
            StoreError: the database cannot be written to; nothing was stored.
        """
        return self.enqueue_many([Draft(to=to, body=body, **draft)], connection=connection)[0]

    def enqueue_many(
        self, drafts: Iterable[Draft], *, connection: object | None = None
    ) -> list[Message]:
        """Queue messages in one transaction: all of them, or none.

        Raises:
            As `enqueue`; the error of a draft has a note that says which it was.
        """
        return self._enqueue(self.checked(drafts), connection)

    def checked(self, drafts: Iterable[Draft]) -> list[NewMessage]:
        """Check drafts without queuing them, for a transaction in which they are one thing of many.

        Raises:
            PhoneError, TextError, DraftError: one cannot be sent; a note says which it was.
        """
        listed = list(drafts)
        wall, ids = self._new_ids(len(listed))
        return [
            self._checked(n, draft, id_, wall)
            for n, (draft, id_) in enumerate(zip(listed, ids, strict=True))
        ]

    def enqueue_each(self, drafts: Sequence[Draft]) -> list[Message | Exception]:
        """Queue messages each for itself, in one commit unless one of them is refused.

        Returns for each the message, or what `enqueue` would have raised.
        """
        wall, ids = self._new_ids(len(drafts))
        checked = [
            or_why(self._checked, n, draft, id_, wall)
            for n, (draft, id_) in enumerate(zip(drafts, ids, strict=True))
        ]
        new = [one for one in checked if isinstance(one, NewMessage)]
        queued = iter(each_in_one(lambda some: self._enqueue([*some], None), new))
        return [next(queued) if isinstance(one, NewMessage) else one for one in checked]

    def send_now(self, to: str, body: str, **draft: Any) -> Message:
        """Queue a message before everything queued, for the earliest instant the pace allows.

        Raises:
            As `enqueue`.
        """
        said = Draft(to=to, body=body, **draft)
        wall, (id_,) = self._new_ids(1)
        return self._enqueue([self._checked(0, said, id_, wall, Priority.BYPASS)], None)[0]

    # Looking

    def message(self, id_: str) -> Message:
        """One message.

        Raises:
            NotFoundError: there is none with that id.
        """
        return self._seen(self._store.read(lambda connection: _found(connection, id_)))

    def attempts(self, id_: str) -> list[Attempt]:
        """Every call made for a message, first to last.

        Raises:
            NotFoundError: there is no message with that id.
        """
        rows = self._store.read(
            lambda connection: review.attempts(connection, _found(connection, id_).seq)
        )
        return [attempt_of(row) for row in rows]

    def messages(
        self, which: Filter = EVERYTHING, *, limit: int = 50, before: str | None = None
    ) -> list[Message]:
        """The newest messages of a filter, newest first; `before`, an id, continues a listing.

        Raises:
            NotFoundError: there is no message with the id `before`.
        """

        def read(connection: Connection) -> list[MessageRow]:
            before_seq = None
            if before is not None:
                before_seq = _found(connection, before).seq
            return review.listing(
                connection, which, limit=min(limit, LIST_MAX), before_seq=before_seq
            )

        return self._all_seen(self._store.read(read))

    def count(self, which: Filter) -> dict[str, int]:
        """How many messages a filter names, by state."""
        return self._store.read(lambda connection: review.count(connection, which))

    def status(self) -> Status:
        """What stands in the queue, what each lane waits for, and when it will be clear."""
        return self._store.read(lambda connection: read_status(connection, self._store))

    def dispatchers(self) -> int:
        """How many dispatchers are alive."""
        return self._store.read(lambda c: len(presence.alive(c, self._store.now())))

    def audit(self, limit: int = 50) -> list[EventRow]:
        """What people pressed and what became of lanes, newest first."""
        return self._store.read(lambda connection: review.audit(connection, limit))

    # Acting on messages

    def cancel(self, which: Filter, *, reason: str = "cancelled") -> int:
        """Cancel the queued messages a filter names; one being sent is cancelled if its call fails.

        Returns how many were taken.
        """
        states = (State.QUEUED, State.SENDING)
        return self._change(
            which, states, lambda message, _: control.cancel(message, reason), "cancel", reason
        )

    def clear(self, which: Filter = EVERYTHING, *, reason: str = "cleared") -> tuple[str, int]:
        """Cancel the queued messages a filter names, as one batch that can be restored.

        Returns the batch's id and how many were moved. A message whose last call may have been
        delivered stays queued: as cancelled it would hide that.
        """
        batch = new_id("batch", self._store.now().wall)
        moved = self._change(
            which,
            (State.QUEUED,),
            lambda message, _: control.clear(message, reason),
            "clear",
            f"{batch}: {reason}",
            batch=batch,
        )
        return batch, moved

    def restore(self, batch: str) -> int:
        """Queue the messages of a cleared batch again, each in its old place; returns how many.

        Messages to numbers that have opted out since stay cancelled.
        """
        return self._change(
            Filter(batch=batch),
            states_taking(Event.RESTORE),
            lambda message, _: control.restore(message),
            "restore",
            batch,
            opted_in=True,
        )

    def retry(self, which: Filter) -> int:
        """Queue the failed or expired messages a filter names again; returns how many.

        Each keeps its place and its attempts; its failures start from 0. Messages to numbers that
        have opted out since are left alone.
        """
        return self._change(
            which,
            states_taking(Event.RETRY_BY_HAND),
            lambda message, now: control.retry(message, now.steady),
            "retry",
            "",
            opted_in=True,
        )

    def resolve(self, which: Filter, resolution: Resolution) -> int:
        """End the doubt about messages that are `unknown`; returns how many there were."""
        return self._change(
            which,
            (State.UNKNOWN,),
            lambda message, _: control.resolve(message, resolution),
            "resolve",
            resolution,
        )

    def prioritise(self, which: Filter, priority: Priority) -> int:
        """Give the queued messages a filter names another priority; returns how many."""
        return self._change(
            which,
            (State.QUEUED,),
            lambda message, _: control.prioritise(message, priority),
            "prioritise",
            priority.word,
        )

    # Acting on lanes

    def check_sender(self, sender: str) -> None:
        """Do nothing for a sender that is configured.

        Raises:
            DraftError: it is not.
        """
        if sender not in self._store.senders:
            raise DraftError(
                f"sender {sender!r} is not configured; it may be one of "
                f"{', '.join(list(self._store.senders)[:10])}"
            )

    def pause(
        self, reason: str, *, sender: str | None = None, until: datetime | None = None
    ) -> list[str]:
        """Stop a sender, or all, until resumed or until an instant; returns the senders."""
        until_wall = None if until is None else wall_us(until)

        def pause(lane: Lane, now: Now) -> Lane:
            until_steady = NEVER if until_wall is None else now.to_steady(until_wall)
            return control.pause(lane, reason, now.steady, until_steady)

        said = reason if until is None else f"{reason} (until {until.isoformat()})"
        return self._change_lanes(sender, pause, "pause", said)

    def resume(self, *, sender: str | None = None) -> list[str]:
        """End the pause of a sender, or all, whoever made it, and close the breaker."""
        return self._change_lanes(sender, lambda lane, _: control.resume(lane), "resume", "")

    def process(self, *, sender: str | None = None) -> list[str]:
        """Wake lanes now: close breakers, end pauses that are not a person's.

        Never shortens the pace, a `Retry-After`, quiet hours, a cap or a backoff.
        """
        return self._change_lanes(sender, lambda lane, _: control.force(lane), "process", "")

    def override_pace(self, sender: str, *, reason: str) -> None:
        """Let a sender's next call leave at once, the pace restarting from it. Senders get banned
        for less: the one exception to the pace, and the audit keeps who made it and why.

        Raises:
            BusyLaneError: a call is in flight, from whose end the pace will count anew.
        """

        def override(lane: Lane, now: Now) -> Lane:
            if lane.lease is not None:
                raise BusyLaneError(sender)
            return control.override_pace(lane, now.steady)

        self._change_lanes(sender, override, "override pace", reason)

    # Opting out

    def suppress(self, number: str, *, reason: str) -> int:
        """Put a number on the suppression list; returns how many queued messages that cancelled.

        Raises:
            PhoneError: it is not a number.
        """
        recipient = parse_phone(number, mobile_only=False)
        said = Happening(self._actor, "suppress", detail=f"{mask(recipient)}: {reason}")
        self._store.write(
            lambda connection: controls.suppress(
                connection, recipient, reason, said, self._store.now()
            )
        )
        why = f"the recipient has opted out: {reason}"
        return self._change(
            Filter(recipient=recipient),
            (State.QUEUED, State.SENDING),
            lambda message, _: control.cancel(message, why),
            "suppress",
            reason,
        )

    def unsuppress(self, number: str) -> bool:
        """Take a number off the suppression list; False if it was not on it."""
        recipient = parse_phone(number, mobile_only=False)
        said = Happening(self._actor, "unsuppress", detail=mask(recipient))
        return self._store.write(
            lambda connection: controls.unsuppress(connection, recipient, said, self._store.now())
        )

    def suppressed(self) -> list[Suppressed]:
        """The suppression list, oldest first."""
        return self._store.read(controls.suppressed)

    # The machinery

    def _new_ids(self, count: int) -> tuple[int, list[str]]:
        """The present wall instant, and as many ids of it."""
        wall = self._store.wall_us()
        return wall, new_ids("msg", wall, count)

    def _checked(
        self, n: int, draft: Draft, id_: str, wall: int, priority: Priority | None = None
    ) -> NewMessage:
        try:
            return check(draft, self._rules, id_=id_, wall=wall, priority=priority)
        except ValueError as error:
            error.add_note(f"draft {n} (counted from 0)")
            raise

    def _enqueue(self, new: list[NewMessage], connection: object | None) -> list[Message]:
        if connection is not None:
            with self._store.joined(connection) as joint:
                return self._enqueue_in(joint, new)
        ids = self._store.write_jointly(enqueue.enqueue_jointly, new)
        return self._all_seen(self._rows(new, ids, None))

    def _enqueue_in(self, connection: Connection, new: list[NewMessage]) -> list[Message]:
        """Queue messages in the caller's transaction. Nobody else sees them before it commits, so
        their ETAs are looked up now."""
        (ids,) = enqueue.enqueue(connection, [new])
        rows = self._rows(new, ids, connection)
        etas = [self._eta(connection, row.id) for row in rows]
        return [
            message_of(row, self._to_wall, lambda eta=eta: eta)  # type: ignore[misc]
            for row, eta in zip(rows, etas, strict=True)
        ]

    def _rows(
        self, new: list[NewMessage], ids: Sequence[str], connection: Connection | None
    ) -> list[MessageRow]:
        before = tuple(id_ for id_, one in zip(ids, new, strict=True) if id_ != one.id)
        known = self._known(before, connection) if before else {}
        return [
            known[id_] if id_ in known else fresh_row(one)
            for id_, one in zip(ids, new, strict=True)
        ]

    def _known(self, ids: tuple[str, ...], connection: Connection | None) -> dict[str, MessageRow]:
        """The messages that stand for keys used before, perhaps in the caller's own transaction."""
        if connection is not None:
            return review.by_ids(connection, ids)
        return self._store.read(lambda connection: review.by_ids(connection, ids))

    def _all_seen(self, rows: Sequence[MessageRow]) -> list[Message]:
        """Messages whose ETAs, once one is looked at, are worked out in a single look."""
        if len(rows) > LIST_MAX:  # Of so many, few are looked at.
            return [self._seen(row) for row in rows]
        joint = Joint(self._store, self._grids, rows)
        return [message_of(row, self._to_wall, partial(joint.eta, row.id)) for row in rows]

    def _seen(self, row: MessageRow) -> Message:
        return message_of(row, self._to_wall, partial(self._estimate, row.id))

    def _estimate(self, id_: str) -> Eta | None:
        return self._store.read(lambda connection: self._eta(connection, id_))

    def _eta(self, connection: Connection, id_: str) -> Eta | None:
        row = review.by_ids(connection, (id_,)).get(id_)
        return None if row is None else Estimator(connection, self._store).eta(row)

    def _to_wall(self, steady_at: int) -> int:
        return self._store.now().to_wall(steady_at)

    def _change(
        self,
        which: Filter,
        states: tuple[State, ...],
        how: Callable[[CoreMessage, Now], CoreMessage],
        action: str,
        detail: str,
        *,
        batch: str | None = None,
        opted_in: bool = False,
    ) -> int:
        """Apply a control portion by portion, so that no call is held up; returns how many."""
        wanted = [state for state in states if not which.states or state in which.states]
        if not wanted:
            return 0
        which = which._replace(states=tuple(wanted))
        said = Happening(self._actor, action, detail=detail)
        newest = self._store.read(events.latest).message_seq
        total, from_seq = 0, 0
        while True:
            portion = self._store.write(
                lambda connection, start=from_seq: controls.change(  # type: ignore[misc]
                    connection,
                    which,
                    how,
                    self._store.now(),
                    said=said,
                    from_seq=start,
                    to_seq=newest,
                    batch=batch,
                    opted_in=opted_in,
                )
            )
            total += portion.changed
            if portion.next_seq is None:
                return total
            from_seq = portion.next_seq

    def _change_lanes(
        self, sender: str | None, how: Callable[[Lane, Now], Lane], action: str, detail: str
    ) -> list[str]:
        if sender is not None:
            self.check_sender(sender)
        senders = list(self._store.senders) if sender is None else [sender]
        said = Happening(self._actor, action, detail=detail)
        changed = self._store.write(
            lambda connection: controls.change_lanes(
                connection, senders, how, self._store.now(), said
            )
        )
        return [lane.sender for lane in changed]


def _found(connection: Connection, id_: str) -> MessageRow:
    found = review.by_ids(connection, (id_,))
    if id_ not in found:
        raise NotFoundError(f"there is no message {id_!r}; `waq messages` lists those there are")
    return found[id_]
