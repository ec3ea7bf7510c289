"""The receiver, over a real loopback socket."""

import http.client
import json
from urllib.parse import urlsplit

from tests.peers.peer import BODY
from tests.peers.sink import Sink, body_of


def test_a_call_is_stamped_and_answered() -> None:
    with Sink() as sink:
        connection = http.client.HTTPConnection(urlsplit(sink.url).netloc, timeout=10)
        connection.request("POST", "/send-message", json.dumps({"message": f"7 {BODY}"}))
        answer = connection.getresponse()
        answer.read()
        connection.close()

    (arrival,) = sink.arrivals
    assert answer.status == 200
    assert (arrival.number, arrival.answered) == (7, True)


def test_a_caller_that_has_gone_is_not_answered() -> None:
    with Sink() as sink:
        connection = http.client.HTTPConnection(urlsplit(sink.url).netloc, timeout=10)
        connection.request("POST", "/send-message", json.dumps({"message": "3"}))
        assert sink.wait_for(lambda calls: len(calls) == 1, 10)
        connection.close()
        assert not sink.wait_for(lambda calls: calls[0].answered, 1)


def test_a_request_in_pieces_is_whole_when_its_length_has_come() -> None:
    request = b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"

    assert body_of(request[:30]) is None
    assert body_of(request[:-1]) is None
    assert body_of(request) == b"hello"
