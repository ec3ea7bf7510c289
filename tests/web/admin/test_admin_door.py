"""Who is let in, who may change something, and that no other site can press a button."""

from collections.abc import Iterator

import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from tests.web.admin.site import API_TOKEN, Browser, Site
from waqcore.people import change_password, remove
from waqcore.web.admin.session import BASE

OPEN = {("GET", "/login"), ("POST", "/login")}
"""What answers strangers; written by hand, and not taken from the routes."""

STYLE = {("GET", "/static/admin.css"), ("GET", "/static/icon.svg")}
"""What the login page is made of."""

FOR_VIEWERS = {("POST", "/logout"), *OPEN}


def every_route(site: Site) -> Iterator[tuple[str, str]]:
    """Method and path of every route of the dashboard, with something for its parameters."""
    for route in site.app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith(BASE):
            continue
        path = route.path.removeprefix(BASE)
        for name, value in (("{id_:str}", "msg_x"), ("{verb:str}", "retry"), ("{name:str}", "x")):
            path = path.replace(name, value)
        path = path.replace("{rest:path}", "no/such/page")
        for handler in route.route_handlers:
            assert isinstance(handler, HTTPRouteHandler)
            for method in handler.http_methods - {"HEAD", "OPTIONS"}:
                yield str(method), path


def test_a_stranger_gets_nothing_but_the_login(dashboard: Site, stranger: Browser) -> None:
    routes = set(every_route(dashboard)) - OPEN - STYLE

    answers = {
        route: stranger.client.request(route[0], f"{BASE}{route[1]}").status_code
        for route in routes
    }

    assert len(routes) > 25
    assert set(answers.values()) == {401}


def test_a_viewer_cannot_write_anything(dashboard: Site, viewer: Browser) -> None:
    writes = {route for route in every_route(dashboard) if route[0] != "GET"} - FOR_VIEWERS

    answers = {route: viewer.post(route[1]).status_code for route in writes}

    assert len(writes) >= 12
    assert set(answers.values()) == {403}


def test_a_form_of_another_site_is_refused(dashboard: Site, admin: Browser) -> None:
    writes = {route for route in every_route(dashboard) if route[0] != "GET"} - OPEN
    admin.csrf = "guessed"

    answers = {route: admin.post(route[1]).status_code for route in writes}

    assert set(answers.values()) == {403}


def test_the_token_of_an_htmx_call_is_in_a_header(admin: Browser) -> None:
    page = admin.client.post(f"{BASE}/acts/process", headers={"X-CSRF-Token": admin.csrf})

    assert page.status_code == 200
    assert "Woken" in page.text


def test_pages_that_viewers_see_have_no_buttons_that_act(viewer: Browser) -> None:
    pages = [viewer.get(path) for path in ("", "/messages", "/failed", "/audit", "/send", "/test")]

    assert [page.status_code for page in pages] == [200] * 6
    for page in pages:
        assert page.text.count('method="post"') == 1
        assert f'action="{BASE}/logout"' in page.text


def test_a_page_of_somebody_not_signed_in_is_the_login_and_leads_back(stranger: Browser) -> None:
    page = stranger.get("/audit")

    assert page.status_code == 401
    assert f'name="to" value="{BASE}/audit"' in page.text


def test_an_htmx_call_of_an_ended_session_leads_to_the_login(stranger: Browser) -> None:
    answer = stranger.get("/audit", headers={"HX-Request": "true"})

    assert answer.headers["hx-redirect"] == f"{BASE}/audit"


def test_somebody_removed_is_out_at_once(dashboard: Site, viewer: Browser) -> None:
    before = viewer.get().status_code
    remove(dashboard.queue.store, "test", "viewer")

    assert (before, viewer.get().status_code) == (200, 401)


def test_another_password_ends_sessions(dashboard: Site, viewer: Browser) -> None:
    before = viewer.get().status_code
    change_password(dashboard.queue.store, "test", "viewer", "another-password")

    assert (before, viewer.get().status_code) == (200, 401)


@pytest.mark.parametrize("path", ["", "/login", "/no/such/page", "/static/admin.css"])
def test_every_answer_has_the_headers(stranger: Browser, path: str) -> None:
    answer = stranger.get(path)

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"


def test_no_page_has_a_script_or_a_style_of_its_own(dashboard: Site, admin: Browser) -> None:
    id_ = dashboard.queue.enqueue("081234567890", "<script>alert(1)</script>").id
    paths = ("", "/messages", "/failed", "/audit", "/send", "/test", "/pause", "/clear")

    for path in (*paths, f"/messages/{id_}"):
        text = admin.get(path).text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "<script>" not in text
        assert text.count("<script ") == 3


def test_a_token_of_the_api_does_for_the_old_routes_alone(stranger: Browser) -> None:
    headers = {"Authorization": f"Bearer {API_TOKEN}"}

    assert stranger.get("/status", headers=headers).status_code == 200
    assert stranger.client.post(f"{BASE}/clear", headers=headers).status_code == 200
    assert stranger.get("/audit", headers=headers).status_code == 401
    assert stranger.client.post(f"{BASE}/acts/process", headers=headers).status_code == 401


def test_a_wrong_token_is_refused(stranger: Browser) -> None:
    answer = stranger.get("/status", headers={"Authorization": "Bearer nothing-we-know"})

    assert answer.status_code == 401
    assert answer.json()["status"] == 401
