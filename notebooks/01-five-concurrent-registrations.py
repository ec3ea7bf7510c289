# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Five people register at once: when does each payment link go out?
#
# Five users register at 10:00:00, :01, :02, :03 and :04. Each brings a payment link (high) and an
# activation message (normal). One call per 10 seconds per sender, payment links first; the idle
# lane waits 5 seconds before its first call, so that the burst is ordered before it starts.

# %% tags=["parameters"]
FAST = False

# %%
import pandas as pd
from ipywidgets import interact

from simulations import scenario
from simulations.plots.timeline import timeline
from simulations.summary import measures

five = scenario.load("founding-five")
run = scenario.play(five)
messages = run.messages()
timeline(messages, run.attempt_rows(), utc_offset_us=five.utc_offset_us)

# %% [markdown]
# The instants, as a person in Jakarta reads them, and the waits in seconds:

# %%
local = pd.to_datetime(messages["called_at"].astype("int64"), unit="us", utc=True)
messages.assign(
    leaves=local.dt.tz_convert("Asia/Jakarta").dt.strftime("%H:%M:%S.%f"),
    waited_s=(messages["called_at"] - messages["enqueued_at"]) / 1e6,
)[["reference", "priority", "leaves", "waited_s", "attempts", "state"]].sort_values("leaves")

# %% [markdown]
# If more people come, one each second, how long does the last of them wait for the link?

# %%
crowds = {n: scenario.changed(five, {"users": n}) for n in (5, 6, 10, 20)}
waited = {n: measures(scenario.play(crowd))["high_wait_max_s"] for n, crowd in crowds.items()}
pd.Series(waited, name="the last link's wait, s").rename_axis("people")

# %% [markdown]
# Turn the knobs yourself: that needs a live kernel (`make lab`); without one the picture stands
# still.

# %%
_ = interact(
    lambda people=6, pace_s=10: timeline(
        (
            run := scenario.play(scenario.changed(five, {"users": people, "pace": pace_s}))
        ).messages(),
        run.attempt_rows(),
        about=f"{people} people, one each second; pace {pace_s} s",
    ),
    people=(1, 40),
    pace_s=(5, 20),
)

# %% [markdown]
# **Answer:** the payment links leave at 10:00:05, :15, :25, :35 and :45, in the order in which
# people registered, and the activations follow at :55 … 10:01:35. The last person to register
# waits 41 seconds for the link. A sixth would wait 50: with one sender the last link leaves ten
# seconds later with every registration in the burst.
