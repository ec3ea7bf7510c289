"""When an application that did not take an event is told again, and when no more. It only decides.

Source: Standard Webhooks, `spec/standard-webhooks.md`, "Deliverability and reliability".
"""

from typing import NamedTuple

from waqcore.callbacks.post import Answer
from waqcore.core.instants import DAY, HOUR, MINUTE, SECOND

SCHEDULE_US = (
    5 * SECOND,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
)
"""After the first try, the second, and so on. After the last of them an event is given up."""

JITTER = 0.2
"""The share of a delay that chance adds, so that what failed together does not return together."""

RETRY_AFTER_MAX_US = DAY
"""However long an application asks us to wait."""

CLOSED_MAX_US = MINUTE
"""How long everything for an application waits after it was down; what comes later is tried then,
each event still on its own schedule."""

GONE = 410


class Next(NamedTuple):
    """What follows from a try."""

    status: str
    """Of the event: `delivered`, `pending` or `given up`."""
    wait_us: int = 0
    """Until it is tried again."""
    close_us: int = 0
    """How long everything for this application waits."""
    gone: bool = False
    """It wants to hear nothing any more."""


def after(answer: Answer, tries: int, u: float) -> Next:
    """What follows from an answer to the `tries`-th try; `u` is chance, uniform in [0, 1)."""
    status = answer.status
    if status is not None and 200 <= status < 300:
        return Next("delivered")
    if status == GONE:
        return Next("given up", gone=True)
    if tries > len(SCHEDULE_US):
        return Next("given up")
    wait = round(SCHEDULE_US[tries - 1] * (1 + JITTER * u))
    asked = min(answer.retry_after_us or 0, RETRY_AFTER_MAX_US)
    wait = max(wait, asked)
    # No answer, or its server's trouble: the next event would fare no better. A refusal of one
    # event (400, 404, a redirect) says nothing about the next.
    troubled = status is None or status == 429 or status >= 500
    close = max(asked, min(wait, CLOSED_MAX_US)) if troubled else 0
    return Next("pending", wait, close)
