# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The queue as it stands now: what if the pace were 8 s, what if there were another sender?
#
# The twin reads a queue's database, read-only, and runs it forward through the core that the
# dispatcher runs. Here the queue is a small one, made for the purpose in a temporary folder with
# the real `waqcore.Queue`: twelve registrations, four reminders that are not due before three
# minutes from now, and a campaign of eight, all on one sender. For your own queue give `snapshot`
# its `WAQ_DATABASE_URL`.

# %% tags=["parameters"]
FAST = False

# %%
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from ipywidgets import interact

from simulations import twin
from simulations.plots.timeline import timeline
from simulations.summary import measures
from simulations.weather import Climate, Failures, Weather
from waqcore import Queue
from waqcore.core.policy import Sender
from waqcore.export import snapshot
from waqcore.senders import fleet
from waqcore.settings import Settings

folder = TemporaryDirectory()
environment = {
    "WHATSAPP_SENDER": "628110000000",
    "WAQ_GATEWAY": "sandbox",  # It sends nothing.
    "WAQ_DATABASE_URL": f"sqlite:///{Path(folder.name, 'queue.db')}",
}
with Queue.from_env(environment) as queue:
    later = datetime.now(UTC) + timedelta(minutes=3)
    for n in range(1, 13):
        person = {"to": f"0812000001{n:02}", "reference": f"REG-{n}"}
        queue.enqueue(body="Your payment link", priority="high", **person)
        queue.enqueue(body="Your account is active", **person)
    for n in range(1, 5):
        queue.enqueue(f"0812000002{n:02}", "Until Friday", reference=f"REMIND-{n}", send_at=later)
    for n in range(1, 9):
        queue.enqueue(f"0812000003{n:02}", "Run!", priority="low", reference=f"RUN-{n}")

# %% [markdown]
# ## As it stands
#
# `snapshot` is one consistent look at lanes and messages:

# %%
now = snapshot(environment["WAQ_DATABASE_URL"])
folder.cleanup()
pd.Series([one.message.priority.word for one in now.messages]).value_counts()

# %% [markdown]
# The rules are those of the settings. How the gateway will behave nobody knows, so that is given:
# it answers after 0.3 s.

# %%
senders = list(fleet(Settings.from_env(environment), environment).senders.values())
chances = {"latency_rng": np.random.default_rng(1), "outcomes_rng": np.random.default_rng(2)}
gateway = Weather(Climate(), len(now.messages), **chances)
today = twin.forward(now, senders, gateway)
timeline(today.messages(), today.attempt_rows(), about="as it stands: one sender, a pace of 10 s")

# %% [markdown]
# ## What if the pace were 8 s?

# %%
faster = [one._replace(policy=one.policy._replace(pace_us=8_000_000)) for one in senders]
run = twin.forward(now, faster, gateway)
timeline(run.messages(), run.attempt_rows(), about="what if the pace were 8 s?")

# %% [markdown]
# ## What if there were another sender?
#
# What waits is dealt out to both in its order.

# %%
two = [*senders, senders[0]._replace(number="628110000001")]
spread = twin.spread(now, [one.number for one in two])
run = twin.forward(spread, two, gateway)
timeline(run.messages(), run.attempt_rows(), about="what if there were another sender?")

# %% [markdown]
# ## Side by side
#
# Seconds from now; and both together, and one call in five failing as well:

# %%
two_faster = [*faster, faster[0]._replace(number="628110000001")]
sick = Weather(Climate(failures=Failures(not_sent=0.2)), len(now.messages), **chances)
runs = {
    "as it stands": today,
    "a pace of 8 s": twin.forward(now, faster, gateway),
    "another sender": twin.forward(spread, two, gateway),
    "both": twin.forward(spread, two_faster, gateway),
    "both, and 20 % of calls fail": twin.forward(spread, two_faster, sick),
}
shown = ["sent", "failed", "calls", "last_high_s", "last_s"]
pd.DataFrame({name: measures(run) for name, run in runs.items()}).loc[shown].round(0).astype(int).T

# %% [markdown]
# Turn the knobs yourself: that needs a live kernel (`make lab`); without one the picture stands
# still.

# %%
numbers = [f"62811000000{n}" for n in range(4)]
first = senders[0]
_ = interact(
    lambda pace_s=8, count=2: timeline(
        (
            run := twin.forward(
                twin.spread(now, numbers[:count]),
                [
                    Sender(one, first.account, first.policy._replace(pace_us=1_000_000 * pace_s))
                    for one in numbers[:count]
                ],
                gateway,
            )
        ).messages(),
        run.attempt_rows(),
        about=f"pace {pace_s} s, {count} senders",
    ),
    pace_s=(5, 20),
    count=(1, 4),
)

# %% [markdown]
# **Answer:** as it stands the last of the 12 payment links leaves in 113 s and the last message in
# 359 s. With a pace of 8 s it would be 91 and 289 s, with another sender 51 and 190 s: a second
# number helps more than two seconds of pace. Both together bring the links to 41 s; the last
# message still takes 188 s, since the reminders are not due before 180. If one call in five failed
# then, the last link would take 82 s, and all would still be sent, in 47 calls.
