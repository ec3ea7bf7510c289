"""Names for messages, batches and dispatchers: unguessable, and in the order they were made."""

import secrets


def new_id(prefix: str, wall_us: int) -> str:
    """A new id: the millisecond it was made in, so that an index grows at its end, and 64 bits of
    chance."""
    return f"{prefix}_{wall_us // 1_000:011x}{secrets.token_hex(8)}"
