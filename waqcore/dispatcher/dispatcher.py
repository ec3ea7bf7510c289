"""The dispatcher: leases what the core lets go, calls, settles, and sleeps exactly until the next.

It decides nothing. Clock, loop, executor and gateways are passed in, so the very same code runs in
virtual time against scripted gateways.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from waqcore.clock import Now
from waqcore.core.instants import NEVER, SECOND, seconds
from waqcore.core.outcome import NotCalled, Scope
from waqcore.dispatcher.calls import call, probe
from waqcore.dispatcher.wakes import Wakes
from waqcore.gateways.gateway import Gateway
from waqcore.store import attempts, events, presence, step
from waqcore.store.attempts import Claim, Ended
from waqcore.store.commit import T, Work
from waqcore.store.errors import StoreError
from waqcore.store.presence import Process
from waqcore.store.steady import SKEW_MAX_US
from waqcore.store.step import Decided, Holder, Probed, Turn
from waqcore.store.store import Store

log = logging.getLogger("waqcore.dispatcher")

HEARTBEAT_US = 3 * SECOND
LEASE_US = 15 * SECOND
"""Five heartbeats: one that is late on a busy machine must not cost a live dispatcher its lanes."""
CALLS_MAX = 800
"""Calls in flight at once, over all lanes: as many as the HTTP client's pool has connections, so
that a claimed message never waits for one."""
STORE_RETRY_S = 1.0
"""How long the dispatcher waits when the database cannot be written to."""

Execute = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs store work off the loop; inline where time is virtual."""


