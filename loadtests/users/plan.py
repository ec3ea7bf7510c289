"""What Locust's users are told: options of its command line, or the environment."""

from argparse import Namespace
from pathlib import Path
from random import Random
from typing import NamedTuple

from locust.argument_parser import LocustArgumentParser

from loadtests.shapes import SHAPES

TOKEN = "LOAD_API_TOKEN"
"""The environment variable with the API's token, which must not be on a command line."""
XENDIT_TOKEN = "LOAD_XENDIT_TOKEN"
ADMIN_PASSWORD = "LOAD_ADMIN_PASSWORD"
GRACE_S = 2.0
"""Before the first arrival, so that every user is there."""


class Plan(NamedTuple):
    """One run's orders."""

    folder: Path
    shape: str
    people: int
    seconds: float
    tail_s: float
    seed: int
    hands: int
    pay_after_s: float
    senders: tuple[str, ...]
    workers: int

    def arrivals(self, worker: int, workers: int) -> list[float]:
        """When this worker's share of the people arrive: every n-th of them."""
        chance = Random(f"arrivals {self.seed}")
        return SHAPES[self.shape](self.people, self.seconds, chance)[worker::workers]

    @property
    def ends_s(self) -> float:
        """When the run is over, in seconds from its start."""
        return GRACE_S + self.seconds + self.tail_s


def add_options(parser: LocustArgumentParser) -> None:
    """Put the orders on Locust's command line."""
    group = parser.add_argument_group("waqcore load test")

    def add(name: str, default: str | float, say: str) -> None:
        variable = f"LOAD_{name.upper().replace('-', '_')}"
        group.add_argument(
            f"--{name}", type=type(default), default=default, env_var=variable, help=say
        )

    add("run-dir", ".", "where acknowledged.jsonl is kept")
    add("shape", "within", f"when people arrive: {', '.join(SHAPES)}")
    add("people", 200, "how many register")
    add("seconds", 60.0, "within how long")
    add("tail", 5.0, "seconds that the others go on after the last arrival")
    add("seed", 0, "of all chance")
    add("hands", 50, "the ceiling: registrations under way at once, on one worker")
    add("pay-after", 5.0, "mean seconds from a registration to its payment")
    add("senders", "", "the numbers that people are sent from, by comma; none: the service's own")
    add("of-workers", 1, "how many workers share the people: the master tells them")


def of_options(options: Namespace) -> Plan:
    """The orders on a command line."""
    return Plan(
        folder=Path(options.run_dir),
        shape=options.shape,
        people=options.people,
        seconds=options.seconds,
        tail_s=options.tail,
        seed=options.seed,
        hands=options.hands,
        pay_after_s=options.pay_after,
        senders=tuple(filter(None, options.senders.split(","))),
        workers=options.of_workers,
    )
