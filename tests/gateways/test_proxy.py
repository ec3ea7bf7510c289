"""Which addresses go through the environment's proxy."""

import pytest

from waqcore.gateways.proxy import environment_proxy


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies for both schemes, and one host excepted."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://plain.example:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pw@secure.example:3128")
    monkeypatch.setenv("NO_PROXY", "wa.inside.example,10.0.0.5:8000")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://wa.example.com/api", "http://plain.example:3128"),
        ("https://wa.example.com", "http://me:pw@secure.example:3128"),
        ("https://wa.inside.example", None),
        ("http://10.0.0.5:8000", None),
        ("http://10.0.0.5:9000", "http://plain.example:3128"),
    ],
)
def test_an_address_has_the_proxy_of_its_scheme_unless_excepted(
    url: str, proxy: str | None
) -> None:
    assert environment_proxy(url) == proxy


@pytest.mark.parametrize("host", ["localhost", "gateway.localhost", "127.0.0.1", "[::1]"])
def test_loopback_never_has_a_proxy(host: str) -> None:
    assert environment_proxy(f"http://{host}:8000") is None


def test_all_proxy_serves_a_scheme_without_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTP_PROXY")
    monkeypatch.setenv("ALL_PROXY", "any.example:8080")

    assert environment_proxy("http://wa.example.com") == "http://any.example:8080"


def test_no_proxy_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")

    assert environment_proxy("https://wa.example.com") is None


def test_a_proxy_we_cannot_speak_to_stops_with_its_password_untold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://me:pw@secure.example:1080")

    with pytest.raises(ValueError, match=r"^a proxy must be http:// or https://, not socks5://$"):
        environment_proxy("https://wa.example.com")
