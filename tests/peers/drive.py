"""`python -m tests.peers.drive ADAPTER COMMAND …`: a peer's own process, in its own environment.

Commands, each of which prints one line of JSON: `prepare`; `enqueue FIRST COUNT`;
`measure one|many FIRST`; `fill FIRST COUNT SECONDS`; `work`, which never ends.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable
from typing import cast

from tests.peers.peer import BATCH, Adapter, Producer, setting

ROUNDS = 5
ROUND_S = 1.0
ROUND_MESSAGES_MAX = 1_000
"""So that measuring an empty queue does not fill it."""
ROUND_BATCHES_MAX = 10


def main() -> None:
    """Do as told."""
    adapter = cast(Adapter, importlib.import_module(f"tests.peers.adapters.{sys.argv[1]}"))
    command, *arguments = sys.argv[2:]
    if command == "prepare":
        adapter.prepare(setting())
        said: dict[str, object] = {}
    elif command == "work":
        adapter.work(setting())
        said = {"ended": True}
    else:
        with adapter.producing(setting()) as producer:
            said = _COMMANDS[command](producer, arguments)
    print(json.dumps(said), flush=True)


def enqueue(producer: Producer, arguments: list[str]) -> dict[str, object]:
    """Hand over COUNT messages numbered from FIRST, one by one."""
    first, count = map(int, arguments)
    for number in range(first, first + count):
        producer.one(number)
    return {"count": count}


def measure(producer: Producer, arguments: list[str]) -> dict[str, object]:
    """Messages per second in a few rounds, and how many it took; numbered from FIRST."""
    how, first = arguments[0], int(arguments[1])
    if how == "many" and producer.many is None:
        return {"rates": None, "count": 0}
    done, rates = 0, []
    hand_over, size, calls_max = (
        (producer.one, 1, ROUND_MESSAGES_MAX)
        if how == "one"
        else (_batch(producer), BATCH, ROUND_BATCHES_MAX)
    )
    # Connections and caches are made by the first call, which is not measured.
    hand_over(first)
    done += size
    for _ in range(ROUNDS):
        calls, began, took_s = 0, time.perf_counter(), 0.0
        while calls < calls_max and took_s < ROUND_S:
            hand_over(first + done)
            done += size
            calls += 1
            took_s = time.perf_counter() - began
        rates.append(calls * size / took_s)
    return {"rates": rates, "count": done}


def fill(producer: Producer, arguments: list[str]) -> dict[str, object]:
    """Hand over COUNT messages as fast as it goes, within SECONDS."""
    first, count, within_s = int(arguments[0]), int(arguments[1]), float(arguments[2])
    hand_over, size = (producer.one, 1) if producer.many is None else (_batch(producer), BATCH)
    done, until = 0, time.perf_counter() + within_s
    while done < count and time.perf_counter() < until:
        hand_over(first + done)
        done += size
    return {"count": done}


def _batch(producer: Producer) -> Callable[[int], object]:
    many = producer.many
    assert many is not None
    return lambda first: many(range(first, first + BATCH))


_COMMANDS = {"enqueue": enqueue, "measure": measure, "fill": fill}

if __name__ == "__main__":
    main()
