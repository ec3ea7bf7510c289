"""What a call means that got no whole answer: had it left, or not?

**Invariant:** whether it left is what the departure says, never what the client's exception is
called. httpx-aiohttp turns a reset *after* the write into `ConnectTimeout`, and lets some of
aiohttp's errors through as they are.
"""

import os
from collections.abc import Iterator

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError

from waqcore.core.outcome import Unknown, Unreachable
from waqcore.gateways.gateway import Departure
from waqcore.gateways.http import UnaskedAnswer

# The first that fits speaks. No exception's own text: it may quote an answer, and so a number.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (UnaskedAnswer, "an answer came that nobody asked for"),
    (aiohttp.ClientConnectorDNSError, "no such host"),
    (aiohttp.ClientProxyConnectionError, "the proxy cannot be reached"),
    (aiohttp.ClientHttpProxyError, "the proxy refused"),
    (aiohttp.ClientConnectorCertificateError, "the certificate is not trusted"),
    (aiohttp.ClientSSLError, "TLS failed"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (aiohttp.ServerDisconnectedError, "the connection was closed before the answer"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (HttpProcessingError, "the answer is not HTTP"),
    (httpx.DecodingError, "the answer cannot be decoded"),
)


def failure(error: Exception, departure: Departure) -> Unreachable | Unknown:
    """Return what became of a call whose request raised: nothing left, or nobody knows."""
    if departure.checked_at is None:
        return Unreachable(in_words(error))
    return Unknown(in_words(error))


def in_words(error: Exception) -> str:
    """Say in a few words why no whole answer came; without addresses, numbers or keys."""
    causes = list(_causes(error))
    for kind, words in _WORDS:
        if any(isinstance(cause, kind) for cause in causes):
            return words
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno).lower()
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time"
    return type(causes[-1]).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, down to the first."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
