"""The service in-process, on a real database, called as an application would."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from waqcore.queue import Queue
from waqcore.senders import fleet
from waqcore.settings import Settings
from waqcore.web.app import application
from waqcore.web.backend import Backend

TOKEN = "0123456789abcdef0123456789abcdef"
SENDERS = ("628114040707", "628114040808")


@dataclass(frozen=True)
class Service:
    """The service, and the queue beneath it."""

    client: TestClient[Litestar]
    queue: Queue

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Post JSON to `/v1`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(f"/v1{path}", json={} if body is None else body, headers=named)

    def get(self, path: str, **query: Any) -> Any:
        """Get from `/v1`."""
        return self.client.get(f"/v1{path}", params=query)

    def enqueue(self, **fields: Any) -> dict[str, Any]:
        """Queue a message; returns the answer."""
        answer = self.post("/messages", {"to": "081234567890", "body": "Halo"} | fields)
        assert answer.status_code == 202, answer.text
        queued: dict[str, Any] = answer.json()
        return queued


def environ(folder: Path, **more: str) -> dict[str, str]:
    """An environment for the service."""
    return {
        "WAQ_DATABASE_URL": f"sqlite:///{folder / 'waq.db'}",
        "WAQ_GATEWAY": "sandbox",
        "WHATSAPP_SENDER": SENDERS[0],
        "WAQ_SENDERS": SENDERS[1],
        "WAQ_API_TOKEN": TOKEN,
        **more,
    }


@contextmanager
def serving(folder: Path, **more: str) -> Iterator[Service]:
    """The service, for as long as it is needed."""
    given = environ(folder, **more)
    settings = Settings.from_env(given)
    with Queue(settings, fleet(settings, given), actor="api") as queue:
        backend = Backend(queue, settings)
        try:
            with TestClient(application(backend), raise_server_exceptions=False) as client:
                client.headers["Authorization"] = f"Bearer {TOKEN}"
                yield Service(client, queue)
        finally:
            backend.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """The service on a fresh database."""
    with serving(tmp_path) as opened:
        yield opened
