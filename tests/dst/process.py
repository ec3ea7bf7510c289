"""One dispatcher of a story, with what can go wrong at each of its store calls."""

import asyncio
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from tests.dst.gateway import StoryGateway
from tests.dst.plan import SECOND
from waqcore.core.outcome import ProbeResult
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.gateways.gateway import Call, Departure, Reply
from waqcore.store import controls
from waqcore.store.errors import StoreError
from waqcore.store.presence import Process

if TYPE_CHECKING:
    from tests.dst.world import World

WORKS_MAX = 500
"""Store calls at one instant: with more it spins, and time would stand still."""

THAWS_WITHIN_S = 1.0
"""How soon a process that stands still goes on once it may."""

LEASE_S = 13.0
"""A dispatcher's lease, and a second."""

SLOW_S = (0.0, 0.0, 0.0, 0.001, 0.05, 0.3)
"""What a store call may take, before and after its transaction."""


class MortalGateway(StoryGateway):
    """The gateway as a process reaches it: a dead one says nothing, a frozen one later."""

    def __init__(self, running: "Running") -> None:
        super().__init__(running.world.weather, running.id)
        self._running = running

    async def send(self, call: Call, departure: Departure) -> Reply:
        """Answer as the weather says, unless the process is dead by now."""
        await self._running.alive()
        reply = await super().send(call, departure)
        await self._running.alive()
        return reply

    async def probe(self, sender: str) -> ProbeResult:
        """As `send`."""
        await self._running.alive()
        return await super().probe(sender)


class Running:
    """One dispatcher, its store and its gateway, as in a process of its own."""

    def __init__(self, world: "World", name: str, life: int) -> None:
        self.world = world
        self.name = name
        self.id = f"{name}.{life}"
        self.dead = False
        self.died_at = -1
        self.frozen_until = 0.0
        self.failing_until = 0.0
        """Till then every store call fails."""
        self.healthy_since = world.now()
        """Since when no store call of it failed or hung."""
        self.ailed_at = -LEASE_S
        """When one last did; long ago where none ever did."""
        self._seed = f"{world.plan.seed} {self.id}"
        self._works = 0
        self._instant = (-1.0, 0)
        self.store = world.presses.store
        self.dispatcher = Dispatcher(
            self.store,
            dict.fromkeys(world.fleet.accounts, MortalGateway(self)),
            id_=self.id,
            process=Process(f"{world.clock.boot_id}/pids", self.id),
            execute=self.execute,
            seed=world.plan.seed,
        )
        self.task = asyncio.create_task(self.dispatcher.run())
        self.tidying = asyncio.create_task(self._tidy())

    async def alive(self) -> None:
        """Go on only while the process runs; a dead one stops here for good."""
        while not self.dead and self.world.loop.now < self.frozen_until:  # noqa: ASYNC110
            # It may be frozen again meanwhile, or thaw sooner.
            await asyncio.sleep(min(self.frozen_until - self.world.loop.now, THAWS_WITHIN_S))
        if self.dead:
            await asyncio.get_running_loop().create_future()

    async def execute(self, work: Callable[[], Any]) -> Any:
        """Run store work, and have happen to it what the seed says."""
        await self.alive()
        self._count()
        rules, chance = self.world.plan.rules, random.Random(f"{self._seed} {self._works}")
        if not rules.quick_store:
            await asyncio.sleep(chance.choice(SLOW_S))
            await self.alive()
        faulty = self.world.faulty
        if faulty and chance.random() < rules.dying / 2:
            await self._die("before")
        if faulty and (chance.random() < rules.failing or self._fails_now()):
            self._ail("fails")
            raise StoreError("the disk is full")
        result = work()
        self.world.look(by=self.id)
        if faulty and chance.random() < rules.dying / 2:
            await self._die("after")
        if faulty and chance.random() < rules.torn:
            self._ail("is torn")
            raise StoreError("the connection broke at the commit")
        if not rules.quick_store:
            await asyncio.sleep(chance.choice(SLOW_S))
            await self.alive()
        return result

    def _fails_now(self) -> bool:
        return self.world.loop.now < self.failing_until

    def freeze(self, seconds: float) -> None:
        """Stand still, as after SIGSTOP or in a machine that sleeps."""
        self.frozen_until = self.world.loop.now + seconds
        self._well_from(self.frozen_until)

    def kill(self) -> None:
        """End as kill -9 does: nothing is settled and nobody leaves."""
        self.dead = True
        self.died_at = self.world.now()
        self.task.cancel()
        self.tidying.cancel()

    async def gone(self) -> None:
        """Let what is left of a dead process go."""
        await asyncio.gather(self.task, self.tidying, return_exceptions=True)

    async def stop(self) -> None:
        """End as SIGTERM does: calls in flight are settled first."""
        self.dispatcher.stop()
        self.tidying.cancel()
        await self.task
        self.dead = True
        self.died_at = self.world.now()
        await self.gone()

    def _count(self) -> None:
        now, works = self._instant
        self._instant = (self.world.loop.now, works + 1 if now == self.world.loop.now else 0)
        assert self._instant[1] < WORKS_MAX, f"{self.id} spins: time stands still"
        self._works += 1

    async def _die(self, when: str) -> None:
        self.world.note(f"{self.id} dies {when} store call {self._works}")
        self.world.kill(self, restart_s=2.0, same_host=self._works % 2 == 0)
        await asyncio.get_running_loop().create_future()

    def _ail(self, how: str) -> None:
        self.world.note(f"{self.id}: store call {self._works} {how}")
        self._well_from(self.world.loop.now)

    def _well_from(self, seconds: float) -> None:
        self.ailed_at = seconds
        self.healthy_since = round(seconds * SECOND)

    @property
    def well(self) -> bool:
        """It has been heard of, without fail, for longer than a lease."""
        return not self.dead and self.world.loop.now - self.ailed_at > LEASE_S

    async def _tidy(self) -> None:
        """What housekeeping does about expiries; its counting is nobody's promise."""
        while True:
            await asyncio.sleep(1.0)
            try:
                await self.execute(self._expire)
            except (SQLAlchemyError, StoreError):
                self._well_from(self.world.loop.now)

    def _expire(self) -> None:
        if self.store.read(lambda connection: controls.any_expired(connection, self.store.now())):
            self.store.write(lambda connection: controls.expire_due(connection, self.store.now()))
