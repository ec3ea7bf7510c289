"""People who register: the open workload."""

import time
from typing import Any

from locust import task

from loadtests.users.service import ServiceUser

PAYS = 0.6
"""The share of people who pay while the run lasts."""
LINK = "payment_link"
ACCEPTED = 202


class Registrant(ServiceUser):
    """A hand that registers whoever arrives next."""

    @task
    def register(self) -> None:
        """Wait for the next arrival and register them, however often that takes."""
        arrival = self.crowd.next_arrival()
        if arrival is None:
            time.sleep(1.0)
            return
        person, in_s = arrival
        time.sleep(in_s)
        id_ = f"REG-{self.crowd.plan.seed}-{person}"
        url = f"https://bayar.example/{id_}"
        answer = self.ask(
            "POST",
            "/v1/registrations",
            json={
                "registration_id": id_,
                "name": f"Budi {person}",
                "phone": f"0812{self.crowd.worker:02}{int(person.rpartition('-')[2]):06}",
                "payment_url": url,
                "sender": self.crowd.sender(),
            },
        )
        if answer is not None and answer.status == ACCEPTED:
            self._keep(answer.body["messages"], url, answer.took_us)
            if self.crowd.chance.random() < PAYS:
                self.crowd.will_pay(id_)

    def _keep(self, messages: list[dict[str, Any]], url: str, took_us: int) -> None:
        for message in messages:
            kind = message.get("kind", "registration")
            mark = url if kind == LINK else None
            self.crowd.ledger.acknowledge(message, kind=kind, took_us=took_us, mark=mark)
            self.crowd.recent.append(message["id"])
