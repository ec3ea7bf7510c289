"""Queue a payment link over HTTP; prints what waqcore answers."""

import os

import httpx

answer = httpx.post(
    f"{os.environ['WAQ_URL']}/v1/messages",
    headers={
        "Authorization": f"Bearer {os.environ['WAQ_TOKEN']}",
        "Idempotency-Key": "REG-1:payment_link",  # The same again gives the first message.
    },
    json={
        "to": "0812-3456-7890",
        "body": "Halo Budi, silakan bayar di https://bayar.example/REG-1",
        "priority": "high",
        "reference": "REG-1",
    },
    timeout=10,
)
answer.raise_for_status()
print(answer.text)
