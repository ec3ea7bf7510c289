"""What frames tell of forecasts: the range of each message's first call, and when it came."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulations.plots import reading
from simulations.plots.scale import Floats


class Forecasts(NamedTuple):
    """By message, microseconds since the epoch; nan: there is none."""

    made: Floats
    """When: at its enqueue."""
    low: Floats
    median: Floats
    high: Floats
    """nan: nobody could say how long it might take."""
    called: Floats
    """nan: not yet, or never."""

    def only(self, which: NDArray[np.bool_]) -> "Forecasts":
        """Some of them."""
        return Forecasts(*(column[which] for column in self))

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Those with a whole range, whose call has come."""
        return ~np.isnan(self.low + self.median + self.high + self.called)

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Those whose call came inside the range, its ends included."""
        return (self.low <= self.called) & (self.called <= self.high)


def forecasts(messages: pd.DataFrame) -> Forecasts:
    """Those that messages were given as they came."""
    columns = ("enqueued_at", "eta_low_at", "eta_at", "eta_high_at", "first_called_at")
    return Forecasts(*(reading.at(messages, column) for column in columns))


def held(of: Forecasts) -> str:
    """In words, how many of the ranges held."""
    judged = of.only(of.judged)
    if not len(judged.made):
        return "No forecast can be judged yet"
    share = reading.percent(float(judged.inside.mean()))
    return f"{share} of {reading.count(len(judged.made), 'call')} came inside their 90 % range"
