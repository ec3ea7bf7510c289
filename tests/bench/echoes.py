"""A bare endpoint that answers with what it was sent: what the service's framework costs alone."""

import sys
from typing import Any

import uvicorn
from litestar import Litestar, post

from waqcore.web.server import KEEP_ALIVE_S


@post("/echo")
async def echo(data: dict[str, Any]) -> dict[str, Any]:
    """What was sent."""
    return data


def main() -> None:
    """Serve it as `waq serve` is served, on the port that is named."""
    uvicorn.run(
        Litestar([echo], logging_config=None, openapi_config=None),
        port=int(sys.argv[1]),
        access_log=False,
        http="httptools",
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        ws="none",
    )


if __name__ == "__main__":
    main()
