"""Whether the service lives, and whether it can take messages."""

from litestar import get


@get("/healthz", sync_to_thread=False)
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}
