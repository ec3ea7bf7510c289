"""Whether the dispatcher of a process name is dead: known at once on its own host."""

import os
import subprocess
import sys
from pathlib import Path

from tests.store.hand import HandClock, join, open_store, rows
from waqcore.dispatcher.process import is_dead, this_process
from waqcore.store import presence


def test_this_process_is_alive_under_its_own_name() -> None:
    assert not is_dead(this_process(HandClock()).name)


def test_a_process_that_has_ended_is_dead_though_nobody_waited_for_it() -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from tests.store.hand import HandClock; "
            "from waqcore.dispatcher.process import this_process; "
            "print(this_process(HandClock()).name, flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    name = process.stdout.readline().strip()
    alive = not is_dead(name)

    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # Ended, and left as a zombie.
    dead = is_dead(name)
    process.communicate()

    assert alive
    assert dead
    assert is_dead(name)


def test_a_process_id_used_again_is_not_mistaken() -> None:
    pid, _, _started = this_process(HandClock()).name.partition("/")

    assert is_dead(f"{pid}/1")


def test_hosts_of_two_boots_are_two(tmp_path: Path) -> None:
    hosts = {this_process(HandClock(boot)).host for boot in ("boot-1", "boot-2")}

    assert len(hosts) == 2


def test_only_the_dead_of_this_host_are_taken_out(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    for name in ("d1", "d2"):
        join(store, name)

    buried = store.write(lambda connection: presence.bury(connection, "host", lambda n: n == "d1"))
    elsewhere = store.write(lambda connection: presence.bury(connection, "other", lambda _: True))

    assert (buried, elsewhere) == (1, 0)
    assert rows(store, "SELECT id FROM waq_dispatcher") == [("d2",)]
    store.close()


def test_the_living_are_those_whose_lease_runs(tmp_path: Path) -> None:
    clock = HandClock()
    store = open_store(tmp_path, clock)
    join(store, "d1")
    clock.advance(10)
    join(store, "d2")
    clock.advance(6)

    alive = store.read(lambda connection: presence.alive(connection, store.now()))

    assert [one.id for one in alive] == ["d2"]
    store.close()
