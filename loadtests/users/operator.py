"""Somebody who presses buttons while everything is busy."""

import time

from locust import constant_throughput, task

from loadtests.users.service import ServiceUser

HELD_S = 0.5


class Operator(ServiceUser):
    """Wakes the queue, and holds it for a moment, by turns."""

    fixed_count = 1
    wait_time = constant_throughput(0.1)
    _holds = False

    @task
    def press(self) -> None:
        """The other button than last time: chance might leave one out of a short run."""
        if self._holds:
            self._hold()
        else:
            self._process()
        self._holds = not self._holds

    def _process(self) -> None:
        """Force the queue to be processed: it must not shorten the pace."""
        self.ask("POST", "/v1/queue/process", json={})

    def _hold(self) -> None:
        """Pause everything, and let it go again."""
        self.ask("POST", "/v1/queue/pause", json={"reason": "load test"})
        time.sleep(HELD_S)
        self.ask("POST", "/v1/queue/resume", json={})
