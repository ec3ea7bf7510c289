"""How users ask the service: again and again while it is away, as an application would."""

import os
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from locust import FastHttpUser

from loadtests.users.crowd import Crowd, crowd
from loadtests.users.plan import TOKEN

PATIENCE_S = 90.0
"""How long somebody tries; a service that was killed is back within seconds."""
AGAIN_S = 0.3
RETRIED = (0, 408, 429, 500, 502, 503, 504)
"""Answers after which the same request is made again; 0: there was none."""


class Answered(NamedTuple):
    """An answer that was worth having."""

    status: int
    body: Any
    took_us: int


class ServiceUser(FastHttpUser):
    """Somebody with the API's token."""

    abstract = True
    network_timeout = 15.0
    connection_timeout = 5.0

    @property
    def crowd(self) -> Crowd:
        """What users share."""
        return crowd()

    def ask(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered | None:
        """Ask until there is an answer that asking again would not change; None: there is none."""
        until = time.monotonic() + PATIENCE_S
        sent = {"Authorization": f"Bearer {os.environ.get(TOKEN, '')}", **(headers or {})}
        while True:
            began = time.perf_counter()
            response = self.client.request(method, path, name=name or path, json=json, headers=sent)
            took_us = round((time.perf_counter() - began) * 1_000_000)
            if response.status_code not in RETRIED:
                return Answered(response.status_code, _body(response.text), took_us)
            if time.monotonic() > until:
                return None
            time.sleep(AGAIN_S)


def _body(text: str | None) -> Any:
    import json

    try:
        return json.loads(text or "null")
    except ValueError:
        return None
