"""A dashboard for each test, and browsers of an admin, a viewer and a stranger."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.admin.site import Browser, Site, site


@pytest.fixture
def dashboard(tmp_path: Path) -> Iterator[Site]:
    """The dashboard over an empty queue."""
    with site(tmp_path) as made:
        yield made


@pytest.fixture
def admin(dashboard: Site) -> Iterator[Browser]:
    """Who may do everything."""
    with dashboard.somebody("admin") as browser:
        yield browser


@pytest.fixture
def viewer(dashboard: Site) -> Iterator[Browser]:
    """Who may look."""
    with dashboard.somebody("viewer") as browser:
        yield browser


@pytest.fixture
def stranger(dashboard: Site) -> Iterator[Browser]:
    """Who has not signed in."""
    with dashboard.stranger() as browser:
        yield browser
