"""The dispatcher: leases what the core lets go, calls, settles, and sleeps exactly until the next.

It decides nothing. Clock, loop, executor and gateways are passed in, so the very same code runs in
virtual time against scripted gateways.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from itertools import cycle, islice
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
from waqcore.store.events import News
from waqcore.store.presence import Process
from waqcore.store.steady import SKEW_MAX_US
from waqcore.store.step import Decided, Heard, Holder, Probed, Turn
from waqcore.store.store import Store

log = logging.getLogger("waqcore.dispatcher")

HEARTBEAT_US = 3 * SECOND
LEASE_US = 12 * SECOND
"""Four heartbeats: one that is late on a busy machine must not cost a live dispatcher its lanes.
Less than the 15 s in which a dead one's are to be taken over: to notice takes time too, and the
database may be restarting just then."""
RENEWED_US = SECOND
"""How long a renewal that is known to be stored will do for turns: one more trip to a server, and a
row more to write, took a twentieth of each."""
CALLS_MAX = 800
"""Calls in flight at once, over all lanes: as many as the HTTP client's pool has connections, so
that a claimed message never waits for one."""
TURN_MAX = 200
"""Lanes decided for in one transaction, some 40 ms. A longer one would hold up the calls it claims,
up to past their `call_by`, and every other writer."""
HEARD_MAX = 10_000
"""Calls remembered until somebody asks for them: at most some 20 s of a busy machine's."""
GATHER_MAX_S = 0.01
"""A turn is followed by a rest as long as itself, and at most this: what ends and what falls due in
it shares the next turn. Most of a turn's cost on a server is its statements, for however many
lanes: at 250 calls a second it took a third off the CPU time of a call."""
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
        self._looking = False
        self._stopping = False
        self._seen = events.Seen()
        self._skew = 0
        self._ended: list[Ended] = []
        self._probed: list[Probed] = []
        self._calls: set[asyncio.Task[None]] = set()
        self._alive: set[str] = set()
        """The dispatchers that lived when we last looked, we among them."""
        self._renewed_at = -RENEWED_US
        """When our lease was last renewed by a turn."""
        self._mine: set[str] = set()
        """The tokens of the leases we know we hold, until they are known to be settled."""
        self._unsure: dict[str, int] = {}
        """The lanes of turns that failed, and until when what those claimed is ours: it may be
        stored all the same."""
        self._heard: deque[Heard] = deque(maxlen=HEARD_MAX)
        self._round = cycle(store.senders)
        self._owed = 0.0
        """Lanes that sweeps have still to look at, less than one."""

    def wake(self) -> None:
        """Look for news now: something was enqueued or pressed."""
        self._looking = True
        self._signal.set()

    def sweep(self, share: float) -> None:
        """Look at the next share of all lanes, whatever is known of them, going round and round.

        Never at all of them together: 5,000 were measured to hold up calls for two seconds.
        """
        self._owed += share * len(self._store.senders)
        lanes = int(self._owed)
        if lanes:
            self._owed -= lanes
            self._wake_all(islice(self._round, lanes))
            self._signal.set()

    def heard(self, most: int) -> list[Heard]:
        """Calls that are over and that nobody was told of yet, the oldest first."""
        return [self._heard.popleft() for _ in range(min(most, len(self._heard)))]

    def stop(self) -> None:
        """Begin no more calls; `run` returns when those in flight are settled."""
        self._stopping = True
        self._signal.set()

    async def run(self) -> None:
        """Dispatch until stopped; then nothing of ours is left in `sending`."""
        if not await self._joined():
            return
        heart = asyncio.create_task(self._beat_forever())
        try:
            while True:
                rest_s = await self._take_turn()
                if self._stopping and not (self._calls or self._ended or self._perhaps_ours()):
                    break
                if heart.done():
                    heart.result()  # Raises what ended it: without a heart nobody may dispatch.
                if rest_s:
                    await asyncio.sleep(rest_s)
                await self._rest()
        finally:
            heart.cancel()
            for task in self._calls:
                task.cancel()
            await asyncio.gather(heart, *self._calls, return_exceptions=True)
        try:
            await self._write(lambda connection: presence.leave(connection, self.id))
        except (SQLAlchemyError, StoreError) as error:
            # Nothing of ours is in flight; the row stays until its lease has run out.
            log.error("leaving not stored", extra={"reason": str(error)})

    # Presence

    async def _joined(self) -> bool:
        """Make ourselves known, however long the store takes; False: we were stopped before."""
        while not self._stopping:
            try:
                await self._join()
            except (SQLAlchemyError, StoreError) as error:
                await self._wait_for_the_store("not joined", error)
            else:
                return True
        return False

    async def _join(self) -> None:
        now = self._store.now()
        self._skew = now.wall - now.steady

        def join(connection: Connection) -> events.Seen:
            self._renew(connection, now)  # What seemed to fail before may be stored.
            return events.latest(connection)

        self._seen = await self._write(join)
        self._wake_all(self._store.senders)

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
        alive = await self._write(lambda connection: self._renew_among(connection, now))
        if self._alive - alive:
            # What was in flight there was not to be looked at before that one's lease ended.
            self._wake_all(self._store.senders)
        self._alive = alive
        self._signal.set()  # Timers stand still while the machine sleeps: look what is due by now.

    def _look_at_the_wall(self, now: Now) -> None:
        """Ask every lane anew where somebody has set the wall: what it waits for may be due."""
        before, self._skew = self._skew, now.wall - now.steady
        if abs(self._skew - before) > SKEW_MAX_US:
            self._wake_all(self._store.senders)
            self._signal.set()

    # Turns

    async def _take_turn(self) -> float:
        """Settle what has ended and obey the core for every lane that is due, a portion of each.

        Returns for how many seconds others may gather for the next turn.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await self._look()
        except (SQLAlchemyError, StoreError) as error:
            self._looking = True
            await self._wait_for_the_store("news not read", error)
            return 0.0
        room = 0 if self._stopping else min(TURN_MAX, CALLS_MAX - len(self._calls))
        half = TURN_MAX // 2  # The lanes of what ended may call again: they leave room for others.
        ended, self._ended = self._ended[:half], self._ended[half:]
        probed, self._probed = self._probed, []
        free = TURN_MAX - len(ended)
        if self._stopping:
            due = self._perhaps_ours()[:free]
        else:
            due = self._wakes.pop_due(self._store.steady(), min(room, free))
        if not (ended or probed or due):
            return 0.0
        full = bool(self._ended) or len(ended) + len(due) == TURN_MAX
        try:
            decided, self._renewed_at = await self._write(
                partial(self._decide, due, ended, probed, room)
            )
        except (SQLAlchemyError, StoreError) as error:
            # What is known must not be lost with the transaction: it is settled in a later one.
            self._ended = ended + self._ended
            self._probed = probed + self._probed
            self._wake_all(due)
            ours_until = self._store.steady() + LEASE_US
            for sender in due:
                self._unsure.setdefault(sender, ours_until)
            await self._wait_for_the_store("turn not stored", error)
            return 0.0
        for sender in due:
            self._unsure.pop(sender, None)
        self._mine.difference_update(one.claim.lease.token for one in ended)
        self._mine.update(claim.lease.token for claim in decided.claims)
        self._note(decided)
        if decided.claims:
            await self._begin(decided.claims)
        return 0.0 if full else min(loop.time() - began, GATHER_MAX_S)

    def _perhaps_ours(self) -> list[str]:
        """The lanes in which a turn that failed may have claimed, as long as nobody else may."""
        now = self._store.steady()
        self._unsure = {sender: until for sender, until in self._unsure.items() if now < until}
        return list(self._unsure)

    async def _look(self) -> None:
        """Wake the lanes that something was enqueued for, or that somebody touched."""
        if not self._looking or self._stopping:
            return
        self._looking = False  # Before the look: what comes during it is news again.
        news: News = await self._execute(
            lambda: self._store.read(
                lambda connection: events.news(connection, self._seen, self.id)
            )
        )
        self._seen = news.seen
        self._wake_all(self._store.senders if news.everywhere else news.senders)

    def _decide(
        self,
        due: list[str],
        ended: list[Ended],
        probed: list[Probed],
        room: int,
        connection: Connection,
    ) -> tuple[Decided, int]:
        """Take a turn; returns when our lease was renewed, too."""
        # The time is read with the write lock held: waiting for it has taken some. Whoever takes a
        # turn lives: renewed here, no claim is made, and no call of ours taken over, on a lease
        # that ran out while the machine slept or the disk was full.
        now, renewed_at = self._store.now(), self._renewed_at
        if now.steady - renewed_at >= RENEWED_US:
            self._renew(connection, now)
            renewed_at = now.steady
        me = Holder(self.id, renewed_at + LEASE_US)
        asked = Turn(me, due, ended, probed, room, self._mine)
        return step.take(connection, asked, now, self._store.senders, self._seed), renewed_at

    def _renew(self, connection: Connection, now: Now) -> None:
        if not presence.beat(connection, self.id, now, LEASE_US):
            presence.join(connection, self.id, self._process, now, LEASE_US)

    def _renew_among(self, connection: Connection, now: Now) -> set[str]:
        """Renew our lease; returns the dispatchers that live."""
        self._renew(connection, now)
        return {one.id for one in presence.alive(connection, now)}

    def _wake_all(self, senders: Iterable[str]) -> None:
        now = self._store.steady()
        for sender in senders:
            self._wakes.set(sender, now)

    async def _wait_for_the_store(self, event: str, error: Exception) -> None:
        log.error(event, extra={"reason": str(error)})
        await asyncio.sleep(STORE_RETRY_S)
        self._signal.set()

    def _note(self, decided: Decided) -> None:
        for sender, at in decided.waits.items():
            self._wakes.set(sender, at)
        for notice in decided.notices:
            log.warning(
                "alert: %s",
                notice.alert,
                extra={"sender": notice.sender, "alert": notice.alert, "detail": notice.detail},
            )
        self._heard.extend(decided.heard)
        self._probe(decided.probes)

    async def _begin(self, claims: list[Claim]) -> None:
        """Write the attempt rows, then call for every claim that is still ours."""
        try:
            begun = await self._execute(
                lambda: self._store.autocommit(
                    lambda connection: attempts.begin(connection, claims, self._store.now())
                )
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
        ended = await call(claim, gateway, self._store.latest)
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
        if not (self._signal.is_set() or self._ended):
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
