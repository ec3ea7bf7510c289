"""How many messages a second the dispatcher itself can do: 1,000 lanes, no pace, a null gateway."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.bench.report import Figure
from tests.bench.setting import fill, store
from waqcore.core.outcome import Accepted
from waqcore.core.policy import Policy
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.gateways.gateway import Call
from waqcore.gateways.sandbox import Sandbox
from waqcore.store.presence import Process
from waqcore.store.store import Store

LANES = 1_000
MESSAGES = 30_000


def run(folder: Path) -> list[Figure]:
    """Measure from the first turn to the last settle."""
    with store(folder, "dispatch", LANES, Policy(pace_us=0, guard_us=0)) as opened:
        fill(opened, MESSAGES)
        took_s = asyncio.run(_dispatch(opened))
    return [
        Figure(
            name="dispatch, 1,000 lanes, null gateway",
            value=MESSAGES / took_s,
            unit="messages/s",
            bar=3_000,
            at_least=True,
            detail="beside what others dispatch: `make bench-peers`",
        )
    ]


async def _dispatch(opened: Store) -> float:
    with ThreadPoolExecutor(1) as threads:

        async def execute(work: Callable[[], Any]) -> Any:
            return await asyncio.get_running_loop().run_in_executor(threads, work)

        all_called = asyncio.Event()

        def accept(_call: Call, n: int) -> Accepted:
            if n == MESSAGES:
                all_called.set()
            return Accepted()

        dispatcher = Dispatcher(
            opened,
            {"bench": Sandbox(accept, kept_calls=0)},
            id_="bench",
            process=Process("bench", "1/1"),
            execute=execute,
        )
        began = time.perf_counter()
        task = asyncio.create_task(dispatcher.run())
        await all_called.wait()
        dispatcher.stop()
        await task
        return time.perf_counter() - began
