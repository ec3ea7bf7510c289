"""A page of somebody who has signed in, in a real browser."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage

from tests.browser.service import PASSWORD, Service

SCREENS = Path(__file__).parents[2] / ".screens"
"""Where screenshots go, to be looked at; git does not keep them."""


class Visit:
    """A page that has signed in, and what the browser complained of."""

    def __init__(self, chromium: Browser, service: Service, **context: Any) -> None:
        self._context = chromium.new_context(**context)
        self._context.set_default_timeout(15_000)
        self.page = self._context.new_page()
        self.complaints: list[str] = []
        self.page.goto(service.admin + "/login")
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.fill("#name", "admin")
        self.page.fill("#password", PASSWORD)
        self.page.click("button.main")
        self.page.wait_for_selector("nav")

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def close(self) -> None:
        """Close it.

        Raises:
            AssertionError: the browser has complained, of a breach of the policy for instance.
        """
        self._context.close()
        assert self.complaints == []
