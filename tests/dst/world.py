"""A story as it is played: real dispatchers, store and queue in virtual time, watched at each
step."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.dst import promises
from tests.dst.gateway import Arrival, Weather
from tests.dst.plan import SECOND, SENDERS, Act, Plan
from tests.dst.presses import Presses
from tests.dst.process import Running
from tests.dst.promises import Broken, Instant
from tests.dst.snapshot import EMPTY, Camera, Snapshot
from tests.virtual_time import VirtualClock, VirtualLoop
from waqcore.senders import fleet
from waqcore.settings import Kind, Settings
from waqcore.store import presence
from waqcore.store.errors import StoreError

WELL_WITHIN_S = 1_500
"""How long after the last fault everything must have ended: less than the half hour after which a
message is taken back whatever its dispatcher says."""


class World:
    """A database, its dispatchers, the people who press, and who watches."""

    def __init__(self, loop: VirtualLoop, folder: Path, plan: Plan) -> None:
        rules = plan.rules
        self.plan = plan
        self.loop = loop
        self.clock = VirtualClock(loop)
        settings = Settings(
            database_url=f"sqlite:///{folder / 'queue.db'}",
            gateway=Kind.SANDBOX,
            whatsapp_sender=SENDERS[0],
            senders=",".join(SENDERS[1 : rules.senders]),
            pace_seconds=rules.pace_s,
            guard_ms=rules.guard_ms,
            max_attempts=rules.max_attempts,
            backoff_seconds=rules.backoff_s,
            breaker_threshold=rules.breaker,
            timezone="UTC",
        )
        self.fleet = fleet(settings, {})
        self.faulty = True
        self.broken: Broken | None = None
        """What was broken inside a dispatcher's own task, which would only log it."""
        self.story: list[str] = []
        self.weather = Weather(plan.seed, rules, self.now)
        self.weather.on_arrival = self._arrived
        self.presses = Presses(plan, settings, self.fleet, self.clock)
        self._camera = Camera(str(folder / "queue.db"))
        self._before = EMPTY
        self._all: list[Running] = []
        self._retaken: tuple[str, Running] | None = None
        """A message whose call hangs, and its process: it goes on once another calls for it."""
        self._withdrawing = False
        """The next claim is cancelled before it is called for."""
        self._live: dict[str, Running] = {}
        self._dead: dict[str, Running] = {}
        self._lives = 0
        self._errands: set[asyncio.Task[None]] = set()

    # The course of a story

    async def play(self) -> None:
        """Play every act, then let the faults end and everything come to rest."""
        try:
            for act in self.plan.acts:
                await self._until(act.at)
                await self._do(act)
            await self._until(self.plan.until)
            await self._come_to_rest()
            self._judge_the_end()
        finally:
            await self._close()

    async def _until(self, at: int) -> None:
        if at > self.now():
            await asyncio.sleep((at - self.now()) / SECOND)
        if self.broken is not None:
            raise self.broken
        for running in list(self._live.values()):
            if running.task.done() and not running.dead:
                self._ended(running)

    def _ended(self, running: Running) -> None:
        """Start a dispatcher anew that could not even join, as whoever supervises it would."""
        error = running.task.exception()
        if not isinstance(error, StoreError):
            raise Broken("P6 recovery", f"{running.id} has ended by itself: {error!r}")
        self.note(f"{running.id} ends: {error}")
        self.kill(running, restart_s=2.0, same_host=True)

    async def _do(self, act: Act) -> None:
        self.note(str(act).split("s  ", 1)[1])
        match act.what, act.args:
            case "start", (str(name),):
                self._start(name)
            case "kill", (str(name), float(restart_s), bool(same_host)) if name in self._live:
                self.kill(self._live[name], restart_s=restart_s, same_host=same_host)
            case "stop", (str(name), float(restart_s), _) if name in self._live:
                self._errand(self._stop(name, restart_s))
            case "freeze", (str(name), float(seconds)) if name in self._live:
                self._live[name].freeze(seconds)
            case "step", (int(seconds),):
                self.clock.wall_step_us += seconds * SECOND
            case "reboot", (int(seconds),):
                await self._reboot(seconds)
            case _:
                self.presses.press(act)
                self.look(act.what)
                self._wake()

    async def _come_to_rest(self) -> None:
        self.note("the faults end")
        self.faulty = False
        self.weather.fair = True
        for running in self._live.values():
            running.frozen_until = min(running.frozen_until, self.loop.now)
            running.failing_until = 0.0
        if not self._live:
            self._start("d9")
        self.presses.queue.resume()
        self.look("resume")
        self._wake()
        last = self.now() + WELL_WITHIN_S * SECOND
        while self._unended() and self.now() < last:
            await self._until(self.now() + 5 * SECOND)

    def _judge_the_end(self) -> None:
        left = self._unended()
        if left:
            raise Broken("P2 nothing lost", f"still {', '.join(left)} {WELL_WITHIN_S} s later")

    def _unended(self) -> list[str]:
        now, shot = self._instant(), self._camera.shot()
        return [
            f"{row.body} {row.state}"
            for row in shot.messages.values()
            if row.state == "sending" or (row.state == "queued" and (row.send_at or 0) <= now.wall)
        ]

    # Processes

    def _start(self, name: str) -> None:
        if name in self._live:
            return
        self._lives += 1
        self._live[name] = Running(self, name, self._lives)
        self._all.append(self._live[name])

    def kill(self, running: Running, *, restart_s: float, same_host: bool) -> None:
        """End a process as kill -9 does, and start it anew a while later."""
        running.kill()
        self._live.pop(running.name, None)
        self._dead[running.id] = running
        self._errand(self._again(running, restart_s, same_host=same_host))

    async def _again(self, dead: Running, restart_s: float, *, same_host: bool) -> None:
        await dead.gone()
        await asyncio.sleep(restart_s)
        self._start(dead.name)
        if same_host:
            # What a process that starts on the same host finds out about a dead one.
            store, host = self._live[dead.name].store, f"{self.clock.boot_id}/pids"
            store.write(lambda c: presence.bury(c, host, lambda id_: id_ == dead.id))
            self.look()

    async def _stop(self, name: str, restart_s: float) -> None:
        running = self._live[name]
        await running.stop()
        self._judge(lambda: promises.in_hand(self._camera.shot(), running.id))
        if self._live.get(name) is running:
            del self._live[name]
            await asyncio.sleep(restart_s)
            self._start(name)

    async def _reboot(self, wall_step_s: int) -> None:
        # Before anything is waited for: nobody may start meanwhile, on a store that is then closed.
        for errand in self._errands:
            errand.cancel()
        names = list(self._live)
        for running in list(self._live.values()):
            running.kill()
            self._live.pop(running.name, None)  # It may have died while others were waited for.
            await running.gone()
        step_us = self.clock.wall_step_us + wall_step_s * SECOND
        self.clock = VirtualClock(self.loop, f"boot of {self.loop.now}")
        self.clock.wall_step_us = step_us
        self.presses.reopen(self.clock)
        self._dead = {}
        for name in names:
            self._start(name)
        self.look()

    def _errand(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _wake(self) -> None:
        """Let every dispatcher hear of a commit, as its listener would."""
        for running in self._live.values():
            running.dispatcher.wake()

    async def _close(self) -> None:
        for errand in list(self._errands):
            errand.cancel()
        await asyncio.gather(*self._errands, return_exceptions=True)
        for running in self._all:
            running.kill()
            await running.gone()
        self._camera.close()
        self.presses.close()

    # Watching

    def now(self) -> int:
        """Microseconds since the story began, on no clock that anybody can set."""
        return round(self.loop.now * SECOND)

    def note(self, what: str) -> None:
        """Keep a line of what happened."""
        self.story.append(f"{self.loop.now:10.3f}  {what}")

    def look(self, hand: str | None = None, *, by: str = "") -> None:
        """Judge what has been committed since the last look: what a person pressed (`hand`), or
        what a dispatcher did (`by`)."""
        self._judge(lambda: self._look(hand, by))

    def _look(self, hand: str | None, by: str) -> None:
        before, after = self._before, self._camera.shot()
        if after is before:
            return
        self._before = after
        self._tell(before, after)
        if self._withdrawing:
            self._withdraw(before, after)
        promises.acknowledged(after, self.presses.acknowledged)
        promises.life(before, after, hand)
        promises.cancelled(before, after, self.presses.cancelled | self.presses.opted_out)
        promises.counting(after, self.plan)
        promises.doubt(after, self.weather.arrivals, decided=self.presses.decided)
        promises.order(before, after, self._instant(), self.plan)
        if hand in ("resolve", "retry", "restore"):
            queued = {body for body, row in after.messages.items() if row.state == "queued"}
            self.presses.cancelled -= queued
        well = {running.id for running in self._live.values() if running.well}
        promises.possession(before, after, by, well)
        self._judge_recovery()

    def _judge_recovery(self) -> None:
        for held in self._before.leases.values():
            dead = self._dead.get(held.holder)
            well = [one.healthy_since for one in self._live.values()]
            if dead is not None and well:
                promises.recovery(held, dead.died_at, min(well), self.now())

    def _arrived(self, arrival: Arrival) -> None:
        self.note(f"{arrival.body} arrives, answered {arrival.answer}")
        self.look()
        pace_us = round(self.plan.rules.pace_s * SECOND)
        self._judge(lambda: promises.pace(self.weather.arrivals, pace_us))
        self._judge(lambda: promises.doubles(arrival, self._before, self.presses.resends))
        if self._retaken is not None and self._retaken[0] == arrival.body:
            self._retaken[1].freeze(0.0)
            self._retaken = None
        aim = self.plan.aim
        if self.faulty and aim is not None and len(self.weather.arrivals) == aim.call:
            self.loop.call_soon(self._hit, aim.what, arrival)

    def _hit(self, what: str, arrival: Arrival) -> None:
        """Let happen what the plan aims at the call that has just arrived."""
        self.note(f"aimed at the call for {arrival.body}: {what}")
        running = next((one for one in self._live.values() if one.id == arrival.by), None)
        if what == "cancel":
            self.presses.cancel(arrival.body)
            self.look("cancel")
        elif what == "withdraw":
            self._withdrawing = True
        elif running is not None and what == "freeze":
            running.freeze(40.0)
        elif running is not None and what == "retake":
            running.freeze(WELL_WITHIN_S)
            self._retaken = (arrival.body, running)
        elif running is not None and what == "kill":
            self.kill(running, restart_s=2.0, same_host=False)
        elif running is not None:
            running.failing_until = self.loop.now + 45.0
            self._errand(self._stop(running.name, 1.0))

    def _withdraw(self, before: Snapshot, after: Snapshot) -> None:
        claimed = [
            body
            for body, row in after.messages.items()
            if row.state == "sending" and before.messages[body].state == "queued"
        ]
        if self.faulty and claimed:
            self._withdrawing = False
            self.loop.call_soon(self._cancel, claimed[-1])

    def _cancel(self, body: str) -> None:
        self.note(f"aimed at the claim of {body}: cancel")
        self.presses.cancel(body)
        self.look("cancel")

    def _judge(self, check: Callable[[], None]) -> None:
        try:
            check()
        except Broken as broken:
            self.broken = self.broken or broken

    def _instant(self) -> Instant:
        now = self.presses.store.now()
        return Instant(now.wall, now.steady)

    def _tell(self, before: Snapshot, after: Snapshot) -> None:
        for body, row in after.messages.items():
            was = before.messages.get(body)
            if was is None or (was.state, was.lease_token) != (row.state, row.lease_token):
                held = f" by {row.lease_token.partition('/')[0]}" if row.lease_token else ""
                self.note(f"{body} {was.state if was else 'new'} -> {row.state}{held}")
