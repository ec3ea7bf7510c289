"""Signed webhooks, both ways: what proves who sent a body, and when.

Source: Standard Webhooks, `spec/standard-webhooks.md`: HMAC-SHA256 over `id.timestamp.body`.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"

TOLERANCE_S = 300
"""How far a timestamp may be from now, either way. Source: the reference libraries."""

SECRET_BYTES = 32
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
"""Source: Standard Webhooks, "Signature scheme": between 24 and 64 bytes."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


class SignatureError(ValueError):
    """What was received does not prove where it is from. The text repeats nothing secret."""


class SecretError(ValueError):
    """A secret that nothing can be signed with. The text does not repeat it."""


def new_secret() -> str:
    """A secret to share with one other party."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The key that a secret, as people copy it, stands for.

    Raises:
        SecretError: it is none.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"not base64 after {PREFIX}: copy it whole") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise SecretError(
            f"{len(key)} bytes long, and {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} are asked for: "
            f"write it as {PREFIX} and base64"
        )
    return key


def keys_of(several: str) -> list[bytes]:
    """The keys of secrets that are listed by comma, as while one replaces another.

    Raises:
        SecretError: one of them is none.
    """
    return [key_of(secret.strip()) for secret in several.split(",") if secret.strip()]


def signature(key: bytes, id_: str, timestamp: int, body: bytes) -> str:
    """What proves a body under a key."""
    signed = b".".join((id_.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def signed_headers(key: bytes, id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers a body is sent with; the timestamp is of this try, in seconds."""
    return {
        "webhook-id": id_,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key, id_, timestamp, body),
    }


def verified_id(
    keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: float
) -> str:
    """The id of what was received, once it is proved; header names are in lower case.

    Raises:
        SignatureError: no key made any of its signatures, or it is not of now.
    """
    id_, given = headers.get("webhook-id", ""), headers.get("webhook-signature", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not id_ or not given or not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("webhook-id, webhook-timestamp or webhook-signature is missing")
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        raise SignatureError(
            f"its timestamp, {timestamp}, is more than {TOLERANCE_S} s from now: an old message "
            "sent again, or one of the clocks is wrong"
        )
    for key in keys:
        ours = signature(key, id_, int(timestamp), body).encode()
        for one in given.split(" "):
            # As bytes: of text, it only compares what is ASCII.
            if hmac.compare_digest(one.encode("utf-8", "surrogateescape"), ours):
                return id_
    raise SignatureError("no signature of it was made with a secret that is known here")
