#!/bin/sh
# Queue a payment link; prints what waqcore answers: its id, and when it should go out.
curl --fail-with-body --silent --show-error "$WAQ_URL/v1/messages" \
  -H "Authorization: Bearer $WAQ_TOKEN" \
  -H "Content-Type: application/json" \
  -H "Idempotency-Key: REG-1:payment_link" \
  -d '{
    "to": "0812-3456-7890",
    "body": "Halo Budi, silakan bayar di https://bayar.example/REG-1",
    "priority": "high",
    "reference": "REG-1"
  }'
