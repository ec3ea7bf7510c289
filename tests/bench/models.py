"""What simulating costs: messages a second on the real core, beside Ciw and salabim."""

import gc
import resource
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median

import ciw
import numpy as np
import salabim

from simulations.latency import Constant
from simulations.model import simulate
from simulations.scenario import load
from simulations.sweep import Sweep, run_sweep
from simulations.weather import Climate, Failures, Weather
from simulations.workload import Workload, plain
from tests.bench.report import Figure
from waqcore.core.message import Priority
from waqcore.core.policy import Policy, Sender

PACE_S = 10.0
LOAD = 0.8
"""Of three classes together, in equal shares."""
MESSAGES = 100_000
SALABIM_MESSAGES = 10_000
"""Fewer: it takes some seconds for these."""
ROUNDS = 3
MILLION = 1_000_000
CELLS = 24
LATENCY_US = 400_000
SENDERS = (Sender("sender-0", "bench", Policy(guard_us=0)),)


def run(_: Path) -> list[Figure]:
    """Measure everything in one run."""
    rates = [
        (
            MESSAGES / _seconds(lambda: _model(MESSAGES, 0.0)),
            MESSAGES / _seconds(lambda: _model(MESSAGES, 0.1)),
            MESSAGES / _seconds(_ciw),
            SALABIM_MESSAGES / _seconds(_salabim),
        )
        for _ in range(ROUNDS)
    ]
    plain_rate, retry_rate, ciw_rate, salabim_rate = (
        median(column) for column in zip(*rates, strict=True)
    )
    beside_ciw = median(ours / theirs for ours, _, theirs, _ in rates)
    beside_salabim = median(ours / theirs for ours, _, _, theirs in rates)
    what = "the same three-class M/D/1"
    return [
        _at_least(
            "simulation, no failures", plain_rate, "messages/s", 80_000, "load 0.8, recorded"
        ),
        _at_least(
            "simulation, 10 % of calls fail", retry_rate, "messages/s", 50_000, "recorded too"
        ),
        _at_least("simulation beside Ciw", beside_ciw, "×", 2, f"{ciw_rate:,.0f}/s for {what}"),
        _at_least(
            "simulation beside salabim",
            beside_salabim,
            "×",
            20,
            f"{salabim_rate:,.0f}/s for {what}",
        ),
        _memory(),
        _both_cores(),
    ]


def _at_least(name: str, value: float, unit: str, bar: float, detail: str) -> Figure:
    return Figure(name=name, value=value, unit=unit, bar=bar, at_least=True, detail=detail)


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _given(messages: int) -> Workload:
    rng = np.random.default_rng(1)
    at = np.cumsum(rng.exponential(PACE_S / LOAD * 1e6, messages)).astype(np.int64)
    classes = rng.choice([Priority.HIGH, Priority.NORMAL, Priority.LOW], messages)
    return plain(at, classes.astype(np.int64))


def _model(messages: int, failing: float) -> None:
    climate = Climate(latency=Constant(us=LATENCY_US), failures=Failures(not_sent=failing))
    weather = Weather(
        climate,
        messages,
        latency_rng=np.random.default_rng(2),
        outcomes_rng=np.random.default_rng(3),
    )
    simulate(_given(messages), weather, SENDERS)


def _ciw() -> None:
    classes = ("high", "normal", "low")
    network = ciw.create_network(
        arrival_distributions={one: [ciw.dists.Exponential(LOAD / PACE_S / 3)] for one in classes},
        service_distributions={one: [ciw.dists.Deterministic(PACE_S)] for one in classes},
        number_of_servers=[1],
        priority_classes={one: n for n, one in enumerate(classes)},
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(MESSAGES, method="Finish")
    assert len(simulation.get_all_records()) >= MESSAGES


def _salabim() -> None:
    salabim.yieldless(False)  # noqa: FBT003  # Its signature: processes as generators.
    env = salabim.Environment(trace=False, random_seed=1)
    server = salabim.Resource("server", env=env)

    class Message(salabim.Component):  # type: ignore[misc]
        def process(self):  # type: ignore[no-untyped-def]
            yield self.request((server, 1, self.priority_))
            yield self.hold(PACE_S)
            self.release()

    class Source(salabim.Component):  # type: ignore[misc]
        def process(self):  # type: ignore[no-untyped-def]
            rng = np.random.default_rng(1)
            for gap, class_ in zip(
                rng.exponential(PACE_S / LOAD, SALABIM_MESSAGES),
                rng.integers(0, 3, SALABIM_MESSAGES),
                strict=True,
            ):
                yield self.hold(float(gap))
                Message(env=env).priority_ = int(class_)

    Source(env=env)
    env.run()


def _memory() -> Figure:
    # In a process of its own: what others have left behind does not count.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        peak = pool.submit(_peak_mb_of_a_million).result()
    return Figure(
        name="1,000,000 messages in one run, peak memory",
        value=peak,
        unit="MB",
        bar=2**30 / 1e6,
        at_least=False,
        detail="of a process of its own; the bar is 1 GiB",
    )


def _peak_mb_of_a_million() -> float:
    _model(MILLION, 0.0)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 / 1e6


def _both_cores() -> Figure:
    sweep = Sweep(scenario=load("2000-in-a-minute"), grid={}, replications=CELLS)
    with ProcessPoolExecutor(1) as one, ProcessPoolExecutor(2) as two:
        for pool in (one, two):  # Workers that have started and imported everything.
            run_sweep(replace(sweep, replications=2), executor=pool)
        rounds = [
            (
                _seconds(lambda: run_sweep(sweep, executor=one)),
                _seconds(lambda: run_sweep(sweep, executor=two)),
            )
            for _ in range(ROUNDS)
        ]
    return _at_least(
        "a sweep on two cores, beside one",
        median(alone / together for alone, together in rounds),
        "×",
        1.7,
        f"{CELLS} runs of 4,000 messages",
    )
