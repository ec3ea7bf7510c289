"""Two hosts with a network of their own: one is cut off from the database, and comes back.

It can still reach the gateway: only its lease keeps it from calling.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.chaos.application import Application
from tests.chaos.dispatch import HOST
from tests.chaos.evidence import Call, InFlight, Witness
from tests.chaos.judge import judge
from tests.chaos.network import Network, NoNetworkError, network
from tests.chaos.stage import Process, Stage, now_us, staged
from tests.postgres import Postgres, server

DATABASE, GATEWAY = "database", "gateway"
HOSTS = ("host1", "host2")
PACE_S = 0.5
SENDERS = 6
TAKEOVER_S = 15.0
BACK_S = 15.0
"""As long as others would take: one that is back must not be longer away than one that died."""
SETTLED_S = 1.0
"""For what had left before a cut to have arrived."""
STUCK_S = 30.0
LOOK_S = 0.05

_LEASE_LEFT = """
SELECT lease_until - offset_us - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
FROM waq_dispatcher, waq_clock WHERE process LIKE %s
"""
_WAITING = """
SELECT host(client_addr) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND client_addr IS NOT NULL
"""
_HOLD = b"LOCK TABLE waq_message IN EXCLUSIVE MODE"
"""Lanes are locked before messages are: with this held, turns stand still with their lanes."""


class Cut:
    """A host that was cut off from the database, and what it had in flight then."""

    def __init__(self, host: str, errors: int) -> None:
        self.host = host
        self.errors = errors
        """How many errors the dispatchers had logged before."""
        self.at_us = now_us()
        self.lease_end_us = 0
        self.healed_us = 0
        self.caught: list[InFlight] = []


class Scene:
    """What happens to the two hosts."""

    def __init__(self, net: Network, postgres: Postgres, url: str, stage: Stage) -> None:
        self.stage = stage
        self.witness = Witness(stage.url, url)
        self.cuts: list[Cut] = []
        self._net = net
        self._postgres = postgres
        self._url = url
        there = make_url(url).set(host=net.address(DATABASE), query={}).render_as_string()
        self.processes = {name: self._host(name, there) for name in HOSTS}

    def start(self) -> None:
        """Let both dispatch."""
        for process in self.processes.values():
            process.warm_up()
            process.go()
        self._await("both at work", lambda: self.witness.dispatchers() == len(HOSTS))
        self._await("every sender called", lambda: set(self.stage.senders) <= self._called(0))

    def cut_in_a_call(self) -> Cut:
        """Cut a host off as soon as it is seen in a call; nothing gets through either way."""
        while not (calling := [one for one in self.witness.in_flight() if one.begun]):
            time.sleep(LOOK_S)
        host = self._host_of(calling[0])
        cut = Cut(host, self.stage.errors())
        self._net.cut(host, DATABASE)
        return self._noted(cut)

    def mute_in_a_turn(self) -> Cut:
        """Cut a host off that has lanes locked; what it says arrives, and no answer reaches it."""
        with psycopg.connect(self._url) as holder:
            holder.execute(_HOLD)
            while not (held := holder.execute(_WAITING).fetchall()):
                time.sleep(LOOK_S)
            host = next(name for name in HOSTS if self._net.address(name) == held[0][0])
            cut = Cut(host, self.stage.errors())
            self._net.mute(DATABASE, host)
        return self._noted(cut)

    def taken_over(self, cut: Cut) -> None:
        """Wait until the other has called for every sender and the one that was cut off has found
        its connections and its lease gone, which is when it may do something foolish; then heal."""
        other = self.other(cut)
        served = self._called_by(other, cut.at_us)
        self._await("taken over", lambda: served() == set(self.stage.senders))
        self._await("the lease over", lambda: now_us() > cut.lease_end_us)
        self._await("the cut noticed", lambda: self.stage.errors() > cut.errors)
        time.sleep(SETTLED_S)
        self._net.heal()
        cut.healed_us = now_us()

    def back_alone(self, cut: Cut) -> None:
        """Stop the other: the one that was cut off has every lane to serve."""
        other = self.processes[self.other(cut)]
        other.signal(signal.SIGTERM)
        assert other.ends(within_s=STUCK_S) == 0
        served = self._called_by(cut.host, cut.healed_us)
        self._await("it is back", lambda: served() == set(self.stage.senders))
        other.go()

    def finish(self) -> None:
        """Let both empty the queue and stop."""
        self._await("all sent", lambda: self.witness.unended() == 0)
        for process in self.processes.values():
            process.signal(signal.SIGTERM)
        assert [process.ends(within_s=STUCK_S) for process in self.processes.values()] == [0, 0]

    def calls(self) -> list[Call]:
        """What the gateway has got."""
        with self._net.at(GATEWAY):
            return self.witness.calls()

    def calls_of(self, host: str) -> list[Call]:
        """What the gateway has got from a host."""
        return [call for call in self.calls() if call.client == self._net.address(host)]

    def other(self, cut: Cut) -> str:
        """The host that was not cut off."""
        return next(name for name in HOSTS if name != cut.host)

    def _noted(self, cut: Cut) -> Cut:
        """Note what the cut has left, once whatever was on its way has arrived."""
        time.sleep(SETTLED_S)
        pid = self.processes[cut.host].pid
        with psycopg.connect(self._url) as look:
            ((left_us,),) = look.execute(_LEASE_LEFT, (f"{pid}/%",)).fetchall()
        cut.lease_end_us = now_us() + left_us
        cut.caught = [one for one in self.witness.in_flight() if one.begun and one.pid == pid]
        self.cuts.append(cut)
        return cut

    def _host(self, name: str, database_url: str) -> Process:
        self._postgres.let_in(self._net.address(name))
        with self._net.at(name):
            return self.stage.warm(**{HOST: name, "WAQ_DATABASE_URL": database_url})

    def _host_of(self, one: InFlight) -> str:
        return next(name for name, process in self.processes.items() if process.pid == one.pid)

    def _called(self, since_us: int) -> set[str]:
        return {call.sender for call in self.calls() if call.arrived_us > since_us}

    def _called_by(self, host: str, since_us: int) -> Callable[[], set[str]]:
        return lambda: {c.sender for c in self.calls_of(host) if c.arrived_us > since_us}

    def _await(self, what: str, happened: Callable[[], bool]) -> None:
        until = time.monotonic() + STUCK_S
        while not happened():
            assert time.monotonic() < until, f"{what}: not yet: {self.stage.complaints.read_text()}"
            time.sleep(LOOK_S)


@contextmanager
def _scene(folder: Path) -> Iterator[Scene]:
    with ExitStack() as stack:
        try:
            net = stack.enter_context(network(DATABASE, GATEWAY, *HOSTS))
        except NoNetworkError as error:
            pytest.skip(str(error))
        with net.at(DATABASE):
            listening = f"listen_addresses={net.address(DATABASE)}"
            postgres = stack.enter_context(server(None, listening))
        url = stack.enter_context(postgres.database())
        with net.at(GATEWAY):
            staging = staged(
                folder,
                pace_s=PACE_S,
                senders=SENDERS,
                database_url=url,
                host=net.address(GATEWAY),
            )
            stage = stack.enter_context(staging)
        scene = Scene(net, postgres, url, stage)
        stack.callback(scene.witness.close)
        yield scene


@contextmanager
def _handing_over(stage: Stage) -> Iterator[Application]:
    application = Application(stage, seed=6)
    application.start()
    try:
        yield application
    finally:
        application.stop()


def test_a_host_cut_off_from_the_database_calls_no_more_the_other_takes_over_and_it_comes_back(
    tmp_path: Path,
) -> None:
    with _scene(tmp_path) as scene:
        with _handing_over(scene.stage) as application:
            scene.start()
            for cut_one_off in (scene.cut_in_a_call, scene.mute_in_a_turn):
                cut = cut_one_off()
                scene.taken_over(cut)
                scene.back_alone(cut)
        scene.finish()

        caught = Counter(one.id for cut in scene.cuts for one in cut.caught)
        found = judge(
            application.handed,
            scene.witness.rows(),
            scene.calls(),
            caught,
            pace_us=scene.stage.pace_us,
            ended=True,
            told_late=caught,
        )
        assert found.problems == []
        assert scene.witness.torn() == []
        assert scene.cuts[0].caught  # Else nobody would have had anything to fear from it.
        for cut in scene.cuts:
            mine = [call.arrived_us for call in scene.calls_of(cut.host)]
            assert [at for at in mine if cut.lease_end_us < at < cut.healed_us] == []
            others = scene.calls_of(scene.other(cut))
            assert _longest_s(others, cut.at_us, scene.stage.senders) <= TAKEOVER_S
            assert (min(at for at in mine if at > cut.healed_us) - cut.healed_us) / 1e6 <= BACK_S


def _longest_s(calls: list[Call], since_us: int, senders: tuple[str, ...]) -> float:
    """How long the sender that waited longest had to wait for its next call."""
    first = [
        min(c.arrived_us for c in calls if c.sender == sender and c.arrived_us > since_us)
        for sender in senders
    ]
    return (max(first) - since_us) / 1e6
