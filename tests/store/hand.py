"""A store under a clock moved by hand, and the turns a dispatcher takes on it, one at a time."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from tests.engines import address
from tests.virtual_time import EPOCH
from waqcore.core.instants import SECOND
from waqcore.core.outcome import Outcome
from waqcore.core.policy import Policy, Sender
from waqcore.store import attempts, enqueue, presence, step
from waqcore.store.attempts import Claim, Ended
from waqcore.store.fresh import NewMessage
from waqcore.store.presence import Process
from waqcore.store.step import Decided, Holder, Turn
from waqcore.store.store import Store

SENDER = "628114040707"
LEASE_US = 15 * SECOND


class HandClock:
    """A machine's clocks, moved by the test alone."""

    def __init__(self, boot_id: str = "boot-1") -> None:
        self.boot_id = boot_id
        self.passed_us = 0
        self.wall_step_us = 0

    def boot_us(self) -> int:
        return self.passed_us

    def wall_us(self) -> int:
        return EPOCH + self.passed_us + self.wall_step_us

    def server_us(self) -> int:
        return self.wall_us()

    def advance(self, seconds: float) -> None:
        self.passed_us += round(seconds * SECOND)


def senders(*numbers: str, **policy: Any) -> dict[str, Sender]:
    """Senders of one account; without a guard unless `policy` has one."""
    rules = Policy(**{"guard_us": 0, **policy})
    return {number: Sender(number, "a", rules) for number in numbers or (SENDER,)}


def open_store(
    folder: Path, clock: HandClock | None = None, fleet: dict[str, Sender] | None = None
) -> Store:
    """Open the one database of a folder."""
    return Store(address(folder), fleet or senders(), clock=clock or HandClock())


def new(n: int, wall: int = EPOCH, **other: Any) -> NewMessage:
    """The n-th message as it is handed to the store."""
    given: dict[str, Any] = {
        "id": f"m{n}",
        "sender": SENDER,
        "recipient": f"+6281234{n:06}",
        "body": f"body {n}",
        "priority": 2,
        "reference": None,
        "idempotency_key": None,
        "content_hash": "hash",
        "enqueued_at": wall,
        "send_at": None,
        "expires_at": None,
        "on_unknown": "resend",
        **other,
    }
    return NewMessage(**given)


def put(store: Store, *messages: NewMessage) -> list[str]:
    """Queue messages in one transaction; returns the ids that stand for them."""
    return store.write_jointly(enqueue.enqueue_jointly, messages)


def join(store: Store, name: str) -> Holder:
    """A dispatcher that is alive for a lease from now."""
    now = store.now()
    store.write(lambda c: presence.join(c, name, Process("host", name), now, LEASE_US))
    return Holder(name, now.steady + LEASE_US)


def beat(store: Store, name: str) -> Holder:
    """A dispatcher whose lease is renewed."""
    now = store.now()
    assert store.write(lambda c: presence.beat(c, name, now, LEASE_US))
    return Holder(name, now.steady + LEASE_US)


def take(store: Store, me: Holder, *ended: Ended, room: int = 1_000) -> Decided:
    """One turn for every lane."""

    def turn(connection: Connection) -> Decided:
        asked = Turn(me, list(store.senders), ended, (), room)
        return step.take(connection, asked, store.now(), store.senders, 0)

    return store.write(turn)


def begin(store: Store, *claims: Claim) -> list[Claim]:
    """Write the attempt rows of calls about to be made."""
    return store.autocommit(lambda connection: attempts.begin(connection, claims, store.now()))


def ended(store: Store, claim: Claim, outcome: Outcome, called_at: int | None = None) -> Ended:
    """A call that is over now, and left when it says or just now."""
    now = store.steady()
    return Ended(claim, outcome, now if called_at is None else called_at, now)


def rows(store: Store, query: str) -> list[tuple[Any, ...]]:
    """What the database holds."""
    return store.read(
        lambda connection: [tuple(row) for row in connection.exec_driver_sql(query).all()]
    )
