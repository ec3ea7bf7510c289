"""waqcore itself, by its public queue and its own command.

Paced runs are `waq dispatch` on MPWA's wire, as shipped. No-op jobs have no wire, so there the
dispatcher is given a gateway that accepts at once.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.peers.job import deliver
from tests.peers.peer import BODY, KEYS, Producer, Setting
from waqcore import Draft, Queue
from waqcore.clock import SystemClock
from waqcore.core.outcome import Accepted
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.gateways.gateway import Call
from waqcore.gateways.sandbox import Sandbox
from waqcore.senders import fleet
from waqcore.settings import Settings
from waqcore.store.presence import Process
from waqcore.store.store import Store

FIRST_SENDER = 628_000_000_000


def prepare(told: Setting) -> None:
    """Make the tables."""
    Queue.from_env(_environ(told)).close()


@contextmanager
def producing(told: Setting) -> Iterator[Producer]:
    """Enqueue for one sender, or without pace for all of them in turn."""
    numbers = [str(FIRST_SENDER + n) for n in range(told.keys or _senders(told))]

    def draft(number: int) -> Draft:
        sender = numbers[number % len(numbers)]
        return Draft(to=f"0812{number:08d}", body=f"{number} {BODY}", sender=sender)

    def one(number: int) -> None:
        sender = numbers[number % len(numbers)]
        queue.enqueue(f"0812{number:08d}", f"{number} {BODY}", sender=sender)

    with Queue.from_env(_environ(told)) as queue:
        yield Producer(one=one, many=lambda some: queue.enqueue_many(map(draft, some)))


def work(told: Setting) -> None:
    """Dispatch."""
    if told.tally:
        asyncio.run(_tally(told))
    else:
        waq = Path(sys.executable).with_name("waq")
        os.execve(waq, [str(waq), "dispatch"], {**os.environ, **_environ(told)})


async def _tally(told: Setting) -> None:
    settings = Settings.from_env(_environ(told))
    senders = fleet(settings, _environ(told))
    store = Store(
        settings.database_url, senders.senders, clock=SystemClock(), timezone=settings.zone()
    )

    def accept(_call: Call, _number: int) -> Accepted:
        deliver(0)
        return Accepted()

    with ThreadPoolExecutor(2) as threads:

        async def execute(work: Any) -> Any:
            return await asyncio.get_running_loop().run_in_executor(threads, work)

        dispatcher = Dispatcher(
            store,
            {account: Sandbox(accept, kept_calls=0) for account in senders.accounts},
            id_=f"bench-{os.getpid()}",
            process=Process("bench", str(os.getpid())),
            execute=execute,
        )
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, dispatcher.stop)
        await dispatcher.run()
    store.close()


def _senders(told: Setting) -> int:
    # Without pace, too, a sender has one call in flight: there is no work but keyed work.
    return KEYS if told.tally else 1


def _environ(told: Setting) -> dict[str, str]:
    numbers = [str(FIRST_SENDER + n) for n in range(_senders(told))]
    place = told.place if "://" in told.place else f"sqlite:///{told.place}"
    environ = {
        "WHATSAPP_SENDER": numbers[0],
        "WAQ_SENDERS": ",".join(numbers[1:]),
        "WHATSAPP_API_KEY": "bench",
        "WAQ_PACE_SECONDS": str(told.pace_s),
        "WAQ_DATABASE_URL": place,
    }
    if told.tally:
        return {**environ, "WAQ_GATEWAY": "sandbox", "WAQ_GUARD_MS": "0"}
    return {**environ, "WAQ_GATEWAY_URL": told.sink}
