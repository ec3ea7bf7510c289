"""Can forecasts be trusted? Their coverage and their skill, over traffic of many kinds.

`python -m simulations.calibration` measures the whole grid, in some eight minutes of CPU.
"""

import sys
from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from simulations.backtest import backtest, knowing
from simulations.traffic import Traffic
from waqcore.core.message import Priority

SINGLES = (
    (0.35, {Priority.HIGH: 1}),
    (0.35, {Priority.NORMAL: 1}),
    (0.30, {Priority.LOW: 1}),
)
FIVES = ((0.70, {Priority.HIGH: 5, Priority.NORMAL: 5}), (0.30, {Priority.LOW: 1}))
"""Five people registered at once, each with a payment link and an activation, under reminders."""
MIXED = (
    (0.25, {Priority.HIGH: 1, Priority.NORMAL: 1}),
    (0.25, {Priority.HIGH: 2, Priority.NORMAL: 2}),
    (0.25, {Priority.HIGH: 10, Priority.NORMAL: 10}),
    (0.25, {Priority.LOW: 1}),
)
LOADS = (0.5, 0.8, 0.95)
FAILURES = (0.0, 0.1, 0.2)
GRID = (
    *(
        Traffic(
            name=f"{name}, load {load}, failing {failure}", load=load, brings=b, failure=failure
        )
        for (name, b), load, failure in product(
            (("singles", SINGLES), ("fives", FIVES)), LOADS, FAILURES
        )
    ),
    Traffic(name="mixed batches, load 0.8, failing 0.1", load=0.8, brings=MIXED, failure=0.1),
    *(
        Traffic(
            name=f"{name}, halving and doubling",
            load=0.9,
            brings=brings,
            failure=0.05,
            hourly=(1.0, 0.5),
        )
        for name, brings in (("singles", SINGLES), ("fives", FIVES))
    ),
    Traffic(
        name="fives, three rates", load=0.9, brings=FIVES, failure=0.05, hourly=(1.0, 0.25, 0.6)
    ),
)
"""Loads 0.5 to 0.95, single and batch arrivals, failures 0 to 20 %, changing rates."""
HORIZONS_S = (0.0, 30.0, 120.0, 600.0, 1_800.0, np.inf)
"""By how long a message would wait if nothing happened that nobody knows of."""


def calibration(
    grid: Sequence[Traffic], *, known: bool, seeds: Sequence[int], every: int = 1
) -> pd.DataFrame:
    """The forecasts of all runs: the columns of `backtest` and `horizon_s`, a category."""
    runs = [
        backtest(traffic, seed=seed, expects=knowing(traffic) if known else None, every=every)
        for traffic, seed in product(grid, seeds)
    ]
    frame = pd.concat(runs, ignore_index=True)
    ahead_s = (frame["known_at"] - frame["made_at"]) / 1e6
    horizon = pd.cut(ahead_s, HORIZONS_S, right=False)
    return frame.assign(horizon_s=horizon)


def score(verdicts: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Coverage and skill of groups of forecasts.

    `covered` is the share inside the randomized central 90 % range, `early` and `late` the shares
    below and above it; `gain` is how much better the CRPS is than that of position times pace, over
    the forecasts that have one; `endless` is the share that has none.

    No forecast gains much where surprises are rare. Where a message is late with probability p, by
    Y then, the CRPS of the law itself is ½·E|X - X'| = p·(1 - p)·E[Y] + ½·p²·E|Y - Y'|, that of
    position times pace p·E[Y]: the gain is p - ½·p·E|Y - Y'|/E[Y], less than p, for whoever knows
    the law, and no more for whoever does not.
    Source: T. Gneiting and A. E. Raftery, as in `verdict.crps_s`: the score is proper.
    """
    spread = (verdicts["pit_high"] - verdicts["pit_low"]).clip(lower=1e-12)
    below = (verdicts["pit_high"].clip(upper=0.05) - verdicts["pit_low"].clip(upper=0.05)) / spread
    endless = verdicts["crps_s"].isna()
    rows = verdicts.assign(
        early=below.where(verdicts["pit_high"] > verdicts["pit_low"], verdicts["pit_low"] < 0.05),
        endless=endless,
        missed_s=verdicts["missed_s"].mask(endless),
    )
    grouped = rows.groupby(list(by), observed=True)
    means = grouped[
        ["covered", "early", "surprised", "crps_s", "pinball_s", "missed_s", "endless"]
    ].mean()
    return means.assign(
        forecasts=grouped.size(),
        late=1 - means["covered"] - means["early"],
        gain=1 - means["crps_s"] / means["missed_s"],
    )[
        [
            "forecasts",
            "covered",
            "early",
            "late",
            "surprised",
            "crps_s",
            "pinball_s",
            "missed_s",
            "gain",
            "endless",
        ]
    ]


def main() -> None:
    """Measure the grid with rates known and estimated: all, by scenario, priority and horizon."""
    for known in (True, False):
        rates = "known" if known else "estimated"
        verdicts = calibration(GRID, known=known, seeds=range(3), every=2).assign(rates=rates)
        for by in (["rates"], ["scenario"], ["scenario", "priority"], ["priority", "horizon_s"]):
            title = f"rates {rates}, by {' and '.join(by)}"
            sys.stdout.write(f"\n{title}\n{score(verdicts, by).round(3).to_string()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
