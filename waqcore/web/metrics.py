"""`/metrics`: what Prometheus asks for, read off the database, so that all processes agree."""

import threading
import time
from collections.abc import Callable, Iterator

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from waqcore.core.instants import seconds
from waqcore.core.message import Priority
from waqcore.queue import Queue
from waqcore.status import Accuracy, accuracy_of, conditions
from waqcore.store import measures, presence
from waqcore.store.measures import Waiting
from waqcore.tokens import Scope
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires
from waqcore.web.tally import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH_S = 1.0
"""How long what was read is told again: counting a long queue takes a while."""


class Metrics(Collector):
    """Collects what the database says. Senders are labels; recipients never are."""

    def __init__(self, queue: Queue, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._queue = queue
        self._clock = clock
        self._tally = Tally(queue.store.now().wall)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._mutex = threading.Lock()
        self._told = b""
        self._told_at = -FRESH_S

    def exposition(self) -> bytes:
        """The metrics as Prometheus reads them.

        Raises:
            StoreError, SQLAlchemyError: the database cannot be read.
        """
        with self._mutex:
            if self._clock() - self._told_at >= FRESH_S:
                self._told = generate_latest(self._registry)
                self._told_at = self._clock()
            return self._told

    def describe(self) -> Iterator[Metric]:
        """Nothing: names need no look at the database before they are asked for."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """Read the database."""
        while self._queue.store.read(self._take_calls):
            pass
        yield from self._queue.store.read(lambda connection: list(self._read(connection)))
        yield from self._calls()

    def _take_calls(self, connection: Connection) -> bool:
        return self._tally.take(measures.ended(connection, self._tally.reads_from))

    def _read(self, connection: Connection) -> Iterator[Metric]:
        store = self._queue.store
        now = store.now()
        waiting = measures.waiting(connection, now)
        yield from _lengths(waiting)
        yield _oldest(waiting, now.wall)
        yield _reviewed(measures.reviewed(connection))
        yield _conditions(conditions(connection, store, _due(waiting)))
        alive = len(presence.alive(connection, now))
        yield GaugeMetricFamily("waq_dispatchers", "Dispatchers that are alive.", value=alive)
        yield from _accuracy(accuracy_of(connection, now))

    def _calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "waq_calls", "Calls to the gateway that have ended.", labels=["sender", "outcome"]
        )
        for (sender, outcome), n in sorted(self._tally.outcomes.items()):
            calls.add_metric([sender, outcome], n)
        yield calls
        waits = HistogramMetricFamily(
            "waq_wait_seconds",
            "From when a message was first due to the start of its first call.",
            labels=["priority"],
        )
        for priority, histogram in self._tally.waits.items():
            waits.add_metric([priority.word], histogram.buckets(), histogram.sum_s)
        yield waits
        took = self._tally.calls
        yield HistogramMetricFamily(
            "waq_call_seconds", "How long calls took.", took.buckets(), took.sum_s
        )
        gaps = GaugeMetricFamily(
            "waq_smallest_gap_seconds",
            "The smallest between the starts of two calls since this process began.",
            labels=["sender"],
        )
        for sender, gap_s in sorted(self._tally.gaps_s.items()):
            gaps.add_metric([sender], gap_s)
        yield gaps


def _lengths(waiting: list[Waiting]) -> Iterator[Metric]:
    labels = ["sender", "priority"]
    queued = GaugeMetricFamily("waq_queued_messages", "Queued, scheduled ones too.", labels=labels)
    later = GaugeMetricFamily("waq_scheduled_messages", "Queued for later.", labels=labels)
    for one in waiting:
        of = [one.sender, Priority(one.priority).word]
        queued.add_metric(of, one.queued)
        later.add_metric(of, one.scheduled)
    yield queued
    yield later


def _oldest(waiting: list[Waiting], wall: int) -> Metric:
    ages = GaugeMetricFamily(
        "waq_oldest_due_age_seconds",
        "How long the message that is due for longest has been; absent: none is due.",
        labels=["sender"],
    )
    since: dict[str, int] = {}
    for one in waiting:
        if one.due_since is not None:
            since[one.sender] = min(one.due_since, since.get(one.sender, one.due_since))
    for sender, at in since.items():
        ages.add_metric([sender], seconds(max(0, wall - at)))
    return ages


def _due(waiting: list[Waiting]) -> dict[str, int]:
    due: dict[str, int] = {}
    for one in waiting:
        due[one.sender] = due.get(one.sender, 0) + one.queued - one.scheduled
    return due


def _reviewed(found: list[tuple[str, str, int]]) -> Metric:
    states = GaugeMetricFamily(
        "waq_messages", "Messages being sent, failed or unknown.", labels=["sender", "state"]
    )
    for sender, state, n in found:
        states.add_metric([sender, state], n)
    return states


def _conditions(by_sender: dict[str, str]) -> Metric:
    lanes = GaugeMetricFamily(
        "waq_lane", "1 for what each sender does, or why it does not.", labels=["sender", "state"]
    )
    for sender, condition in by_sender.items():
        lanes.add_metric([sender, condition], 1)
    return lanes


def _accuracy(fared: Accuracy | None) -> Iterator[Metric]:
    if fared is None:
        return
    yield GaugeMetricFamily(
        "waq_eta_error_seconds",
        "Between forecast and call, the median of the last 24 hours.",
        value=fared.off_s,
    )
    yield GaugeMetricFamily(
        "waq_eta_inside_ratio",
        "The share of calls of the last 24 hours that started inside their forecast's range.",
        value=fared.inside,
    )
    yield GaugeMetricFamily(
        "waq_eta_proved", "Forecasts that these are judged by.", value=fared.forecasts
    )


def route(measured: Metrics) -> HTTPRouteHandler:
    """Where Prometheus asks."""

    @get("/metrics", before_request=requires(Scope.READ), include_in_schema=False)
    async def metrics(backend: NamedDependency[Backend]) -> Response[bytes]:
        return Response(await backend.run(measured.exposition), media_type=CONTENT_TYPE)

    return metrics
