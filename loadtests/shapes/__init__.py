"""When people arrive: open workloads, as seeded lists of seconds.

People do not wait for each other, so a slow service gets no fewer of them: an arrival has its
instant whatever became of the one before. Locust's users are only the hands that act on them, and
their number is a ceiling that is stated: an arrival that finds no free hand is late, and counted.
"""

from loadtests.shapes.arrivals import Arrivals
from loadtests.shapes.at_once import at_once
from loadtests.shapes.opening_day import opening_day
from loadtests.shapes.soak import soak
from loadtests.shapes.spike import spike
from loadtests.shapes.within import within

SHAPES: dict[str, Arrivals] = {
    "at-once": at_once,
    "within": within,
    "opening-day": opening_day,
    "soak": soak,
    "spike": spike,
}
"""By the word that the command line has for each."""
