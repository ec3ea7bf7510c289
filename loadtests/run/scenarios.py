"""The load tests that have a name."""

from typing import NamedTuple


class Scenario(NamedTuple):
    """What a name stands for; options of the command line say otherwise."""

    said: str
    shape: str
    seconds: float
    """In which people arrive."""
    people: int | None = None
    """None: as many as keep the senders busy for four fifths of the time."""
    pace_s: float = 0.25
    senders: int = 2
    weather: str = "rough"
    """What goes wrong at the gateway: a file of `weather/`."""
    kills: int = 0
    drops: int = 0
    """How often the gateway is away for a while."""
    full_disks: int = 0
    """How often there is no room left for the database, for a while: needs root."""
    clock_steps: int = 0
    """How often the service's wall clock is set, forward or back: needs a C compiler."""
    calm: float = 0.0
    """The share of the time, at its end, in which nothing of that happens."""
    apart: bool = False
    """API and dispatcher are two processes, killed each for itself; else one."""
    acknowledge_p99_ms: float | None = None
    failed_share_shown: float | None = None
    """What the run must show that fewer messages than this fail for good: it takes thousands."""
    hands: int = 50
    """Registrations under way at once, at most, on each Locust worker."""


SCENARIOS = {
    "five": Scenario(
        "five people at once, at the real pace, nothing going wrong",
        "at-once",
        1.0,
        people=5,
        pace_s=10.0,
        senders=1,
        weather="fair",
    ),
    "minute": Scenario("200 people within a minute", "within", 60.0, people=200, senders=1),
    "burst": Scenario(
        "200 people within a second: 400 messages, p99 of the 202s below 300 ms",
        "at-once",
        1.0,
        people=200,
        senders=1,
        weather="fair",
        acknowledge_p99_ms=300.0,
        hands=200,
    ),
    "load": Scenario(
        "two minutes of an opening day with faults, kills and a gateway that goes away",
        "opening-day",
        75.0,
        kills=3,
        drops=1,
    ),
    "opening-day": Scenario(
        "a steep rise and a long tail, twice what two senders can take at its peak",
        "opening-day",
        300.0,
        kills=2,
        drops=1,
    ),
    "apart": Scenario(
        "API and dispatcher in processes of their own, each killed at times, and a full disk",
        "opening-day",
        90.0,
        kills=6,
        drops=1,
        full_disks=2,
        apart=True,
    ),
    "clock": Scenario(
        "two minutes in which the service's wall clock is set forward and back, and one kill",
        "opening-day",
        75.0,
        kills=1,
        clock_steps=5,
    ),
    "budget": Scenario(
        "thousands of messages, one call in ten fails: fewer than 1 % of them for good",
        "within",
        150.0,
        people=2_600,
        pace_s=0.1,
        senders=9,
        weather="tenth",
        failed_share_shown=0.01,
    ),
    "spike": Scenario("a quiet time with three moments in which everybody comes", "spike", 180.0),
    "soak": Scenario(
        "half an hour with faults and 60 kills, and ten minutes without kills",
        "soak",
        2_400.0,
        kills=60,
        drops=4,
        calm=0.25,
        senders=4,
    ),
}
