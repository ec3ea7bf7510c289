"""The gateway's request limit per client address."""

from loadtests.mock_gateway.clock import US_PER_S

LIMIT = 60  # Requests of one client address in one window.
_WINDOW_US = 60 * US_PER_S


class Throttle:
    """A fixed window that opens with a client's first request, as Laravel's limiter counts.

    Source: MPWA `app/Providers/RouteServiceProvider.php`, 60 requests a minute per client IP.
    """

    def __init__(self) -> None:
        self._windows: dict[str, tuple[int, int]] = {}  # Client: (window's end, requests in it).

    def refuse_for_s(self, client: str, *, now_us: int) -> int | None:
        """Whole seconds until *client* may ask again; None: let through, and counted."""
        ends_us, used = self._windows.get(client, (0, 0))
        if now_us >= ends_us:
            ends_us, used = now_us + _WINDOW_US, 0
        if used >= LIMIT:
            return -(-(ends_us - now_us) // US_PER_S)
        self._windows[client] = (ends_us, used + 1)
        return None
