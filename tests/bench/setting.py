"""What every bench stands on: a fresh database, senders in number, and messages in bulk."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from waqcore.clock import SystemClock
from waqcore.core.policy import Policy, Sender
from waqcore.store.enqueue import enqueue
from waqcore.store.fresh import NewMessage
from waqcore.store.store import Store

BODY = (
    "Halo Budi, silakan bayar pendaftaran Anda di https://bayar.example/REG-1 sebelum besok. " * 3
)
BULK = 5_000
"""Messages in one transaction while a bench fills its queue."""


@contextmanager
def store(
    folder: Path, name: str, senders: int, policy: Policy, *, url: str | None = None
) -> Iterator[Store]:
    """A store of its own in the bench's folder, or on a server."""
    numbers = [str(628_000_000_000 + n) for n in range(senders)]
    fleet = {number: Sender(number, "bench", policy) for number in numbers}
    opened = Store(url or f"sqlite:///{folder / name}.db", fleet, clock=SystemClock())
    try:
        yield opened
    finally:
        opened.close()


def new_message(n: int, sender: str, wall: int, send_at: int | None = None) -> NewMessage:
    """A message ready to be stored, the n-th of its bench."""
    return NewMessage(
        id=f"msg_{n:027d}",
        sender=sender,
        recipient=f"+628{n % 10**10:010d}",
        body=BODY,
        priority=1 + n % 3,
        reference=None,
        idempotency_key=None,
        content_hash=f"{n:032x}",
        enqueued_at=wall,
        send_at=send_at,
        expires_at=None,
        on_unknown="resend",
    )


def fill(opened: Store, count: int, *, send_in_us: int | None = None) -> None:
    """Queue messages round robin over all senders; `send_in_us` schedules them for then."""
    numbers = list(opened.senders)
    wall = opened.clock.wall_us()
    send_at = None if send_in_us is None else wall + send_in_us
    for start in range(0, count, BULK):
        batch = [
            new_message(n, numbers[n % len(numbers)], wall, send_at)
            for n in range(start, min(start + BULK, count))
        ]
        opened.write_jointly(enqueue, batch)