class Dispatcher:
    """One dispatcher; any number may share a database."""

    def __init__(
        self,
        store: Store,
        gateways: Mapping[str, Gateway],
        *,
        id_: str,
        process: Process,
        execute: Execute,
        seed: int = 0,
    ) -> None:
        """`gateways` are by account; `seed` fixes the chance of backoff and jitter."""
        self.id = id_
        self._store = store
        self._gateways = gateways
        self._process = process
        self._execute = execute
        self._seed = seed
        self._wakes = Wakes()
        self._signal = asyncio.Event()
        self._looking = True
        self._stopping = False
        self._seen = events.Seen()
        self._lease_until = 0
        self._skew = 0
        self._ended: list[Ended] = []
        self._probed: list[Probed] = []
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def in_flight(self) -> int:
        """How many calls and probes are being made."""
        return len(self._calls)

    def wake(self) -> None:
        """Look for news now: something was enqueued or pressed."""
        self._looking = True
        self._signal.set()

    def stop(self) -> None:
        """Begin no more calls; `run` returns when those in flight are settled."""
        self._stopping = True
        self._signal.set()

    async def run(self) -> None:
        """Dispatch until stopped; then nothing of ours is left in `sending`."""
        await self._join()
        heart = asyncio.create_task(self._beat_forever())
        try:
            while True:
                await self._take_turn()
                if self._stopping and not self._calls and not self._ended:
                    break
                await self._rest()
        finally:
            heart.cancel()
            for task in self._calls:
                task.cancel()
            await asyncio.gather(heart, *self._calls, return_exceptions=True)
        await self._write(lambda connection: presence.leave(connection, self.id))

    # Presence

    async def _join(self) -> None:
        now = self._store.now()
        self._lease_until = now.steady + LEASE_US
        self._skew = now.wall - now.steady

        def join(connection: Connection) -> events.Seen:
            presence.join(connection, self.id, self._process, now, LEASE_US)
            return events.latest(connection)

        self._seen = await self._write(join)
        for sender in self._store.senders:
            self._wakes.set(sender, now.steady)

    async def _beat_forever(self) -> None:
        while True:
            await asyncio.sleep(seconds(HEARTBEAT_US))
            try:
                await self._beat()
            except (SQLAlchemyError, StoreError) as error:
                # Our lease runs on: past its end no call of ours may leave, and others take over.
                log.error("heartbeat not stored", extra={"reason": str(error)})

    async def _beat(self) -> None:
        now = self._store.now()
        self._look_at_the_wall(now)

        def beat(connection: Connection) -> None:
            if not presence.beat(connection, self.id, now, LEASE_US):
                presence.join(connection, self.id, self._process, now, LEASE_US)

        await self._write(beat)
        self._lease_until = now.steady + LEASE_US

    def _look_at_the_wall(self, now: Now) -> None:
        """Ask every lane anew where somebody has set the wall: what it waits for may be due."""
        before, self._skew = self._skew, now.wall - now.steady
        if abs(self._skew - before) > SKEW_MAX_US:
            for sender in self._store.senders:
                self._wakes.set(sender, now.steady)
            self._signal.set()

    # Turns

    async def _take_turn(self) -> None:
        """Settle what has ended and obey the core for every lane that is due."""
        ended, self._ended = self._ended, []
        probed, self._probed = self._probed, []
        room = 0 if self._stopping else CALLS_MAX - len(self._calls)
        looking = self._looking and room > 0
        due = self._wakes.pop_due(self._store.steady()) if room > 0 else []
        if not (ended or probed or due or looking):
            return
        self._looking = self._looking and not looking  # What comes during the look is news again.
        asked = Turn(Holder(self.id, self._lease_until), due, ended, probed, room)
        try:
            decided, self._seen = await self._write(self._turn(asked, looking=looking))
        except (SQLAlchemyError, StoreError) as error:
            # What is known must not be lost with the transaction: it is settled in a later one.
            self._ended = ended + self._ended
            self._probed = probed + self._probed
            self._looking = self._looking or looking
            for sender in due:
                self._wakes.set(sender, self._store.steady())
            log.error("turn not stored", extra={"reason": str(error)})
            await asyncio.sleep(STORE_RETRY_S)
            self._signal.set()
            return
        self._note(decided)
        if decided.claims:
            await self._begin(decided.claims)

    def _turn(self, asked: Turn, *, looking: bool) -> Work[tuple[Decided, events.Seen]]:
        def turn(connection: Connection) -> tuple[Decided, events.Seen]:
            now = self._store.now()  # With the write lock held: waiting for it has taken time.
            senders, seen = asked.senders, self._seen
            if looking:
                news = events.news(connection, seen, self.id)
                seen = news.seen
                senders = self._store.senders if news.everywhere else {*senders, *news.senders}
            full = asked._replace(senders=senders)
            return step.take(connection, full, now, self._store.senders, self._seed), seen

        return turn

    def _note(self, decided: Decided) -> None:
        for sender, at in decided.waits.items():
            self._wakes.set(sender, at)
        for notice in decided.notices:
            log.warning(
                "alert: %s",
                notice.alert,
                extra={"sender": notice.sender, "alert": notice.alert, "detail": notice.detail},
            )
        self._probe(decided.probes)

    async def _begin(self, claims: list[Claim]) -> None:
        """Write the attempt rows, then call for every claim that is still ours."""
        try:
            begun = await self._write(
                lambda connection: attempts.begin(connection, claims, self._store.now())
            )
        except (SQLAlchemyError, StoreError) as error:
            log.error("attempts not stored", extra={"reason": str(error)})
            begun = []
        called = {claim.lease.token for claim in begun}
        for claim in claims:
            if claim.lease.token in called:
                self._start(self._call(claim))
            else:
                self._give_back(claim)

    def _give_back(self, claim: Claim) -> None:
        outcome = NotCalled("released before its call")
        self._ended.append(Ended(claim, outcome, None, self._store.steady()))
        self._signal.set()

    # Calls

    async def _call(self, claim: Claim) -> None:
        gateway = self._gateways[self._store.senders[claim.stored.sender].account]
        ended = await call(claim, gateway, self._store.steady)
        self._ended.append(ended)  # Not before the await: a turn meanwhile takes the list along.

    def _probe(self, wanted: list[tuple[str, Scope]]) -> None:
        """Probe for each lane, but only once for an account whose trouble all its lanes share."""
        by_account: dict[str, list[str]] = {}
        for sender, scope in wanted:
            if scope is Scope.ACCOUNT:
                by_account.setdefault(self._store.senders[sender].account, []).append(sender)
            else:
                self._start(self._probe_for((sender,)))
        for senders in by_account.values():
            self._start(self._probe_for(tuple(senders)))

    async def _probe_for(self, senders: tuple[str, ...]) -> None:
        gateway = self._gateways[self._store.senders[senders[0]].account]
        result = await probe(senders[0], gateway)
        self._probed.append(Probed(senders, result))

    def _start(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._calls.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._calls.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a call was lost", exc_info=task.exception())
        self._signal.set()

    # Rest

    async def _rest(self) -> None:
        """Sleep until the earliest lane is ready, a call ends, or something is signalled."""
        full = self._stopping or len(self._calls) >= CALLS_MAX
        until = NEVER if full else self._wakes.earliest()
        if not self._signal.is_set():
            timeout = None if until >= NEVER else seconds(max(0, until - self._store.steady()))
            try:
                async with asyncio.timeout(timeout):
                    await self._signal.wait()
            except TimeoutError:
                pass
        self._signal.clear()

    async def _write(self, work: Work[T]) -> T:
        result: T = await self._execute(lambda: self._store.write(work))
        return result
