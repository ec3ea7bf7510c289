"""The dispatcher with the real clock, database and gateways, until it is told to end."""

import asyncio
import gc
import logging
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from waqcore.alerts.tell import tell
from waqcore.callbacks.deliver import deliver
from waqcore.clock import SystemClock
from waqcore.dispatcher.dispatcher import Dispatcher, Execute
from waqcore.dispatcher.housekeeping import listen, tidy, watch
from waqcore.dispatcher.nightly import purge_nightly
from waqcore.dispatcher.patience import opened
from waqcore.dispatcher.process import is_dead, this_process
from waqcore.gateways.gateway import Gateway
from waqcore.ids import new_id
from waqcore.senders import Account, Fleet
from waqcore.settings import Kind, Settings, SettingsError
from waqcore.store import presence
from waqcore.store.store import Store

log = logging.getLogger("waqcore.dispatcher")

STORE_THREADS = 2
"""One for the turns, one so that counting a long queue does not hold them up."""


def run(settings: Settings, fleet: Fleet, *, id_: str | None = None) -> None:
    """Dispatch until SIGTERM or SIGINT; returns when calls in flight are settled.

    `id_` is what the dispatcher is called in logs and in the audit; each run adds what makes it
    unique, since a lease is its holder's alone and must not outlive it under the same name. A
    server that is not there yet is waited for.

    Raises:
        SettingsError: a gateway has no address or key.
        StoreError: the database cannot be used.
    """
    refuse_bare(fleet)
    zone = settings.zone()
    store = opened(
        lambda: Store(settings.database_url, fleet.senders, clock=SystemClock(), timezone=zone)
    )
    try:
        asyncio.run(serve(settings, fleet, store, id_=id_, ready=_end_on_signals))
    finally:
        store.close()


def _end_on_signals(dispatcher: Dispatcher) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, dispatcher.stop)


async def serve(
    settings: Settings,
    fleet: Fleet,
    store: Store,
    *,
    id_: str | None,
    ready: Callable[[Dispatcher], None],
) -> None:
    """Dispatch on the running loop; `ready` gets the dispatcher, to stop it when it is time to."""
    gateways = {
        account.name: _gateway(account, settings, store.latest)
        for account in fleet.accounts.values()
    }
    process = this_process(store.clock)
    buried = store.write(lambda connection: presence.bury(connection, process.host, is_dead))
    if buried:
        log.warning("took out dispatchers of this host that had died", extra={"count": buried})
    with ThreadPoolExecutor(STORE_THREADS, thread_name_prefix="waq-store") as threads:

        async def execute(work: Callable[[], Any]) -> Any:
            return await asyncio.get_running_loop().run_in_executor(threads, work)

        dispatcher = Dispatcher(
            store,
            gateways,
            id_=new_id(id_ or "dispatcher", store.now().wall),
            process=process,
            execute=execute,
            seed=settings.seed,
        )
        ready(dispatcher)
        # What is loaded by now stays: a collector that walks it again and again holds up calls.
        gc.collect()
        gc.freeze()
        log.info("dispatching", extra={"dispatcher": dispatcher.id, "senders": len(fleet.senders)})
        try:
            await _run_with_housekeeping(store, settings, dispatcher, execute)
        finally:
            for gateway in gateways.values():
                await gateway.aclose()
        log.info("stopped", extra={"dispatcher": dispatcher.id})


async def _run_with_housekeeping(
    store: Store, settings: Settings, dispatcher: Dispatcher, execute: Execute
) -> None:
    # A group, so that a keeper that breaks ends the service: one that is deaf must not go on.
    async with asyncio.TaskGroup() as group:
        keepers = [
            group.create_task(listen(store, dispatcher, execute)),
            group.create_task(tidy(store, execute)),
            group.create_task(watch(store, dispatcher, execute)),
            group.create_task(purge_nightly(store, settings)),
            group.create_task(deliver(store, execute, settings)),
            group.create_task(tell(store, execute, settings)),
        ]
        await dispatcher.run()
        for keeper in keepers:
            keeper.cancel()


def _gateway(account: Account, settings: Settings, steady: Callable[[], int]) -> Gateway:
    match account.gateway:
        case Kind.MPWA:
            # Imported here: a process that only enqueues needs no HTTP client.
            from waqcore.gateways.http import http_client
            from waqcore.gateways.mpwa import Mpwa
            from waqcore.gateways.proxy import environment_proxy

            return Mpwa(
                account.url,
                account.api_key,
                steady,
                client=http_client(proxy=environment_proxy(account.url)),
                call_timeout_s=settings.call_timeout_seconds,
            )
        case Kind.SANDBOX:
            from waqcore.gateways.sandbox import Sandbox

            return Sandbox()


def refuse_bare(fleet: Fleet) -> None:
    """Refuse to dispatch through a gateway that lacks what every call needs.

    Raises:
        SettingsError: it has no address or no key.
    """
    for account in fleet.accounts.values():
        if account.gateway is not Kind.MPWA or not _used(account, fleet):
            continue
        if not account.url:
            raise SettingsError(
                "WAQ_GATEWAY_URL is not set: name the address of the gateway, such as "
                "https://wa.example.com (or WAQ_GATEWAY=sandbox to send nothing)"
            )
        if not account.api_key:
            raise SettingsError("WHATSAPP_API_KEY is not set: the gateway would refuse every call")


def _used(account: Account, fleet: Fleet) -> bool:
    return any(sender.account == account.name for sender in fleet.senders.values())
