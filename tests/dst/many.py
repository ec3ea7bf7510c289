"""Many stories on many cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.dst.play import Failure, fails

PORTION = 20
"""Stories a process plays before it says so."""


def failing(
    seeds: Sequence[int], processes: int | None = None
) -> Iterator[tuple[int, Failure | None]]:
    """Play stories; gives how many more were played, and a failure where one was found.

    Failures are cut down in the process that found them.
    """
    portions = [seeds[start : start + PORTION] for start in range(0, len(seeds), PORTION)]
    # Spawned: a fork of a process with threads and open databases is not one to trust.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(_portion, portion) for portion in portions]):
            played, failures = done.result()
            yield played, None
            for failure in failures:
                yield 0, failure


def _portion(seeds: Sequence[int]) -> tuple[int, list[Failure]]:
    found = [fails(seed) for seed in seeds]
    return len(seeds), [failure for failure in found if failure is not None]
