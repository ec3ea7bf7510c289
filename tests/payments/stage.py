"""A queue on a real file, the service around it in this process, and people who register."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.testing import TestClient

from tests.engines import address
from tests.scenario import SENDER, SIBLING, START, on_a_ram_disk
from tests.store.hand import HandClock
from waqcore.message import Message
from waqcore.payments import midtrans
from waqcore.queue import Queue
from waqcore.registration import Registration
from waqcore.senders import fleet
from waqcore.settings import Kind, Settings
from waqcore.web import callbacks, invoices, registrations, webhooks
from waqcore.web.backend import Backend
from waqcore.web.limits import Limits
from waqcore.web.problem import HANDLERS
from waqcore.web.tokens import known_tokens

TOKEN = "t0ken-of-a-test-that-knows-every-scope"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
TOMORROW = START + timedelta(days=1)
XENDIT_TOKEN = "xendit-callback-token"
SERVER_KEY = "SB-Mid-server-test"
PAYMENT_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


OnEngine = Callable[[Path], AbstractContextManager[Path]]


@contextmanager
def a_queue(
    folder: Path,
    clock: HandClock | None = None,
    on_engine: OnEngine = nullcontext,
) -> Iterator[Queue]:
    """An open queue in a folder; `on_engine` is the fixture that makes it a server's."""
    with on_a_ram_disk(folder) as quick, on_engine(quick) as ready:
        known = a_setting(ready)
        with Queue(known, fleet(known, {}), actor="test", clock=clock or HandClock()) as queue:
            yield queue


def a_setting(folder: Path, **settings: Any) -> Settings:
    """Settings of a sandbox with two senders."""
    given: dict[str, Any] = {
        "database_url": address(folder),
        "whatsapp_sender": SENDER,
        "senders": SIBLING,
        "gateway": Kind.SANDBOX,
        "guard_ms": 0.0,
        **settings,
    }
    return Settings(**given)


@contextmanager
def a_client(
    queue: Queue, *, confirm: midtrans.Client | None = None, **settings: Any
) -> Iterator[TestClient[Litestar]]:
    """Our routes around a queue; their caller brings `BEARER` along where a token is asked for."""
    known = a_setting(Path(), api_token=TOKEN, **settings)
    backend, templates = Backend(queue, known), registrations.templates_of(known)
    app = Litestar(
        [
            callbacks.router(),
            registrations.router(backend, templates),
            invoices.router(templates),
            webhooks.router(known, templates, confirm=confirm),
        ],
        dependencies={"backend": Provide(lambda: backend, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        lifespan=[known_tokens(backend)],
        logging_config=None,
        state=State({"tokens": (), "limits": Limits(1_000.0)}),
    )
    try:
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client
    finally:
        backend.close()


def somebody(id_: str = "REG-1", **fields: Any) -> Registration:
    """Somebody who registers."""
    given: dict[str, Any] = {
        "id": id_,
        "name": "Budi Santoso",
        "phone": "081234567890",
        "payment_url": f"https://bayar.example/{id_}",
        **fields,
    }
    return Registration(**given)


def states(messages: dict[str, Message]) -> dict[str, str]:
    """The state of each message of a registration, by kind."""
    return {kind: message.state.value for kind, message in messages.items()}
