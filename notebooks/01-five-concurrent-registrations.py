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

from simulations import scenario
from simulations.plots.timeline import timeline

five = scenario.load("founding-five")
run = scenario.play(five)
messages = run.messages()
messages.groupby("priority")["called_at"].agg(["count", "min", "max"])

# %% [markdown]
# The instants, as a person in Jakarta reads them:

# %%
local = pd.to_datetime(messages["called_at"].astype("int64"), unit="us", utc=True)
messages.assign(leaves=local.dt.tz_convert("Asia/Jakarta").dt.strftime("%H:%M:%S.%f"))[
    ["reference", "priority", "leaves", "attempts", "state"]
].sort_values("leaves")

# %%
timeline(messages, run.attempt_rows(), utc_offset_us=five.utc_offset_us)

# %% [markdown]
# **Answer:** the payment links leave at 10:00:05, :15, :25, :35 and :45, in the order in which
# people registered, and the activations follow at :55 … 10:01:35. The last person to register
# waits 41 seconds for the link. A sixth would wait ten seconds more: with one sender the wait of
# the last link grows by the pace with every registration in the burst.
