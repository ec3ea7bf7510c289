"""Plays stories: one by its seed, many in a row, and a failing one cut down to what matters."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.dst.plan import Plan, plan_of
from tests.dst.promises import Broken
from tests.dst.world import World
from tests.scenario import RAM_DISK
from tests.virtual_time import VirtualLoop, run


class Failure(NamedTuple):
    """A story in which a promise was broken, cut down as far as it would go."""

    plan: Plan
    broken: Broken
    story: list[str]

    def __str__(self) -> str:
        acts = "\n".join(f"  {act}" for act in self.plan.acts)
        told = "\n".join(self.story)
        return (
            f"seed {self.plan.seed}: {self.broken}\n\n{self.plan.rules}\nwhat is left of it:\n"
            f"{acts}\n\nits course:\n{told}\n\nplay it again: make dst SEED={self.plan.seed}"
        )


def play(plan: Plan) -> tuple[list[str], Broken | None]:
    """Play a plan; returns its course, and the promise that was broken if one was."""
    with _folder() as folder, _silence():

        async def main(loop: VirtualLoop) -> tuple[list[str], Broken | None]:
            world = World(loop, folder, plan)
            broken = None
            try:
                await world.play()
            except Broken as error:
                broken = error
            return world.story, broken or world.broken

        return run(main)


def fails(seed: int, *, cut: bool = True) -> Failure | None:
    """Play a seed's story; None if every promise was kept."""
    plan = plan_of(seed)
    story, broken = play(plan)
    if broken is None:
        return None
    failure = Failure(plan, broken, story)
    return shrunk(failure) if cut else failure


def shrunk(failure: Failure) -> Failure:
    """Leave out what the same promise is broken without, act by act, until nothing more can go."""
    n = len(failure.plan.acts)
    while n > 0:
        n = min(n, len(failure.plan.acts)) - 1
        acts = failure.plan.acts[:n] + failure.plan.acts[n + 1 :]
        plan = failure.plan._replace(acts=acts)
        story, broken = play(plan)
        if broken is not None and broken.promise == failure.broken.promise:
            failure = Failure(plan, broken, story)
    return failure


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(dir=RAM_DISK if RAM_DISK.exists() else None) as folder:
        yield Path(folder)


@contextmanager
def _silence() -> Iterator[None]:
    """Faults are logged as errors, thousands of them."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
