"""Every page looked at by axe-core, light and dark, and photographed for people to look at."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser import stage
from tests.browser.service import Service, serving
from tests.browser.visit import SCREENS, Visit
from waqcore.store.controls import Filter

PAGES = {
    "empty": ("", "/messages", "/failed", "/audit"),
    "failing": ("", "/messages", "/failed", "/send", "/test", "/audit", "/pause", "/clear"),
    "10000": ("", "/messages"),
}
"""Those that a state makes different."""

SIZES: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
}


@pytest.fixture(scope="module", params=["empty", "failing", "10000"])
def staged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Service]]:
    """A service that sends nothing, in one of three states."""
    with serving(tmp_path_factory.mktemp(request.param), "--no-dispatch") as service:
        if request.param == "failing":
            stage.everything_fails(service)
        if request.param == "10000":
            stage.long_queue(service)
        yield request.param, service


def pages_of(state: str, service: Service) -> Iterator[str]:
    """The pages to look at, and that of a message where there is one."""
    yield from PAGES[state]
    for message in service.queue.messages(Filter(), limit=1):
        yield f"/messages/{message.id}"


def named(path: str) -> str:
    """What a page's picture is called."""
    return "message" if path.startswith("/messages/") else path.strip("/") or "overview"


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("size", SIZES)
def test_pages_keep_nobody_out(chromium: Browser, staged: tuple[str, Service], size: str) -> None:
    state, service = staged
    SCREENS.mkdir(exist_ok=True)
    visit = Visit(chromium, service, **SIZES[size])
    page, wrong = visit.page, list[str]()
    for path in pages_of(state, service):
        page.goto(service.admin + path, wait_until="load")
        page.screenshot(path=SCREENS / f"{state}-{size}-{named(path)}.png", full_page=True)
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wrong.append(f"{path} is wider than the screen")
        if size != "phone":
            wrong += [f"{path} {one}" for one in serious(page)]

    visit.close()
    assert wrong == []


def test_the_login_keeps_nobody_out_and_a_keyboard_reaches_the_buttons(
    chromium: Browser, service: Service
) -> None:
    page = chromium.new_page(color_scheme="dark")
    page.goto(service.admin + "/login")
    found = serious(page)
    page.screenshot(path=SCREENS / "login-dark.png")
    page.close()
    visit = Visit(chromium, service)
    page = visit.page
    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent")
    reached = set()
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.innerText"))

    visit.close()
    assert found == []
    assert skip == "Skip to the content"
    assert {"Overview", "Sign out", "Pause…", "resume-all", "process-all"} <= reached


def test_axe_would_have_found_something(chromium: Browser, service: Service) -> None:
    visit = Visit(chromium, service)
    visit.page.evaluate("document.querySelector('h1').style.color = '#f0f0f0'")

    found = serious(visit.page)

    visit.close()
    assert any("color-contrast" in one for one in found)
