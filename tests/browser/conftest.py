"""One service and one Chromium for all tests of a file; a page that has signed in for each."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.chromium import FLAGS, executable
from tests.browser.service import Service, serving
from tests.browser.visit import Visit


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. Not for the session: as long as it lives its driver's loop counts as running
    in this thread, and no test elsewhere could run one of its own."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service with a dispatcher, at a small pace."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, service: Service) -> Iterator[Page]:
    """A page of somebody who has signed in; fails where the browser complains."""
    visit = Visit(chromium, service)
    yield visit.page
    visit.close()


@pytest.fixture
def chromium_without_scripts(chromium: Browser, service: Service) -> Iterator[Page]:
    """The same in a browser whose owner trusts no script."""
    visit = Visit(chromium, service, java_script_enabled=False)
    yield visit.page
    visit.close()
