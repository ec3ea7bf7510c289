"""`python -m tests.chaos.dispatch`: a dispatcher that has its imports behind it and waits for a go.

Python's imports take longer than the pace the kills are made at, so a restart from nothing would
let every pace pass before the first call. What is under test begins with the go: the database
opened, the dead buried, their lanes taken over.
"""

import logging
import os
import sys

from waqcore.dispatcher.service import run
from waqcore.gateways import http, mpwa  # noqa: F401  # Else imported only after the go.
from waqcore.senders import fleet
from waqcore.settings import Settings

READY = "ready"


def main() -> int:
    """Say that we are ready, wait for a line, dispatch until a signal."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    print(READY, flush=True)
    if not sys.stdin.readline():
        return 0  # Whoever started us has gone.
    settings = Settings.from_env(os.environ)
    run(settings, fleet(settings, os.environ))
    return 0


if __name__ == "__main__":
    sys.exit(main())
