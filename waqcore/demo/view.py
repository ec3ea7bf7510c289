"""What a screen shows of a run at one instant, and how it writes instants."""

from dataclasses import dataclass

from waqcore.core.message import State
from waqcore.demo.following import Row
from waqcore.status import LaneStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A run at one instant; instants in seconds after the first registration."""

    rows: tuple[Row, ...]
    pace_s: float
    now_s: float
    end_s: float
    """When the last should leave, by the plan."""
    doing: str
    """What the sender is doing, and until when."""

    @property
    def sent(self) -> int:
        """How many have been sent."""
        return sum(row.state is State.SENT for row in self.rows)

    @property
    def left_s(self) -> float:
        """Seconds until the last should leave, by the plan or by a later ETA; 0: none waits."""
        if self.sent == len(self.rows):
            return 0.0
        etas = [row.eta_now_s for row in self.rows if row.eta_now_s is not None]
        return max(0.0, max([self.end_s, *etas]) - self.now_s)


def clock(at_s: float | None) -> str:
    """An instant as `:05.0`; a dash where there is none."""
    return "-" if at_s is None else f":{max(at_s, 0.0):04.1f}"


def off(by_s: float | None) -> str:
    """A deviation as `+0.0`, in seconds; empty where there is none."""
    # Adding zero takes the sign off a -0.0.
    return "" if by_s is None else f"{round(by_s, 1) + 0.0:+.1f}"


def doing(lane: LaneStatus, until_s: float | None) -> str:
    """What a sender is doing: `pacing until :25.0`, `paused: device is disconnected`."""
    reason = f": {lane.reason}" if lane.reason else ""
    until = f" until {clock(until_s)}" if until_s is not None else ""
    return f"{lane.condition}{until}{reason}"
