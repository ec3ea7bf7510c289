"""Disturbances at seeded instants, while people arrive."""

import threading
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

import httpx

from loadtests.run.clock import WallClock
from loadtests.run.disk import Disk
from loadtests.run.order import Order
from loadtests.run.process import Process
from loadtests.run.service import Service

FIRST = 0.1
"""The share of the time before which nothing happens."""
DOWN_MAX_S = 1.5
"""How long a killed service stays down, at most."""
AWAY_S = 3.0
"""How long a dropped gateway is away, and a disk full."""
FILL_S = 0.05
"""How often a full disk is filled again: what the service frees must not help it."""

STEP_LEAST_S = 600
"""The least step of a wall clock in seconds; twice the time that people arrive in, if that is more.
Longer than the run lasts: an instant that the service's wall has shown is then of one setting."""
AHEAD = (-6, -1, 0, 1, 6)
"""How many least steps a wall is ahead of the true one: ten minutes, or an hour, at the least."""

KILL, DROP, FULL, STEP = "kill", "drop", "full disk", "clock step"


class Event(NamedTuple):
    """One disturbance to come."""

    in_s: float
    what: str
    for_s: float
    nth: int
    """Of its kind, from 0: the processes are killed in turn."""
    ahead_s: int = 0
    """How far a stepped wall is ahead of the true one from here on."""


class Host(NamedTuple):
    """What of the service's host can be disturbed."""

    disk: Disk | None
    """None: it cannot be filled, and nothing is planned that would."""
    clock: WallClock | None
    """None: it cannot be stepped, and nothing is planned that would."""


def planned(order: Order) -> list[Event]:
    """When what happens: evenly spread, each moved at random within its share of the time."""
    chance = Random(f"chaos {order.seed}")
    whats = [
        *[KILL] * order.kills,
        *[DROP] * order.drops,
        *[FULL] * order.full_disks,
        *[STEP] * order.clock_steps,
    ]
    chance.shuffle(whats)
    ahead_s = _settings(order)
    over_s = (1.0 - order.calm) * order.seconds
    share_s = (1.0 - FIRST) * over_s / max(1, len(whats))
    return [
        Event(
            FIRST * over_s + share_s * (index + 0.6 * chance.random()),
            what,
            chance.uniform(0.0, DOWN_MAX_S) if what == KILL else AWAY_S,
            whats[:index].count(what),
            next(ahead_s) if what == STEP else 0,
        )
        for index, what in enumerate(whats)
    ]


def _settings(order: Order) -> Iterator[int]:
    """How far ahead of the true wall each step leaves the service's: forward and back in turn."""
    chance = Random(f"clock {order.seed}")
    least_s = max(STEP_LEAST_S, round(2 * order.seconds))
    ahead, is_forward = 0, chance.random() < 0.5
    for _ in range(order.clock_steps):
        ahead = chance.choice([n for n in AHEAD if (n > ahead if is_forward else n < ahead)])
        is_forward = not is_forward
        yield ahead * least_s


class Conductor(threading.Thread):
    """Does what is planned, and keeps when it did."""

    def __init__(self, order: Order, service: Service, host: Host, gateway_url: str) -> None:
        super().__init__(name="chaos", daemon=True)
        self.done: list[dict[str, object]] = []
        self.errors: list[str] = []
        self._plan = planned(order)
        self._service = service
        self._host = host
        self._gateway_url = gateway_url
        self._over = threading.Event()

    def run(self) -> None:
        """Disturb until the plan is done, or the run is over."""
        began = time.monotonic()
        acts: dict[str, Callable[[Event], None]] = {
            KILL: self._kill,
            DROP: self._drop,
            FULL: self._fill,
            STEP: self._step,
        }
        for event in self._plan:
            if self._over.wait(max(0.0, began + event.in_s - time.monotonic())):
                return
            try:
                acts[event.what](event)
            except (OSError, httpx.HTTPError) as error:
                self.errors.append(f"chaos could not {event.what}: {error}")

    def finish(self) -> None:
        """Disturb no more; the service is running when this returns."""
        self._over.set()
        self.join()

    def _kill(self, event: Event) -> None:
        victims = self._service.processes
        victim: Process = victims[event.nth % len(victims)]
        at = _now_us()
        victim.kill()
        time.sleep(event.for_s)
        restored_at = _now_us()
        victim.start()
        self._keep(KILL, at, restored_at, f"the {victim.name}, down for {event.for_s:.1f} s")

    def _drop(self, event: Event) -> None:
        at = _now_us()
        answer = httpx.post(f"{self._gateway_url}/_drop", json={"seconds": event.for_s})
        answer.raise_for_status()
        self._over.wait(event.for_s)
        self._keep(DROP, at, _now_us(), f"the gateway, away for {event.for_s:.1f} s")

    def _fill(self, event: Event) -> None:
        disk = self._host.disk
        assert disk is not None, "a full disk is planned, and there is none to fill"
        at = _now_us()
        until = time.monotonic() + event.for_s
        try:
            while time.monotonic() < until:
                disk.fill()
                time.sleep(FILL_S)
        finally:
            disk.clear()
        self._keep(FULL, at, _now_us(), f"the disk, full for {event.for_s:.1f} s")

    def _step(self, event: Event) -> None:
        clock = self._host.clock
        assert clock is not None, "a step of the clock is planned, and there is none to step"
        at = _now_us()
        clock.set_ahead(event.ahead_s)
        self._keep(
            STEP,
            at,
            _now_us(),
            f"the service's wall, {event.ahead_s:+,} s from the true one since",
            ahead_us=event.ahead_s * 1_000_000,
        )

    def _keep(self, what: str, at: int, restored_at: int, detail: str, **more: int) -> None:
        kept = {"what": what, "at": at, "restored_at": restored_at, "detail": detail}
        self.done.append({**kept, **more})


def _now_us() -> int:
    return time.time_ns() // 1_000
