"""A second queue beside the real one: its own file, a gateway that sends nothing, a dispatcher."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from msgspec.structs import replace

from waqcore.clock import SystemClock
from waqcore.dispatcher.dispatcher import Dispatcher
from waqcore.dispatcher.housekeeping import listen, tidy, watch
from waqcore.dispatcher.process import this_process
from waqcore.gateways.sandbox import Received, Sandbox
from waqcore.ids import new_id
from waqcore.queue import Queue
from waqcore.senders import Fleet, fleet
from waqcore.settings import Kind, Settings
from waqcore.store.store import Store
from waqcore.web.admin.trials.plans import Plan

SENDER = "628110000000"
"""Made up."""

LATENCY_US = 20_000
"""How long a call takes, so that a page can show one in flight."""

START_S = 10.0
"""How long a dispatcher may take to start on a busy machine."""


class Bench(NamedTuple):
    """Where a scenario runs."""

    queue: Queue
    calls: Callable[[], list[Received]]
    """What the gateway received, by its own log."""


@contextmanager
def sandbox(settings: Settings, plan: Plan, pace_s: float) -> Iterator[Bench]:
    """A queue by the real one's rules, at another pace, over a sandbox; it is gone afterwards."""
    with TemporaryDirectory(prefix="waq-test-", ignore_cleanup_errors=True) as folder:
        ours = _scaled(settings, plan, pace_s, Path(folder))
        senders = fleet(ours, {})
        gateway = Sandbox(plan.script, latency_us=LATENCY_US)
        with Queue(ours, senders, actor="test page") as queue, _dispatching(ours, senders, gateway):
            yield Bench(queue, lambda: gateway.calls)


def _scaled(settings: Settings, plan: Plan, pace_s: float, folder: Path) -> Settings:
    """The real settings, with every wait that goes with the pace scaled, and no real sender."""
    scale = pace_s / 10  # The defaults are those of the default pace, 10 s.
    return replace(
        settings,
        whatsapp_sender=SENDER,
        whatsapp_api_key="",
        senders="",
        senders_file="",
        gateway=Kind.SANDBOX,
        database_url=f"sqlite:///{folder}/queue.db",
        pace_seconds=pace_s,
        jitter_seconds=0.0,
        gather_seconds=plan.gather * pace_s,
        backoff_seconds=max(0.001, 5 * scale),
        probe_seconds=max(0.001, 15 * scale),
        breaker_threshold=5,
        max_attempts=3,
        high_head_start_seconds=0.0,
        quiet_from=None,
        quiet_to=None,
        cap_calls=None,
    )


@contextmanager
def _dispatching(settings: Settings, senders: Fleet, gateway: Sandbox) -> Iterator[None]:
    ready = threading.Event()
    stops: list[Callable[[], object]] = []

    def started(stop: Callable[[], object]) -> None:
        stops.append(stop)
        ready.set()

    def run() -> None:
        store = Store(settings.database_url, senders.senders, clock=SystemClock())
        try:
            asyncio.run(_serve(store, dict.fromkeys(senders.accounts, gateway), started))
        finally:
            store.close()

    thread = threading.Thread(target=run, name="waq-test-dispatcher", daemon=True)
    thread.start()
    try:
        if not ready.wait(START_S):
            raise TimeoutError(f"the sandbox's dispatcher did not start within {START_S:g} s")
        yield
    finally:
        for stop in stops:
            stop()
        thread.join(START_S)


async def _serve(
    store: Store,
    gateways: Mapping[str, Sandbox],
    started: Callable[[Callable[[], object]], None],
) -> None:
    """Dispatch on the running loop; `started` gets what stops it, from whichever thread."""
    with ThreadPoolExecutor(2, thread_name_prefix="waq-test-store") as threads:

        async def execute(work: Callable[[], Any]) -> Any:
            return await asyncio.get_running_loop().run_in_executor(threads, work)

        dispatcher = Dispatcher(
            store,
            gateways,
            id_=new_id("test", store.now().wall),
            process=this_process(store.clock),
            execute=execute,
            seed=0,
        )
        loop = asyncio.get_running_loop()
        started(lambda: loop.call_soon_threadsafe(dispatcher.stop))
        async with asyncio.TaskGroup() as group:
            keepers = [
                group.create_task(listen(store, dispatcher, execute)),
                group.create_task(tidy(store, execute)),
                group.create_task(watch(store, dispatcher, execute)),
            ]
            await dispatcher.run()
            for keeper in keepers:
                keeper.cancel()
