"""What payment providers post, signed as they sign it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from standardwebhooks.webhooks import Webhook

from tests.payments.stage import PAYMENT_SECRET, SERVER_KEY, XENDIT_TOKEN
from tests.virtual_time import EPOCH

NOW = datetime.fromtimestamp(EPOCH / 1e6, UTC)

Told = dict[str, Any]
"""The arguments of a client's post."""


def xendit(
    reference: str, status: str, *, invoice: str = "65", token: str = XENDIT_TOKEN, **more: Any
) -> Told:
    body = {
        "id": invoice,
        "external_id": reference,
        "user_id": "580000000000000000000001",
        "status": status,
        "merchant_name": "Contoh",
        "amount": 150000,
        "paid_amount": 150000,
        "currency": "IDR",
        "payer_email": "a@example.test",
        "description": "Biaya pendaftaran",
        "payment_method": "QR_CODE",
        "payment_channel": "QRIS",
        "payment_id": "qrpy_1",
        "paid_at": "2026-01-14T03:10:00.000Z",
        "created": "2026-01-13T03:00:00.000Z",
        "updated": "2026-01-14T03:10:00.000Z",
        **more,
    }
    return {
        "url": "/webhooks/xendit",
        "content": json.dumps(body),
        "headers": {"x-callback-token": token, "content-type": "application/json"},
    }


def midtrans_body(
    order: str,
    status: str,
    *,
    code: str = "200",
    fraud: str | None = "accept",
    key: str = SERVER_KEY,
    **more: Any,
) -> dict[str, Any]:
    amount = "150000.00"
    body = {
        "transaction_time": "2026-01-09 10:15:00",
        "transaction_status": status,
        "transaction_id": "00000000-0000-4000-8000-000000000001",
        "status_message": "midtrans payment notification",
        "status_code": code,
        "signature_key": hashlib.sha512(f"{order}{code}{amount}{key}".encode()).hexdigest(),
        "payment_type": "bank_transfer",
        "order_id": order,
        "merchant_id": "G000000001",
        "gross_amount": amount,
        "fraud_status": fraud,
        "currency": "IDR",
        "va_numbers": [{"bank": "bca", "va_number": "12345"}],
        "payment_amounts": [],
        **more,
    }
    return {name: value for name, value in body.items() if value is not None}


def midtrans(order: str, status: str, **more: Any) -> Told:
    return {
        "url": "/webhooks/midtrans",
        "content": json.dumps(midtrans_body(order, status, **more)),
        "headers": {"content-type": "application/json"},
    }


def standard(
    type_: str,
    *,
    id_: str = "msg_1",
    at: datetime = NOW,
    secret: str = PAYMENT_SECRET,
    **data: Any,
) -> Told:
    body = json.dumps({"type": type_, "timestamp": at.isoformat(), "data": data})
    return {
        "url": "/webhooks/payment",
        "content": body,
        "headers": {
            "webhook-id": id_,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(id_, at, body),
            "content-type": "application/json",
        },
    }
