"""An application that hands single messages over, and now and then the same one twice."""

from locust import constant_throughput, task

from loadtests.users.service import ServiceUser

AGAIN = 0.2
"""The share of requests that are made twice, as after an answer that got lost."""
PRIORITIES = ("high", "normal", "low", "low")
ACCEPTED = 202


class Notifier(ServiceUser):
    """Sends a message every few seconds."""

    fixed_count = 1
    wait_time = constant_throughput(0.25)
    sent = 0

    @task
    def notify(self) -> None:
        """Hand one message over; the same key again must give the same message."""
        if self.crowd.is_over:
            return
        Notifier.sent += 1
        key = f"note-{self.crowd.plan.seed}-{self.crowd.worker}-{Notifier.sent}"
        times = 2 if self.crowd.chance.random() < AGAIN else 1
        body = {
            "to": f"0813{self.crowd.worker:02}{Notifier.sent:06}",
            "body": f"Halo, kabar untuk <{key}>",
            "priority": PRIORITIES[Notifier.sent % len(PRIORITIES)],
            "reference": key,
            "sender": self.crowd.sender(),
        }
        ids = {self._hand_over(key, body) for _ in range(times)} - {None}
        if len(ids) > 1:
            self.environment.events.request.fire(
                request_type="CHECK",
                name="one key, one message",
                response_time=0,
                response_length=0,
                exception=AssertionError(f"{key} gave {sorted(map(str, ids))}"),
            )

    def _hand_over(self, key: str, body: dict[str, str | None]) -> str | None:
        answer = self.ask("POST", "/v1/messages", headers={"Idempotency-Key": key}, json=body)
        if answer is None or answer.status != ACCEPTED:
            return None
        message = answer.body
        self.crowd.ledger.acknowledge(
            message, kind="message", took_us=answer.took_us, mark=f"<{key}>"
        )
        self.crowd.recent.append(message["id"])
        return str(message["id"])
