"""What a browser keeps for us, signed: nobody can change it, and whoever holds it can read it."""

import base64
import binascii
import hmac
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Seal:
    """Signs with one key, for one purpose at a time."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def close(self, kind: str, value: object) -> str:
        """A value as text; `kind` is its purpose, and it opens for no other."""
        payload = base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()
        return f"{payload}.{self.mark(kind, payload)}"

    def open(self, kind: str, text: str, type_: type[T]) -> T | None:
        """The value of a text, None if it was not closed by us for this purpose."""
        payload, _, mark = text.partition(".")
        # As bytes: what a stranger sends need not be ASCII.
        if not hmac.compare_digest(self.mark(kind, payload).encode(), mark.encode()):
            return None
        try:
            return msgspec.json.decode(base64.urlsafe_b64decode(payload), type=type_)
        except (msgspec.MsgspecError, binascii.Error):
            return None

    def mark(self, kind: str, text: str) -> str:
        """A text's signature."""
        said = f"{kind}:{text}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, said, "sha256").hexdigest()
