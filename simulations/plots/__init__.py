"""Pictures of runs, of the live queue's export and of sweeps: each a function from frames to a
figure that a notebook shows as it is.

The frames have the columns of `waqcore.core.records`, whatever they come from.
"""

from simulations.plots.calibration import calibration
from simulations.plots.deviation import deviation
from simulations.plots.eta_fan import eta_fan
from simulations.plots.gaps import gaps
from simulations.plots.heatmap import heatmap
from simulations.plots.old_and_new import Frames, old_and_new
from simulations.plots.queue_length import queue_length
from simulations.plots.style import Picture, save
from simulations.plots.timeline import timeline
from simulations.plots.waits import Theory, waits

__all__ = [
    "Frames",
    "Picture",
    "Theory",
    "calibration",
    "deviation",
    "eta_fan",
    "gaps",
    "heatmap",
    "old_and_new",
    "queue_length",
    "save",
    "timeline",
    "waits",
]
