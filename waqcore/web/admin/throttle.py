"""How many wrong passwords one address, and one name, may try."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
"""Wrong tries are remembered for so long."""

ADDRESS_MAX = 5
"""Wrong tries of one address in that time: a person who mistypes needs three."""

NAME_MAX = 20
"""Wrong tries at one name, from wherever: more than of one address, so that a stranger cannot lock
somebody out from a single one."""

REMEMBERED_MAX = 10_000
"""Addresses and names remembered at once, the newest."""


class Throttle:
    """Wrong tries of late, in this process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str, name: str) -> float:
        """Seconds before the next try is let through; 0: now."""
        return max(
            self._wait_s(f"address {address}", ADDRESS_MAX), self._wait_s(f"name {name}", NAME_MAX)
        )

    def wrong(self, address: str, name: str) -> None:
        """Remember a try that was wrong, or is about to be looked at."""
        for key in (f"address {address}", f"name {name}"):
            self._tries.setdefault(key, deque(maxlen=NAME_MAX)).append(self._clock())
            self._tries.move_to_end(key)
        while len(self._tries) > REMEMBERED_MAX:
            self._tries.popitem(last=False)

    def right(self, address: str, name: str) -> None:
        """Forget the tries of somebody who knew the password."""
        for key in (f"address {address}", f"name {name}"):
            self._tries.pop(key, None)

    def _wait_s(self, key: str, most: int) -> float:
        tries = self._tries.get(key, ())
        late = [at for at in tries if at > self._clock() - WINDOW_S]
        return late[-most] + WINDOW_S - self._clock() if len(late) >= most else 0.0
