"""`python -m waqcore.demo.dispatch`: a real dispatcher by the environment's settings."""

import logging
import os
import sys

from waqcore.dispatcher.service import run
from waqcore.senders import fleet
from waqcore.settings import Settings, SettingsError
from waqcore.store.errors import StoreError


def main() -> int:
    """Dispatch until SIGTERM or SIGINT; 2 if it cannot."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        settings = Settings.from_env(os.environ)
        run(settings, fleet(settings, os.environ))
    except (SettingsError, StoreError) as error:
        logging.getLogger("waqcore.demo").critical("%s", error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
