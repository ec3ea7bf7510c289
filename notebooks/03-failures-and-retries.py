# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Some calls fail: what do the retries cost, and are three attempts enough?
#
# A call that fails and is known not to have been sent is made again, after a random backoff of at
# most 5 seconds, then at most 10; the message keeps its place, and after three failures it is
# `failed`. Every retry takes a slot of the sender's pace, so others wait longer. How much longer?
# How many messages still fail? And does a gateway that is down use the attempts up?

# %% tags=["parameters"]
FAST = False

# %%
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
from ipywidgets import interact

from simulations import scenario
from simulations.confidence import interval
from simulations.plots.heatmap import heatmap
from simulations.plots.queue_length import queue_length
from simulations.plots.timeline import timeline
from simulations.plots.waits import waits
from simulations.summary import measures
from simulations.sweep import Sweep, run_sweep
from simulations.theory import retries

fifteen = scenario.changed(
    scenario.load("failing-messages"),
    {"users": 15, "within": 180, "not_sent": 0.2, "rejected": 0, "unknown": 0},
)
run = scenario.play(fifteen, seed=1)
timeline(
    run.messages(),
    run.attempt_rows(),
    about="15 registrations in three minutes, 20 % of calls fail",
)

# %% [markdown]
# A retry takes the very next slot, unless a link has come meanwhile: its backoff is no longer than
# the pace, and it has its old place again. Everyone behind it moves by one slot.
#
# ## What it costs the others
#
# Confirmations that arrive at random, 4.2 a minute: 70 % of what one sender can call for. A message
# takes 1 + p + p² calls, so with p = 10 % the sender is busy for 78 % of the time, with 20 % for
# 87 %, and waits do not grow by tenths. Theory (Takács 1963: a message with its retries is one
# longer service) stands beside the simulation and its 95 % interval, for the wait until a message's
# first call and for the share of messages that fail:

# %%
steady = scenario.changed(
    scenario.load("priority-mix"),
    {"arrivals.everybody.brings": "confirmation", "per_minute": 4.2, "guard": 0},
)
lasting = scenario.changed(steady, {"lasts": 14_400 if FAST else 216_000})
rows = []
for p in (0.0, 0.1, 0.2):
    runs = [
        scenario.play(scenario.changed(lasting, {"not_sent": p}), seed)
        for seed in range(3 if FAST else 12)
    ]
    calls = interval([len(run.called_at) / len(run.given) for run in runs])
    waited = interval([run.wait_us()[200:].mean() / 1e6 for run in runs])
    failed = interval([measures(run)["failed"] / len(run.given) * 1_000 for run in runs])
    rows.append((p, "calls a message", calls.mean, calls.half_width, retries.mean_calls(p, 3)))
    rows.append((p, "wait, s", waited.mean, waited.half_width, retries.mean_wait(0.7, 10, p, 3)))
    rows.append((p, "failed of 1,000", failed.mean, failed.half_width, 1_000 * p**3))
pd.DataFrame(rows, columns=["p", "mean", "simulated", "±", "theory"]).set_index(
    ["p", "mean"]
).round(3)

# %% [markdown]
# How near the limit one may go depends on what fails. Each cell is a rate of messages and a share
# of failing calls; one sender makes six calls a minute.

# %%
replications = 2 if FAST else 6
grid = {"not_sent": [0, 0.05, 0.1, 0.2, 0.3], "per_minute": [3, 3.6, 4.2, 4.8]}
few = {"not_sent": [0, 0.2], "per_minute": [3, 4.2]}
half_day = scenario.changed(steady, {"lasts": 14_400 if FAST else 43_200})
sweep = Sweep(scenario=half_day, grid=few if FAST else grid, replications=replications)
# One core is enough here; without an executor all of them are used.
swept = run_sweep(sweep, executor=ThreadPoolExecutor(1))
said = f"half a day of confirmations; mean of {replications} runs with its 95 % interval"
heatmap(swept.intervals, "normal_wait_p95_s", "not_sent", "per_minute", about=said)

# %% [markdown]
# ## Are three attempts enough?
#
# If calls fail independently of each other, pⁿ of the messages fail after n attempts: 1 in 1,000
# with three attempts and p = 10 %, as above. Of 1,000 messages, by attempts and p:

# %%
thousand = scenario.changed(
    scenario.load("failing-messages"), {"users": 500, "rejected": 0, "unknown": 0}
)
replications = 2 if FAST else 25
sweep = Sweep(
    scenario=thousand,
    grid={"not_sent": [0.05, 0.1, 0.2], "max_attempts": [1, 2, 3] if FAST else [1, 2, 3, 4]},
    replications=replications,
)
swept = run_sweep(sweep, executor=ThreadPoolExecutor(1))
said = f"of 1,000 messages; mean of {replications} runs with its 95 % interval"
heatmap(swept.intervals, "failed", "max_attempts", "not_sent", about=said)

# %% [markdown]
# ## A gateway that is down
#
# From 08:20 to 08:35 nothing listens at the gateway's address; from 09:20 to 09:25 the phone has
# lost its connection. Two people a minute go on registering.

# %%
outage = scenario.load("gateway-outage")
run = scenario.play(outage)
messages = run.messages()
queue_length(messages, about="gateway down from minute 20 to 35, phone from 80 to 85")

# %%
events = run.lane_rows()
local = pd.to_datetime(events["at"], unit="us", utc=True).dt.tz_convert("Asia/Jakarta")
events.assign(clock=local.dt.strftime("%H:%M:%S"))[["clock", "event", "detail"]]

# %%
pd.Series(
    {
        **run.attempt_rows()["outcome"].value_counts(),
        "messages": len(messages),
        "messages failed": (messages["state"] == "failed").sum(),
        "failures counted": messages["failures"].sum(),
    }
)

# %% [markdown]
# Turn the knobs yourself: that needs a live kernel (`make lab`); without one the picture stands
# still.

# %%
_ = interact(
    lambda failing=0.2, per_minute=4.2: waits(
        scenario.play(
            scenario.changed(steady, {"not_sent": failing, "per_minute": per_minute})
        ).messages(),
        about=f"{100 * failing:.0f} % of calls fail, {per_minute} confirmations a minute",
    ),
    failing=(0.0, 0.4, 0.05),
    per_minute=(1.0, 5.8, 0.2),
)

# %% [markdown]
# **Answer:** retries cost far more than their share of the calls, and three attempts are enough
# where failures are few and independent. At 70 % load a message takes 1.110 calls instead of one
# when 10 % of them fail, and the mean wait grows from 11.6 to 21.3 s; with 20 % it takes 1.240
# calls and waits 48.1 s. At 4.8 messages a minute and 30 % failing calls a sender cannot keep up
# any more: the 95th percentile of half a day is 67 minutes. Of 1,000 messages 1.1 ± 0.3 fail for
# good at 10 %, and 8.1 ± 0.5 at 20 %: p³, as theory has it.
#
# An outage burns nothing. Of 450 messages under a gateway that was down for a quarter of an hour
# and a phone that was off for five minutes, one met each trouble by a call, no failure was counted,
# and none failed. Calls began again after 08:38:03 and 09:27:48, some three minutes after each
# trouble was over: the longer it lasts the further apart are the probes, up to five minutes.
