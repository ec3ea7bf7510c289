"""Who may call what: by token and scope; and no route answers without credentials."""

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from tests.web.api.conftest import TOKEN, Service, environ, serving
from waqcore.queue import Queue
from waqcore.settings import Settings, SettingsError
from waqcore.tokens import Scope, TokenError, digest_of, kept_tokens, new_token, revoke_token

OPEN = ("/healthz", "/readyz", "/admin/whatsapp-queue/login", "/webhooks/")
"""Where no credentials are asked for: health, the login and its looks, and webhooks, which have
signatures."""
LOOKS = "/admin/whatsapp-queue/static"


def _as(service: Service, token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_no_route_answers_without_credentials(service: Service) -> None:
    client: TestClient[Litestar] = TestClient(service.client.app, raise_server_exceptions=False)
    answered = []
    for route in service.client.app.routes:
        path = "/".join("1" if "{" in part else part for part in route.path_format.split("/"))
        if path.startswith((*OPEN, LOOKS)):
            continue
        methods = route.methods if isinstance(route, HTTPRoute) else {"GET"}
        for method in methods:
            answer = client.request(method, path, json={}, follow_redirects=False)
            to_login = answer.status_code in (302, 303) and "login" in answer.headers["location"]
            if answer.status_code not in (401, 403, 405) and not to_login:
                answered.append(f"{method} {path}: {answer.status_code}")

    assert answered == []


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.ENQUEUE, {"enqueue": 202, "read": 403, "admin": 403}),
        (Scope.READ, {"enqueue": 403, "read": 200, "admin": 403}),
        (Scope.ADMIN, {"enqueue": 202, "read": 200, "admin": 200}),
    ],
)
def test_a_scope_opens_what_it_names(tmp_path: Path, scope: Scope, allowed: dict[str, int]) -> None:
    with Queue.from_env(environ(tmp_path)) as queue:
        token = new_token(queue, "site", [scope])
    with serving(tmp_path) as service:
        headers = _as(service, token)
        given = {"to": "081234567890", "body": "Halo"}

        answered = {
            "enqueue": service.client.post("/v1/messages", json=given, headers=headers),
            "read": service.client.get("/v1/queue", headers=headers),
            "admin": service.client.post("/v1/queue/resume", json={}, headers=headers),
        }

    assert {name: answer.status_code for name, answer in answered.items()} == allowed


@pytest.mark.parametrize("said", ["", "Basic abc", "Bearer", "Bearer nobody", "Bearer \xff\xfe"])
def test_what_is_no_token_is_refused_with_a_challenge(service: Service, said: str) -> None:
    answer = service.client.get("/v1/queue", headers={b"Authorization": said.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_is_kept_as_its_digest_alone(tmp_path: Path) -> None:
    with Queue.from_env(environ(tmp_path)) as queue:
        token = new_token(queue, "site", [Scope.ENQUEUE])
        (kept,) = kept_tokens(queue)

    assert kept.digest == digest_of(token)
    assert token.encode() not in (tmp_path / "waq.db").read_bytes()


def test_a_revoked_token_holds_no_more_and_its_name_stays_taken(tmp_path: Path) -> None:
    with Queue.from_env(environ(tmp_path)) as queue:
        old = new_token(queue, "site", [Scope.READ])
        new = new_token(queue, "site-2", [Scope.READ])
        revoke_token(queue, "site")
        with pytest.raises(TokenError, match="site-2"):
            new_token(queue, "site", [Scope.READ])
        with pytest.raises(TokenError, match="no token 'site' to revoke"):
            revoke_token(queue, "site")
    with serving(tmp_path) as service:
        answered = [
            service.client.get("/v1/queue", headers=_as(service, token)).status_code
            for token in (old, new)
        ]

    assert answered == [401, 200]


@pytest.mark.parametrize("name", ["", "Site", "a b", "x" * 41, "environment"])
def test_a_name_that_would_not_read_well_is_refused(tmp_path: Path, name: str) -> None:
    with Queue.from_env(environ(tmp_path)) as queue, pytest.raises(TokenError):
        new_token(queue, name, [Scope.READ])


def test_a_short_token_of_the_environment_stops_the_start_and_is_not_shown() -> None:
    with pytest.raises(SettingsError, match="too short: 8 characters") as caught:
        Settings.from_env({"WAQ_API_TOKEN": "12345678"})

    assert "12345678" not in str(caught.value).replace("8 characters", "")


def test_the_token_is_never_shown(service: Service) -> None:
    answers = [service.get("/queue"), service.get("/nothing"), service.get("/openapi.json")]

    assert all(TOKEN not in answer.text for answer in answers)
