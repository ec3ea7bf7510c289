"""Running totals by sender: cheap to ask for while a run goes on."""

from collections import defaultdict
from dataclasses import asdict, dataclass

from loadtests.mock_gateway.log import Call


@dataclass(slots=True)
class Count:
    """One sender's calls so far."""

    calls: int = 0
    delivered: int = 0
    """Texts that reached a phone, doubles included."""
    first_arrived_at: int = 0
    last_arrived_at: int = 0


class Counts:
    """The totals since the log was last cleared."""

    def __init__(self) -> None:
        self._senders: dict[str, Count] = defaultdict(Count)

    def add(self, call: Call) -> None:
        """Count one call."""
        count = self._senders[call.sender]
        count.first_arrived_at = count.first_arrived_at or call.arrived_at
        count.calls += 1
        count.delivered += len(call.deliveries)
        count.last_arrived_at = call.arrived_at

    def clear(self) -> None:
        """Start from nothing."""
        self._senders.clear()

    def shown(self, banned: tuple[str, ...]) -> dict[str, object]:
        """The totals as JSON shows them."""
        counts = self._senders.values()
        return {
            "calls": sum(count.calls for count in counts),
            "delivered": sum(count.delivered for count in counts),
            "banned": banned,
            "senders": {sender: asdict(count) for sender, count in self._senders.items()},
        }
