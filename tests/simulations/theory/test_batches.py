"""Batches, against values worked out by hand, in paces."""

import pytest

from simulations.theory import batches


@pytest.mark.parametrize(
    ("load", "sizes", "paces"),
    [
        (0.5, {1: 1.0}, 0.5),
        (0.0, {5: 1.0}, 2.0),  # 0, 1, 2, 3 and 4 before one.
        (0.5, {5: 1.0}, 4.5),
        (0.5, {1: 0.5, 3: 0.5}, 2.0),  # E[X] = 2, E[X²] = 5.
    ],
)
def test_the_mean_wait_in_batches(load: float, sizes: dict[int, float], paces: float) -> None:
    assert batches.mean_wait(load, 10, sizes) == pytest.approx(10 * paces)


@pytest.mark.parametrize(("load", "sizes"), [(1.0, {1: 1.0}), (0.5, {1: 0.5, 2: 0.4})])
def test_what_has_no_steady_state_is_refused(load: float, sizes: dict[int, float]) -> None:
    with pytest.raises(ValueError, match="steady state"):
        batches.mean_wait(load, 10, sizes)
