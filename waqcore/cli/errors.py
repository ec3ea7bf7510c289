"""How the command line says that something could not be done: one line, and an exit code."""

import sys

BAD_INPUT = 2
"""Exit code: what was typed, or a setting, has to be corrected first."""
NOT_DONE = 1
"""Exit code: it was understood, and refused or failed."""


class BadInput(ValueError):
    """What was typed cannot be done as it stands."""


class NotDone(Exception):
    """What was asked for was refused, or failed."""


def complain(text: str) -> None:
    """Say on stderr, in one line, what is wrong."""
    print(f"waq: {' '.join(text.split())}", file=sys.stderr)


def exit_code(error: Exception) -> int | None:
    """The exit code of an error that its text explains to a person; None for a fault of ours."""
    # Imported here: what could have raised the error is loaded by now, and help needs none of it.
    from waqcore.draft import DraftError
    from waqcore.phone import PhoneError
    from waqcore.queue import NotFoundError
    from waqcore.settings import SettingsError
    from waqcore.store.errors import StoreError
    from waqcore.text import TextError
    from waqcore.when import InstantError

    ours = BadInput | SettingsError | PhoneError | TextError | DraftError | InstantError
    if isinstance(error, ours):
        return BAD_INPUT
    if isinstance(error, NotDone | NotFoundError | StoreError):
        return NOT_DONE
    return None
