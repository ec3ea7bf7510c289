"""The dashboard in-process: a real queue in a temporary file, and browsers without a screen."""

import atexit
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from shutil import copy, rmtree
from tempfile import mkdtemp
from typing import Any

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from waqcore import Queue
from waqcore.people import ADMIN, People, Role, add
from waqcore.senders import fleet
from waqcore.settings import Settings
from waqcore.web.admin.seal import Seal
from waqcore.web.admin.session import BASE, COOKIE, KIND, csrf, opened
from waqcore.web.app import application
from waqcore.web.backend import Backend

PASSWORD = "correct-horse"
SENDERS = ("628114040707", "628114040708")
API_TOKEN = "a-token-of-twenty-letters-or-more"


def environ(folder: Path, **more: str) -> dict[str, str]:
    """Two senders on the gateway that sends nothing, and an admin with a password."""
    return {
        "WHATSAPP_SENDER": SENDERS[0],
        "WAQ_SENDERS": SENDERS[1],
        "WAQ_GATEWAY": "sandbox",
        "WAQ_ADMIN_PASSWORD": PASSWORD,
        "WAQ_API_TOKEN": API_TOKEN,
        "WAQ_DATABASE_URL": f"sqlite:///{folder}/q.db",
        **more,
    }


@dataclass
class Browser:
    """Somebody's browser: keeps cookies, follows redirects, and knows its page's CSRF token."""

    client: TestClient[Litestar]
    csrf: str = ""

    def get(self, path: str = "", **more: Any) -> Response:
        """Open a page."""
        return self.client.get(f"{BASE}{path}", **more)

    def post(self, path: str, form: dict[str, Any] | None = None, **more: Any) -> Response:
        """Send a form of a page."""
        return self.client.post(f"{BASE}{path}", data={"csrf": self.csrf, **(form or {})}, **more)


@dataclass
class Site:
    """The dashboard, and the queue it shows."""

    app: Litestar
    queue: Queue
    people: People
    settings: Settings

    @contextmanager
    def stranger(self) -> Iterator[Browser]:
        """A browser that nobody has signed in with."""
        with TestClient(self.app, raise_server_exceptions=False) as client:
            yield Browser(client)

    @contextmanager
    def somebody(self, name: str = ADMIN) -> Iterator[Browser]:
        """A browser that somebody has signed in with; passwords are what takes time."""
        person = self.people.person(name)
        assert person is not None
        session = opened(person, secrets.token_urlsafe(8))
        seal = Seal(self.people.key)
        with TestClient(self.app, raise_server_exceptions=False) as client:
            client.cookies.set(COOKIE, seal.close(KIND, session), path=BASE)
            yield Browser(client, csrf(seal, session))


@cache
def _template() -> Path:
    """An empty queue with a viewer, to copy: making one takes longer than most tests."""
    folder = Path(mkdtemp(prefix="waq-tests-"))
    atexit.register(rmtree, folder)
    given = environ(folder)
    settings = Settings.from_env(given)
    with Queue(settings, fleet(settings, given), actor="test") as queue:
        add(queue.store, "test", "viewer", Role.VIEWER, PASSWORD)
    return folder / "q.db"


@contextmanager
def site(folder: Path, **more: str) -> Iterator[Site]:
    """The whole service over a new queue, without a dispatcher."""
    copy(_template(), folder)
    with reopened(folder, **more) as made:
        yield made


@contextmanager
def reopened(folder: Path, **more: str) -> Iterator[Site]:
    """The whole service over the queue that there is, as after a restart."""
    given = environ(folder, **more)
    settings = Settings.from_env(given)
    with Queue(settings, fleet(settings, given), actor="test") as queue:
        backend = Backend(queue, settings)
        people = People(queue.store, settings.admin_password)
        try:
            yield Site(application(backend), queue, people, settings)
        finally:
            backend.closing.set()
            backend.close()


def toast(page: Response) -> str:
    """What a page tells of the button pressed before."""
    found = re.search(r'id="toast"[^>]*>(.*?)</div>\s*</div>', page.text, re.DOTALL)
    return re.sub(r"<[^>]+>|\s+", " ", found[1]).strip() if found else ""
