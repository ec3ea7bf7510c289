"""The receiver: a small HTTP server that stamps each call as its first byte comes.

It answers after a while, so that a worker can be killed in the middle of a call, and notes
whether the caller was still there to take the answer.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from time import monotonic, monotonic_ns
from types import TracebackType
from typing import NamedTuple, Self

from tests.peers.judge import Arrival

CALL_S = 0.7
"""What a call takes: long enough to find and kill its caller, well below the shortest pace."""

# As MPWA says it, which waqcore speaks; no peer looks at it.
_CONTENT = b'{"status": true, "msg": "Message sent successfully!"}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(_CONTENT),
    _CONTENT,
)


class Call(NamedTuple):
    """A call under way or over."""

    arrival: Arrival
    port: int
    """The caller's, by which its process is found."""


class Sink:
    """A receiver on a loopback port, with a thread of its own."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.connections: set[asyncio.Transport] = set()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        serving = self._loop.create_server(lambda: _Caller(self), "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result()
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        # A connection is over a turn of the loop after it was closed.
        while self.connections:
            for transport in self.connections:
                transport.abort()
            await asyncio.sleep(0)

    @property
    def arrivals(self) -> list[Arrival]:
        """All calls so far."""
        return [call.arrival for call in self.calls]

    def wait_for(self, reached: Callable[[list[Arrival]], bool], within_s: float) -> bool:
        """Wait until the calls so far satisfy a condition; False if they did not in time."""
        until = monotonic() + within_s
        with self._changed:
            while not reached(self.arrivals):
                left_s = until - monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(left_s)
        return True

    def noted(self, call: Call) -> None:
        """A call has come."""
        with self._changed:
            self.calls.append(call)
            self._changed.notify_all()

    def answered(self, arrival: Arrival) -> None:
        """A call's caller took its answer."""
        with self._changed:
            arrival.answered = True
            self._changed.notify_all()


class _Caller(asyncio.Protocol):
    """One connection; calls on it come one after the other."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._got = b""
        self._at_us = 0
        self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._sink.connections.add(transport)
        self._port = transport.get_extra_info("peername")[1]

    def connection_lost(self, _error: Exception | None) -> None:
        self._gone = True
        self._sink.connections.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        if not self._got:
            self._at_us = monotonic_ns() // 1_000
        self._got += data
        content = body_of(self._got)
        if content is None:
            return
        self._got = b""
        number = int(json.loads(content)["message"].split()[0])
        arrival = Arrival(number=number, at_us=self._at_us)
        self._sink.noted(Call(arrival, self._port))
        asyncio.get_running_loop().call_later(CALL_S, self._answer, arrival)

    def _answer(self, arrival: Arrival) -> None:
        if not self._gone and not self._transport.is_closing():
            self._transport.write(_ANSWER)
            self._sink.answered(arrival)


def body_of(got: bytes) -> bytes | None:
    """The body of a request with a length; None while it is not all there."""
    head, found, rest = got.partition(b"\r\n\r\n")
    if not found:
        return None
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    length = int(fields.get(b"content-length", b"0"))
    return rest[:length] if len(rest) >= length else None
