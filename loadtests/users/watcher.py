"""Somebody who keeps the dashboard open."""

import os
import re
import time

from locust import task
from locust.exception import StopUser

from loadtests.users.plan import ADMIN_PASSWORD
from loadtests.users.service import ServiceUser

PAGE = "/admin/whatsapp-queue"
LOGIN, EVENTS = f"{PAGE}/login", f"{PAGE}/events"
OPEN_S = 20.0
"""How long a stream is listened to before the page is loaded anew."""
CHUNK = 64
"""Bytes; less than any event has, so that reading does not wait for the next."""
OK, NOT_FOUND = 200, 404
_MARK = re.compile(r'name="mark"[^>]*value="([^"]*)"')


class Watcher(ServiceUser):
    """Signs in, loads the dashboard and listens to its live stream."""

    fixed_count = 2
    network_timeout = 30.0

    @task
    def watch(self) -> None:
        """Load the page, then read the stream for a while, chunk by chunk."""
        if not self._sees_the_page():
            time.sleep(1.0)
            return
        until = time.monotonic() + OPEN_S
        response = self.client.get(EVENTS, headers={"Accept": "text/event-stream"}, stream=True)
        if response.status_code != OK or response.stream is None:
            time.sleep(1.0)
            return
        try:
            while time.monotonic() < until and response.stream.read(CHUNK):
                pass
        except OSError:
            time.sleep(0.5)  # The service was killed, as services are here.

    def _sees_the_page(self) -> bool:
        form = self.client.get(LOGIN)
        if form.status_code == NOT_FOUND:
            raise StopUser
        mark = _MARK.search(form.text or "")
        if mark is None:
            return False
        known = {"name": "admin", "password": os.environ.get(ADMIN_PASSWORD, ""), "to": PAGE}
        page = self.client.post(LOGIN, data=known | {"mark": mark[1]})
        return page.status_code == OK
