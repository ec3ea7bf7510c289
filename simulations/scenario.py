"""A scenario: who comes, what each brings, how the gateway behaves, and by which rules to send.

Scenarios are TOML files; those beside this module go by their names. `load` reads one, `changed`
gives it other numbers, `play` runs it.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from simulations import climate, mix, parts, rules
from simulations.mix import Fleet, Flow
from simulations.model import simulate
from simulations.run import Run
from simulations.settable import settle_path, with_value
from simulations.trace import Trace
from simulations.weather import Climate, Weather
from simulations.workload import Workload
from simulations.written import ScenarioError, Table
from waqcore.core.policy import Policy, Sender

FOLDER = Path(__file__).parent / "scenarios"

ACCOUNT = "simulated"
"""All senders are on one gateway address and key, as a site's own are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A scenario, read and checked; instants in microseconds since the epoch."""

    name: str
    title: str
    starts_at: int
    utc_offset_us: int
    """What local time is ahead of UTC: for quiet hours and for showing instants."""
    warm_up_us: int
    """Messages enqueued before this has passed are left out of a summary's waits. 0: all count,
    as they do wherever the run is the whole story, such as a registration burst."""
    flows: tuple[Flow, ...]
    climate: Climate
    policy: Policy
    fleet: Fleet
    file: Path
    written: Mapping[str, object] = field(repr=False)
    """The file as it was read, for `changed`."""

    @property
    def fingerprint(self) -> str:
        """What tells two scenarios apart: everything written, and the traces it names."""
        digest = hashlib.sha256(json.dumps(self.written, sort_keys=True, default=str).encode())
        for flow in self.flows:
            if isinstance(flow.arrivals, Trace):
                digest.update(flow.arrivals.path.read_bytes())
        return digest.hexdigest()


class Streams(NamedTuple):
    """Independent chance for each purpose, so that a draw more in one moves no other."""

    arrivals: np.random.Generator
    mix: np.random.Generator
    latency: np.random.Generator
    outcomes: np.random.Generator
    policy: int
    """The dispatcher's own seed: of backoff and jitter."""


def streams(seed: int | np.random.SeedSequence) -> Streams:
    """The streams of a seed; the same seed gives the same ones, however often it is asked."""
    given = np.random.SeedSequence(seed) if isinstance(seed, int) else seed
    # Spawning changes the sequence it is asked of: only a copy gives the same children again.
    root = np.random.SeedSequence(given.entropy, spawn_key=given.spawn_key)
    *numpy, policy = root.spawn(5)
    arrivals, mixing, latency, outcomes = map(np.random.default_rng, numpy)
    return Streams(arrivals, mixing, latency, outcomes, int(policy.generate_state(1, np.uint64)[0]))


class Prepared(NamedTuple):
    """What a run needs; any policy may be run on it, and meets the same people and weather."""

    workload: Workload
    gateway: Weather
    policy_seed: int


def prepare(scenario: Scenario, seed: int | np.random.SeedSequence = 0) -> Prepared:
    """Draw everything that chance decides."""
    drawn = streams(seed)
    workload = mix.messages(
        scenario.flows,
        scenario.fleet,
        starts_at=scenario.starts_at,
        arrivals_rng=drawn.arrivals,
        mix_rng=drawn.mix,
    )
    gateway = Weather(
        scenario.climate,
        len(workload),
        latency_rng=drawn.latency,
        outcomes_rng=drawn.outcomes,
    )
    return Prepared(workload, gateway, drawn.policy)


def play(scenario: Scenario, seed: int | np.random.SeedSequence = 0) -> Run:
    """Run a scenario to its end: until nothing is left to send."""
    workload, gateway, policy_seed = prepare(scenario, seed)
    senders = [Sender(number, ACCOUNT, scenario.policy) for number in scenario.fleet.numbers]
    return simulate(
        workload,
        gateway,
        senders,
        seed=policy_seed,
        utc_offset_us=scenario.utc_offset_us,
    )


def names() -> list[str]:
    """The scenarios that come with this package."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str | Path) -> Scenario:
    """Read a scenario by its name, or from a file whose name ends in `.toml`.

    Raises:
        ScenarioError: there is none, or it cannot be run as it is written.
    """
    path = Path(name)
    if path.suffix != ".toml":
        if str(name) not in names():
            raise ScenarioError(
                f"there is no scenario {str(name)!r}: write one of {', '.join(names())}, "
                "or a path that ends in .toml"
            )
        path = FOLDER / f"{name}.toml"
    try:
        with path.open("rb") as opened:
            written = tomllib.load(opened)
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: is not TOML: {error}") from None
    return read(written, path)


def read(written: Mapping[str, object], file: Path) -> Scenario:
    """Check what a file says.

    Raises:
        ScenarioError: a key or a value of it; the text says what to write instead.
    """
    table = Table(written, file.name)
    starts_at, utc_offset_us = table.instant("starts_at")
    policy_table = table.table("policy")
    policy, fleet = rules.policy(policy_table), rules.fleet(policy_table)
    policy_table.end()
    scenario = Scenario(
        name=file.stem,
        title=table.text("title", "one line that says what happens"),
        starts_at=starts_at,
        utc_offset_us=utc_offset_us,
        warm_up_us=table.duration("warm_up_s", 0),
        flows=parts.flows(
            table.table("arrivals"),
            folder=file.parent,
            starts_at=starts_at,
            utc_offset_us=utc_offset_us,
        ),
        climate=climate.climate(
            table.table("weather"), starts_at=starts_at, senders=len(fleet.numbers)
        ),
        policy=policy,
        fleet=fleet,
        file=file,
        written=written,
    )
    table.end()
    if not scenario.flows:
        raise table.wrong("arrivals", "at least one: [arrivals.registrations]")
    return scenario


def changed(scenario: Scenario, settings: Mapping[str, object]) -> Scenario:
    """The same scenario with other numbers: `{"pace": 8, "registrations.users": 500}`.

    A key is that of the file, whole (`policy.pace_s`) or its last part where no other ends so, with
    or without `_s`.

    Raises:
        ScenarioError: there is no such key, or its value cannot be read.
    """
    written = scenario.written
    for key, value in settings.items():
        written = with_value(written, settle_path(written, key), value)
    return read(written, scenario.file)
