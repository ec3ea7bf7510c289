"""A run from beginning to end."""

import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from loadtests.mock_gateway.process import running
from loadtests.run import harvest, people
from loadtests.run.chaos import Conductor, Host
from loadtests.run.clock import WallClock
from loadtests.run.disk import small_disk
from loadtests.run.order import Order
from loadtests.run.progress import Progress
from loadtests.run.sampler import Sampler
from loadtests.run.service import Service

DRAIN_LEAST_S = 30.0
DRAIN_TIMES = 3.0
"""How much longer than the pace asks for the queue may take to drain."""
LOOK_S = 0.25
OVERTIME_S = 60.0
"""What Locust may take beyond the run's own time before it is stopped."""


class _Set(NamedTuple):
    """What was built for the run."""

    order: Order
    folder: Path
    service: Service
    host: Host
    gateway_url: str


class _Stage(NamedTuple):
    """What is running."""

    order: Order
    folder: Path
    service: Service
    chaos: Conductor
    progress: Progress


def drive(order: Order, folder: Path, console: Console) -> None:
    """Run a load test and fill its folder.

    Raises:
        ClockError: the clock was to be stepped, and none can be had that can.
        DidNotStart: the mock gateway did not.
        DiskError: a full disk was asked for, and none can be mounted.
        ServiceError: the service did not, or its database could not be read.
    """
    gateway = ("--weather", str(order.weather), "--seed", str(order.seed))
    disk_or_none = small_disk(folder) if order.full_disks else nullcontext()
    with disk_or_none as disk, running(*gateway, "--pace", f"{order.pace_s:f}", apart=True) as url:
        clock = WallClock(folder) if order.clock_steps else None
        service = Service(order, folder, folder if disk is None else disk.place, clock, url)
        console.print(
            f"service on {service.url}, mock gateway on {url}, folder {folder}", soft_wrap=True
        )
        service.start()
        try:
            service.wait_until_up()
            _on_stage(_Set(order, folder, service, Host(disk, clock), url), console)
        finally:
            service.kill()


def _on_stage(built: _Set, console: Console) -> None:
    order, folder, service, host, url = built
    chaos = Conductor(order, service, host, url)
    progress = Progress(console, folder, service, url, chaos)
    sampler = Sampler(service, folder / "samples.jsonl")
    stage = _Stage(order, folder, service, chaos, progress)
    started_at = time.time_ns() // 1_000
    sampler.start()
    end = _play(stage)
    ended_at = time.time_ns() // 1_000
    sampler.finish()
    console.print("writing down what happened")
    service.stop()
    harvest.calls(folder, url)
    harvest.database(folder, service)
    harvest.acknowledged(folder)
    remarks = [*chaos.errors, *(["ended early, by Ctrl-C"] if end == "interrupted" else [])]
    harvest.about(
        folder,
        order,
        started_at=started_at,
        ended_at=ended_at,
        end=end,
        chaos=chaos.done,
        remarks=remarks,
    )


def _play(stage: _Stage) -> str:
    """Let people come, and the queue drain; returns how that ended."""
    crowd = people.start(stage.order, stage.folder, stage.service)
    stage.chaos.start()
    try:
        _watch(stage, crowd)
        stage.chaos.finish()
        stage.service.wait_until_up()
        stage.service.let_go()
        return "drained" if _drained(stage) else "stuck"
    except KeyboardInterrupt:
        return "interrupted"
    finally:
        people.stop(crowd)
        stage.chaos.finish()


def _watch(stage: _Stage, crowd: subprocess.Popen[bytes]) -> None:
    within_s = stage.order.seconds + people.TAIL_S + OVERTIME_S
    _until(
        lambda: crowd.poll() is not None,
        lambda: stage.progress.tell("people arrive"),
        within_s=within_s,
    )
    people.stop(crowd)


def _drained(stage: _Stage) -> bool:
    waiting = stage.service.waiting() or 0
    seconds = waiting * (stage.order.pace_s + stage.order.guard_ms / 1_000) / stage.order.senders
    return (
        _until(
            lambda: stage.service.waiting() == 0 or bool(stage.progress.banned),
            lambda: stage.progress.tell("the queue drains"),
            within_s=DRAIN_LEAST_S + DRAIN_TIMES * seconds,
        )
        and not stage.progress.banned
    )  # A sender that is banned sends nothing any more.


def _until(happened: Callable[[], bool], meanwhile: Callable[[], None], *, within_s: float) -> bool:
    until = time.monotonic() + within_s
    while not happened():
        if time.monotonic() > until:
            return False
        meanwhile()
        time.sleep(LOOK_S)
    return True
