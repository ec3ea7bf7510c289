"""Machines with a network of their own: namespaces of this one, joined by a router.

A namespace has no name and lives as long as a file or a process of it is open, so nothing is left
of it, however a test ends. What is cut here falls silent, as where a cable is pulled far away:
nobody is told, no connection is reset.
"""

import ctypes
import os
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.programs import program

CLONE_NEWNET = 0x4000_0000
"""Source: Linux, unshare(2) and setns(2): of the network, both are the calling thread's alone."""

_ROUTER = "router"
_libc = ctypes.CDLL(None, use_errno=True)


class NoNetworkError(Exception):
    """This machine lets nobody make namespaces; the text says why."""


class Network:
    """Machines, each with one cable to a router."""

    def __init__(self, names: Sequence[str]) -> None:
        """Lay the network out.

        Raises:
            NoNetworkError: it cannot be done here.
        """
        self._numbers = {name: n for n, name in enumerate(names, start=1)}
        self._ip = program("ip", package="iproute2")
        self._files: dict[str, int] = {}
        self._muted: list[tuple[str, ...]] = []
        try:
            for name in (_ROUTER, *names):
                self._files[name] = _new_namespace()
            with self.at(_ROUTER):
                Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
            for name in names:
                self._connect(name)
        except (OSError, subprocess.CalledProcessError) as error:
            self.close()
            said = getattr(error, "stderr", None) or error
            raise NoNetworkError(f"no network of namespaces on this machine: {said}") from error

    def address(self, name: str) -> str:
        """Where a machine is."""
        return f"10.0.{self._numbers[name]}.2"

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Be on a machine with this thread, and with whatever it starts, until the block's end."""
        home = _own()
        _enter(self._files[name])
        try:
            yield
        finally:
            _enter(home)
            os.close(home)

    def cut(self, one: str, other: str) -> None:
        """Let nothing through between two machines, in either direction."""
        self.mute(one, other)
        self.mute(other, one)

    def mute(self, one: str, other: str) -> None:
        """Let nothing through from one machine to another; what goes the other way arrives."""
        # Swallowed by the router: the sender hears of no unreachable host, as it would by a filter.
        way = ("from", self.address(one), "to", self.address(other), "blackhole")
        self._run(_ROUTER, "rule", "add", *way)
        self._muted.append(way)

    def heal(self) -> None:
        """Let everything through again."""
        while self._muted:
            self._run(_ROUTER, "rule", "del", *self._muted.pop())

    def close(self) -> None:
        """Let go of it all; what still runs there keeps its part."""
        for file in self._files.values():
            os.close(file)
        self._files.clear()

    def _connect(self, name: str) -> None:
        port = f"port{self._numbers[name]}"
        router = f"10.0.{self._numbers[name]}.1"
        far = f"/proc/{os.getpid()}/fd/{self._files[name]}"
        self._run(_ROUTER, "link", "add", port, "type", "veth", "peer", "cable", "netns", far)
        self._run(_ROUTER, "address", "add", f"{router}/24", "dev", port)
        self._run(_ROUTER, "link", "set", port, "up")
        self._run(name, "address", "add", f"{self.address(name)}/24", "dev", "cable")
        for device in ("lo", "cable"):
            self._run(name, "link", "set", device, "up")
        self._run(name, "route", "add", "default", "via", router)

    def _run(self, name: str, *words: str) -> None:
        with self.at(name):
            subprocess.run([self._ip, *words], check=True, capture_output=True, text=True)


@contextmanager
def network(*names: str) -> Iterator[Network]:
    """Machines on a network of their own, until the end of the block.

    Raises:
        NoNetworkError: this machine lets nobody make namespaces.
    """
    laid = Network(names)
    try:
        yield laid
    finally:
        laid.close()


def _new_namespace() -> int:
    """A namespace of the network, by a file that keeps it."""

    def made() -> int:
        _checked(_libc.unshare(CLONE_NEWNET))
        return _own()

    with ThreadPoolExecutor(1) as thread:  # Its own: there is no way back without a file of it.
        return thread.submit(made).result()


def _own() -> int:
    """The namespace this thread is in."""
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


def _enter(file: int) -> None:
    _checked(_libc.setns(file, CLONE_NEWNET))


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
