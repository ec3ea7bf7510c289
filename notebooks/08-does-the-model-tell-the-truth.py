# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Does the model tell the truth? A load test, and the same run simulated
#
# A load test runs the real service: people register over HTTP, messages are committed to a real
# database, and calls go to a mock gateway over a socket. Its frames hold when each message came,
# how long each call took, and when somebody pressed pause. The model is given just that, and says
# when each call is made.

# %% tags=["parameters"]
FAST = False

# %%
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from simulations import frames, plots
from simulations.replay import replay
from waqcore.core.policy import Policy, Sender
from waqcore.core.records import AttemptRecord, LaneRecord, MessageRecord

people, seconds, pace = (5, 1, 0.5) if FAST else (100, 40, 0.25)
folder = TemporaryDirectory()
load = [sys.executable, "-m", "loadtests.run", "five", "--people", str(people)]
load += ["--seconds", str(seconds), "--pace", str(pace), "--out", folder.name]
ended = subprocess.run(load, cwd="..", capture_output=True, text=True)
run = next(Path(folder.name).glob("*"))
said = json.loads((run / "run.json").read_text())
messages = frames.read(run / "messages.jsonl", MessageRecord)
attempts = frames.read(run / "attempts.jsonl", AttemptRecord)
lanes = frames.read(run / "lanes.jsonl", LaneRecord)
folder.cleanup()
verdict = {0: "clean", 1: "not clean"}[ended.returncode]
f"{people} people, {len(messages)} messages, {len(attempts)} calls; the verdict: {verdict}"

# %% [markdown]
# ## The run
#
# Payment links first, at the pace, whatever order people came in:

# %%
plots.timeline(messages, attempts, about=f"the load test: a pace of {pace} s")

# %%
plots.gaps(attempts, round(1_000_000 * pace), about="the load test, by the dispatcher's own stamps")

# %% [markdown]
# ## The same, simulated
#
# Between the instant its lane is ready and the instant a call leaves lie two commits and a
# connection: some milliseconds, more when the machine is busy. First each call's own lag is given
# to the model, then one for all, the median. What the first is off by is order and waiting; what
# the second adds is the machine.

# %%
policy = Policy(pace_us=round(1e6 * said["pace_s"]), guard_us=round(1e6 * said["guard_s"]))
senders = [Sender(number, "default", policy) for number in sorted(messages["sender"].unique())]
own = replay(messages, attempts, senders, lanes=lanes)
usual = int(own.calls["lag_us"].median())
one = replay(messages, attempts, senders, lanes=lanes, lag_us=usual)
own.calls["lag_us"].div(1_000).describe(percentiles=[0.5, 0.99]).round(1).to_frame("lag, ms").T

# %%
compared = {"each call's own lag": own.calls, f"one lag, {usual / 1_000:.1f} ms": one.calls}
plots.deviation(compared, about="dots: calls; above 0 the model is later")

# %%
off = {words: calls["off_s"].abs().mul(1_000) for words, calls in compared.items()}
table = {words: [each.median(), each.max()] for words, each in off.items()}
pd.DataFrame(table, index=["median, ms", "at most, ms"]).round(1).T

# %% [markdown]
# Calls that only one of the two made:

# %%
own.only_recorded + own.only_modelled

# %% [markdown]
# **Answer:** not yet within 50 ms. Of 221 calls one was made by only one of the two. With each
# call's own lag the model is off by 245 ms (median), 251 ms at most, and that in two steps: between
# them the dots lie flat, so it keeps the run's pace call by call. What the steps are is not known;
# the run's operator pauses and resumes, and how soon the dispatcher hears of that the frames do not
# tell. With one lag for all the machine's stalls add up to 896 ms.
