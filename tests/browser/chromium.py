"""A real Chromium: the machine's own, or Debian's where it may be installed."""

from tests.programs import program

NAMES = ("chromium", "chromium-browser", "google-chrome")

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str:
    """The path of a Chromium; installs one where that is possible.

    Raises:
        MissingProgramError: there is none, and it cannot be installed.
    """
    return program(*NAMES, package="chromium")
