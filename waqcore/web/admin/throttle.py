"""How many wrong passwords one address, and one name, may try, at all processes together."""

from collections.abc import Mapping

from waqcore.core.instants import MINUTE, seconds
from waqcore.store import tries
from waqcore.store.store import Store

WINDOW_US = 5 * MINUTE
"""Wrong tries are remembered for so long. What that is in rows is bounded by what they cost: a try
that is let through takes 0.2 s of a core."""

ADDRESS_MAX = 5
"""Wrong tries of one address in that time: a person who mistypes needs three."""

NAME_MAX = 20
"""Wrong tries at one name, from wherever: more than of one address, so that a stranger cannot lock
somebody out from a single one."""


class Throttle:
    """Wrong tries of late, in the database: neither a second process nor a restart gives more."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, address: str, name: str) -> float:
        """Let one try through; returns 0 if it may be made, else in how many seconds it may.

        It counts as wrong until `right` says otherwise, so that many at once count as many.
        """
        most = _most(address, name)
        now = self._store.steady()
        # Read first: whoever is refused must not hold up those who write.
        at = self._store.read(lambda c: tries.free_at(c, most, now, WINDOW_US))
        if at <= now:
            at = self._store.write(lambda c: tries.add(c, most, now, WINDOW_US))
        return seconds(max(0, at - now))

    def right(self, address: str, name: str) -> None:
        """Forget the tries of somebody who knew the password."""
        keys = [*_most(address, name)]
        self._store.write(lambda connection: tries.forget(connection, keys))


def _most(address: str, name: str) -> Mapping[str, int]:
    return {f"address {address}": ADDRESS_MAX, f"name {name}": NAME_MAX}
