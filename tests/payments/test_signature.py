"""What we sign, and whom we believe: the spec's own vector, its library, and what they refuse."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from waqcore.signature import (
    SecretError,
    SignatureError,
    key_of,
    keys_of,
    new_secret,
    signed_headers,
    verified_id,
)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
BODY = b'{"test": 2432232314}'
THEN = 1614265330


def test_the_vector_of_the_spec_is_believed_and_made() -> None:
    assert verified_id([key_of(SECRET)], VECTOR, BODY, THEN) == VECTOR["webhook-id"]
    made = signed_headers(key_of(SECRET), VECTOR["webhook-id"], THEN, BODY)
    assert made == VECTOR


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
        {"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,\udcff"},
        {"webhook-id": "msg_other"},
        {"webhook-id": ""},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "-1614265330"},
    ],
)
def test_what_differs_in_anything_is_not_believed(change: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        verified_id([key_of(SECRET)], {**VECTOR, **change}, BODY, THEN)


def test_neither_another_body_nor_another_secret_is_believed() -> None:
    with pytest.raises(SignatureError):
        verified_id([key_of(SECRET)], VECTOR, BODY + b" ", THEN)
    with pytest.raises(SignatureError):
        verified_id([key_of(new_secret())], VECTOR, BODY, THEN)
    with pytest.raises(SignatureError):
        verified_id([], VECTOR, BODY, THEN)


@pytest.mark.parametrize("late", [300, -300])
def test_what_is_of_now_is_believed(late: int) -> None:
    assert verified_id([key_of(SECRET)], VECTOR, BODY, THEN + late)


@pytest.mark.parametrize("late", [301, -301])
def test_what_is_not_of_now_is_not_believed(late: int) -> None:
    with pytest.raises(SignatureError, match="more than 300 s from now"):
        verified_id([key_of(SECRET)], VECTOR, BODY, THEN + late)


def test_one_of_several_signatures_and_secrets_will_do() -> None:
    keys = keys_of(f"{new_secret()}, {SECRET}")
    several = {**VECTOR, "webhook-signature": f"v1a,x v1,y {VECTOR['webhook-signature']}"}

    assert verified_id(keys, several, BODY, THEN)


def test_the_official_library_believes_us_and_we_believe_it() -> None:
    secret, body = new_secret(), json.dumps({"type": "message.sent", "x": "é"})
    now = datetime.now(UTC)
    ours = signed_headers(key_of(secret), "evt_1", int(now.timestamp()), body.encode())

    assert Webhook(secret).verify(body, ours) == json.loads(body)
    theirs = {**ours, "webhook-signature": Webhook(secret).sign("evt_1", now, body)}
    assert verified_id([key_of(secret)], theirs, body.encode(), now.timestamp()) == "evt_1"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + " ", ours)
    old = now - timedelta(seconds=400)
    stale = signed_headers(key_of(secret), "evt_1", int(old.timestamp()), body.encode())
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, stale)


@pytest.mark.parametrize("secret", ["whsec_%%%", "whsec_c2hvcnQ=", "whsec_" + "QUJD" * 30])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(SecretError) as caught:
        key_of(secret)

    assert secret.removeprefix("whsec_") not in str(caught.value)
