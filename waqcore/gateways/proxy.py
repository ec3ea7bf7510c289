"""Which proxy the environment names for a gateway.

Read once, by whoever makes the client: aiohttp's own `trust_env` would look it up in a thread for
every call, send loopback traffic to the proxy, and add credentials from ~/.netrc.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

PROXY_SCHEMES = ("http", "https")
"""What aiohttp speaks to a proxy; SOCKS is not among it."""


def environment_proxy(url: str) -> str | None:
    """Return the proxy that the environment names for an address; loopback never has one.

    Reads `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case.

    Raises:
        ValueError: the proxy is of a kind we cannot speak to.
    """
    parts = urlsplit(url)
    if _is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies_environment()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy:
        return None
    scheme, colon, _ = proxy.partition("://")
    if not colon:
        return f"http://{proxy}"
    if scheme.lower() not in PROXY_SCHEMES:
        # Only the scheme is repeated: the rest may hold a password.
        raise ValueError(f"a proxy must be http:// or https://, not {scheme}://")
    return proxy


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
