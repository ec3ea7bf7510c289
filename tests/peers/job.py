"""The job of every peer: one call to the sink, or a byte in the tally. Standard library alone."""

import functools
import http.client
import json
import os
import time
from urllib.parse import urlsplit

from tests.peers.peer import BODY, setting

CALL_WITHIN_S = 30


def deliver(number: int, body: str = BODY) -> None:
    """Make message *number*'s call, or count it."""
    told = setting()
    if told.tally:
        os.write(_tally(told.tally), b".")
    else:
        _call(told.sink, number, body)


def deliver_and_hold(number: int, body: str = BODY) -> None:
    """Make the call, and hold the worker until the pace has passed since the call's start."""
    began = time.monotonic()
    deliver(number, body)
    time.sleep(max(0.0, began + setting().pace_s - time.monotonic()))


@functools.cache
def _tally(path: str) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _call(sink: str, number: int, body: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(sink).netloc, timeout=CALL_WITHIN_S)
    try:
        content = json.dumps({"message": f"{number} {body}"})
        connection.request("POST", "/send-message", content, {"Content-Type": "application/json"})
        connection.getresponse().read()
    finally:
        connection.close()
