"""How much the mock gateway can take, by Locust: `locust -f loadtests/hammerfile.py --headless
-u 20 -t 10s --host URL`. `python -m loadtests.mock_gateway.ceiling` says the same without Locust.
"""

from locust import FastHttpUser, task

_BODY = {"api_key": "K", "sender": "62811", "number": "62812", "message": "Halo"}


class Hammer(FastHttpUser):
    """Calls as fast as it is answered; for the mock gateway alone, and no part of a load test."""

    @task
    def send(self) -> None:
        """One call."""
        self.client.post("/send-message", json=_BODY)
