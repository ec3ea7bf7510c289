"""Retries, against values worked out by hand, in paces."""

import pytest

from simulations.theory import retries


@pytest.mark.parametrize(
    ("failure", "max_attempts", "mean", "mean_square"),
    [
        (0.0, 3, 1.0, 1.0),
        (0.5, 1, 1.0, 1.0),
        (0.5, 2, 1.5, 2.5),  # 1 or 2 calls, equally likely.
        (0.5, None, 2.0, 6.0),
        (0.2, 3, 1.24, 1.8),  # 1, 2, 3 calls with 0.8, 0.16, 0.04.
    ],
)
def test_the_calls_a_message_takes(
    failure: float, max_attempts: int | None, mean: float, mean_square: float
) -> None:
    assert retries.mean_calls(failure, max_attempts) == pytest.approx(mean)
    assert retries.mean_square_calls(failure, max_attempts) == pytest.approx(mean_square)


@pytest.mark.parametrize(
    ("load", "failure", "max_attempts", "paces"),
    [(0.5, 0.0, 3, 0.5), (0.4, 0.5, 2, 1.25), (0.25, 0.5, None, 1.5)],
)
def test_the_mean_wait_with_retries(
    load: float, failure: float, max_attempts: int | None, paces: float
) -> None:
    assert retries.mean_wait(load, 10, failure, max_attempts) == pytest.approx(10 * paces)


def test_retries_can_be_more_than_a_lane_can_send() -> None:
    with pytest.raises(ValueError, match="less than one call a pace"):
        retries.mean_wait(0.5, 10, 0.5, None)
