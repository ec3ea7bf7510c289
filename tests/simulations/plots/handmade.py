"""Small frames written by hand, and what is asked of pictures drawn of them."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.text import Text

from simulations.frames import Kind, dtypes
from waqcore.core.instants import SECOND
from waqcore.core.records import AttemptRecord, MessageRecord

START = 1_772_334_000 * SECOND
"""2026-03-01 03:00 UTC; instants below are seconds after it."""

Eta = tuple[float | None, float | None, float | None]


def us(seconds: float | None) -> int | None:
    """An instant."""
    return None if seconds is None else START + round(seconds * SECOND)


def message(
    seq: int,
    priority: str,
    enqueued: float,
    calls: Sequence[float] = (),
    state: str = "sent",
    *,
    ended: float | None = None,
    send_at: float | None = None,
    eta: Eta = (None, None, None),
    reference: str | None = None,
) -> MessageRecord:
    """A message; if sent or failed, it ended 1 s after its last call. `eta`: low, median, high."""
    if ended is None and calls and state in ("sent", "failed"):
        ended = calls[-1] + 1
    low, median, high = eta
    return MessageRecord(
        seq=seq,
        id=f"m{seq}",
        sender="628",
        priority=priority,
        reference=reference,
        enqueued_at=START + round(enqueued * SECOND),
        send_at=us(send_at),
        expires_at=None,
        state=state,
        attempts=len(calls),
        failures=0,
        maybe_duplicate=False,
        first_called_at=us(calls[0]) if calls else None,
        called_at=us(calls[-1]) if calls else None,
        ended_at=us(ended),
        eta_at=us(median),
        eta_low_at=us(low),
        eta_high_at=us(high),
    )


def attempt(
    seq: int, priority: str, called: float | None, outcome: str | None, sender: str = "628"
) -> AttemptRecord:
    """A call of a second."""
    finished = None if called is None or outcome is None else us(called + 1)
    return AttemptRecord(
        seq, f"m{seq}", sender, priority, 1, None, None, us(called), finished, outcome, detail=""
    )


def messages(*rows: MessageRecord) -> pd.DataFrame:
    """A frame of messages."""
    return _frame(rows, MessageRecord)


def attempts(*rows: AttemptRecord) -> pd.DataFrame:
    """A frame of calls."""
    return _frame(rows, AttemptRecord)


def _frame(rows: Sequence[MessageRecord] | Sequence[AttemptRecord], kind: Kind) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(kind._fields)).astype(dtypes(kind))


MESSAGES = messages(
    message(0, "high", 0, [0, 12], reference="REG-1", eta=(0, 0, 3)),
    message(1, "normal", 0, [30], reference="REG-1", eta=(10, 12, 29)),
    message(2, "high", 1, [20], reference="REG-2", eta=(12, 18, 40)),
    message(3, "normal", 1, [40, 52], "failed", reference="REG-2", eta=(20, 25, None)),
    message(4, "low", 2, state="queued"),
    message(5, "low", 3, state="expired", ended=33),
)
ATTEMPTS = attempts(
    attempt(0, "high", 0, "not_sent"),
    attempt(0, "high", 12, "accepted"),
    attempt(2, "high", 20, "accepted"),
    attempt(1, "normal", 30, "accepted"),
    attempt(3, "normal", 40, "refused"),
    attempt(3, "normal", 52, "rejected"),
)


def texts(figure: Figure) -> list[Text]:
    """Every text in a picture."""
    found: list[Text] = figure.findobj(Text)
    return found


def words(figure: Figure) -> str:
    """Everything written in a picture."""
    return "\n".join(text.get_text() for text in texts(figure))


def title(figure: Figure) -> str:
    """What a picture says that it shows, on one line."""
    return figure.texts[0].get_text().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def said(figure: Figure) -> str:
    """What is said under the title, on one line."""
    return figure.texts[1].get_text().replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")


def explained(figure: Figure) -> list[str]:
    """The words of its legend."""
    return [text.get_text() for one in figure.legends for text in one.get_texts()]


def lines(axes: Axes) -> list[list[list[float]]]:
    """The ends of all separate lines, collection by collection: `[[x, y, x, y], …]`."""
    found = [one for one in axes.collections if isinstance(one, LineCollection)]
    return [[np.ravel(ends).tolist() for ends in one.get_segments()] for one in found]


def points(axes: Axes) -> list[list[list[float]]]:
    """The places of all marks, collection by collection."""
    found = [one for one in axes.collections if isinstance(one, PathCollection)]
    return [np.asarray(one.get_offsets()).tolist() for one in found]
