"""Signing in with a password, out again, and not too often with a wrong one."""

import re
from pathlib import Path

from httpx import Response

from tests.web.admin.site import PASSWORD, Browser, Site, reopened, site
from waqcore.people import remove
from waqcore.web.admin.session import BASE, COOKIE
from waqcore.web.admin.throttle import WINDOW_US


def sign_in(browser: Browser, name: str, password: str, to: str = BASE) -> Response:
    """Fill in the form as a person would."""
    mark = re.search(r'name="mark" value="(\w+)"', browser.get("/login").text)
    assert mark is not None
    form = {"mark": mark[1], "name": name, "password": password, "to": to}
    return browser.client.post(f"{BASE}/login", data=form)


def test_the_admin_signs_in_and_lands_where_they_wanted(stranger: Browser) -> None:
    page = sign_in(stranger, "Admin ", PASSWORD, f"{BASE}/audit")

    assert page.status_code == 200
    assert page.url.path == f"{BASE}/audit"
    assert "sign in" in page.text


def test_the_session_is_kept_from_scripts_and_other_sites(stranger: Browser) -> None:
    stranger.client.follow_redirects = False

    answer = sign_in(stranger, "admin", PASSWORD)

    cookie = next(one for one in answer.headers.get_list("set-cookie") if COOKIE in one)
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert f"Path={BASE}" in cookie
    assert PASSWORD not in cookie


def test_behind_https_it_is_sent_over_nothing_else(dashboard: Site) -> None:
    with dashboard.stranger() as browser:
        browser.client.base_url = "https://testserver.local"

        answer = browser.get("/login")

    assert "Secure" in answer.headers["set-cookie"]


def test_a_wrong_password_says_no_more_than_that(dashboard: Site, stranger: Browser) -> None:
    wrong = sign_in(stranger, "admin", "wrong-password")
    nobody = sign_in(stranger, "nobody", "wrong-password")

    assert (wrong.status_code, nobody.status_code) == (401, 401)
    assert "The name or the password is wrong" in wrong.text
    assert "The name or the password is wrong" in nobody.text
    assert [row.happening.action for row in dashboard.queue.audit(2)] == ["wrong password"] * 2


def test_a_page_does_not_lead_to_another_site(stranger: Browser) -> None:
    for to in ("https://evil.example/", "//evil.example", f"{BASE}evil", f"{BASE}/\\evil"):
        page = stranger.get("/login", params={"to": to})
        assert f'name="to" value="{BASE}"' in page.text


def test_a_login_that_another_site_sends_is_refused(stranger: Browser) -> None:
    form = {"mark": "guessed", "name": "admin", "password": PASSWORD}

    answer = stranger.client.post(f"{BASE}/login", data=form)

    assert answer.status_code == 403
    assert COOKIE not in stranger.client.cookies


def test_after_five_wrong_passwords_the_right_one_has_to_wait(stranger: Browser) -> None:
    for _ in range(5):
        sign_in(stranger, "viewer", "wrong-password")

    answer = sign_in(stranger, "viewer", PASSWORD)

    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_US / 1e6 + 1


def test_a_second_process_or_a_restart_gives_no_more_tries(tmp_path: Path) -> None:
    with (
        site(tmp_path) as first,
        reopened(tmp_path) as second,
        first.stranger() as one,
        second.stranger() as other,
    ):
        for n in range(5):
            sign_in((one, other)[n % 2], "viewer", "wrong-password")
        answers = [sign_in(each, "viewer", PASSWORD).status_code for each in (one, other)]
    with reopened(tmp_path) as third, third.stranger() as after:
        answers.append(sign_in(after, "viewer", PASSWORD).status_code)

    assert answers == [429, 429, 429]


def test_who_knows_the_password_has_all_tries_again(dashboard: Site) -> None:
    for _ in range(2):
        with dashboard.stranger() as browser:
            for _ in range(4):
                sign_in(browser, "viewer", "wrong-password")
            assert sign_in(browser, "viewer", PASSWORD).status_code == 200


def test_a_session_that_was_ended_is_void_wherever_its_cookie_is(dashboard: Site) -> None:
    with dashboard.somebody("viewer") as browser:
        cookie = browser.client.cookies[COOKIE]
        browser.post("/logout")
    with dashboard.stranger() as thief:
        thief.client.cookies.set(COOKIE, cookie, path=BASE)

        assert thief.get().status_code == 401


def test_sessions_outlive_a_restart(tmp_path: Path) -> None:
    with site(tmp_path) as first, first.somebody("admin") as browser:
        cookie = browser.client.cookies[COOKIE]
    with reopened(tmp_path) as second, second.stranger() as browser:
        browser.client.cookies.set(COOKIE, cookie, path=BASE)

        assert browser.get().status_code == 200


def test_a_changed_cookie_is_nobodys(dashboard: Site) -> None:
    with dashboard.somebody("viewer") as browser:
        cookie = browser.client.cookies[COOKIE]
    changed = cookie[:-1] + ("1" if cookie[-1] == "0" else "0")
    with dashboard.stranger() as forger:
        for forged in (changed, "x" + cookie, cookie.split(".")[0], ".", "ä.ä"):
            forger.client.cookies.clear()
            answer = forger.get(headers={"Cookie": f"{COOKIE}={forged}".encode()})
            assert answer.status_code == 401


def test_it_is_closed_until_somebody_has_a_password(tmp_path: Path) -> None:
    with site(tmp_path, WAQ_ADMIN_PASSWORD="") as closed:
        remove(closed.queue.store, "test", "viewer")
        with closed.stranger() as browser:
            page = browser.get("/login")

    assert "WAQ_ADMIN_PASSWORD" in page.text
    assert "waq user add" in page.text
    assert "<form" not in page.text
