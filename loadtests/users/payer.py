"""A payment provider whose webhooks repeat themselves."""

import os
import time
from uuid import NAMESPACE_URL, uuid5

from locust import task

from loadtests.users.plan import XENDIT_TOKEN
from loadtests.users.service import ServiceUser

AGAIN = 0.3
"""The share of webhooks that come twice."""
EXPIRES = 0.1
"""The share of invoices that run out instead of being paid."""
PATH = "/webhooks/xendit"
NOTICES = ("payment_confirmed", "payment_failed")
OK = 200


class Payer(ServiceUser):
    """Posts a payment when it is due, as Xendit does (GATEWAYS 5a)."""

    fixed_count = 1

    @task
    def pay(self) -> None:
        """Post what is due; the notice that follows from it is acknowledged by its 200."""
        registration_id = self.crowd.next_payment()
        if registration_id is None:
            time.sleep(0.1)
            return
        times = 2 if self.crowd.chance.random() < AGAIN else 1
        status = "EXPIRED" if self.crowd.chance.random() < EXPIRES else "PAID"
        invoice = _invoice(registration_id, status)
        headers = {"x-callback-token": os.environ.get(XENDIT_TOKEN, "")}
        for _ in range(times):
            answer = self.ask("POST", PATH, json=invoice, headers=headers)
            if answer is not None and answer.status == OK:
                self._keep_notice(registration_id)

    def _keep_notice(self, registration_id: str) -> None:
        answer = self.ask(
            "GET", f"/v1/registrations/{registration_id}", name="/v1/registrations/{id}"
        )
        if answer is None or answer.status != OK:
            return
        for message in answer.body["messages"]:
            if message["kind"] in NOTICES:
                kind = message["kind"]
                self.crowd.ledger.acknowledge(message, kind=kind, took_us=None, mark=None)


def _invoice(registration_id: str, status: str) -> dict[str, object]:
    return {
        "id": uuid5(NAMESPACE_URL, registration_id).hex[:24],
        "external_id": registration_id,
        "user_id": "580000000000000000000001",
        "status": status,
        "merchant_name": "Contoh",
        "amount": 150_000,
        "paid_amount": 150_000,
        "currency": "IDR",
        "created": "2026-01-13T03:00:00.000Z",
        "updated": "2026-01-14T03:10:00.000Z",
    }
