"""Clients that enqueue again and again, each over a connection of its own, in a process.

Reads a line to begin; writes how many messages were acknowledged.
"""

import argparse
import os
import sys
import threading
import time
from contextlib import ExitStack

from tests.bench.setting import BODY
from waqcore import Queue

READY = "ready"


def main() -> None:
    """Enqueue for so long, from so many threads."""
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("pause_s", type=float, help="of each client, after each message")
    parser.add_argument("first", type=int)
    parser.add_argument("senders", nargs="+", help="one for each client, by turns")
    given = parser.parse_args()
    counts = [0] * len(given.senders)
    with ExitStack() as stack:
        queues = [stack.enter_context(Queue.from_env(os.environ)) for _ in given.senders]
        print(READY, flush=True)
        sys.stdin.readline()
        ends = time.monotonic() + given.seconds

        def enqueue(n: int) -> None:
            while time.monotonic() < ends:
                number = f"0812{given.first + n:03d}{counts[n] % 100_000:05d}"
                queues[n].enqueue(number, BODY, sender=given.senders[n])
                counts[n] += 1
                time.sleep(given.pause_s)

        threads = [threading.Thread(target=enqueue, args=(n,)) for n in range(len(counts))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(sum(counts), flush=True)


if __name__ == "__main__":
    main()
