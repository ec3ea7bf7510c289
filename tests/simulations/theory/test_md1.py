"""M/D/1, against values worked out by hand; durations in seconds at a pace of 10 s."""

import math

import numpy as np
import pytest

from simulations.theory import md1

PACE = 10.0


@pytest.mark.parametrize(
    ("load", "paces"), [(0.0, 0.0), (0.2, 0.125), (0.5, 0.5), (0.8, 2.0), (0.9, 4.5), (0.95, 9.5)]
)
def test_the_mean_wait_is_half_the_load_over_what_is_free(load: float, paces: float) -> None:
    assert md1.mean_wait(load, PACE) == pytest.approx(10 * paces)


def test_the_spread_of_the_wait() -> None:
    """At a load of 1/2: E[W]² = 1/4, D²·rho / (3(1-rho)) = 1/3."""
    assert md1.sd_wait(0.5, PACE) == pytest.approx(10 * math.sqrt(1 / 4 + 1 / 3))


def test_as_many_wait_as_the_lane_is_loaded() -> None:
    assert md1.waiting_probability(0.7) == 0.7
    assert float(md1.cdf(0, 0.7, PACE)) == pytest.approx(0.3)


def test_the_distribution_of_the_wait_in_its_first_paces() -> None:
    """(1-rho)·e^(rho·x) in the first pace, less (1-rho)·rho(x-1)·e^(rho(x-1)) in the second."""
    e = math.e
    by_hand = [0.5, 0.5 * e**0.25, 0.5 * e**0.5, 0.5 * (e**0.75 - 0.25 * e**0.25)]

    assert md1.cdf([0, 5, 10, 15], 0.5, PACE) == pytest.approx(by_hand, abs=1e-14)
    assert float(md1.cdf(20, 0.5, PACE)) == pytest.approx(0.5 * (e - 0.5 * e**0.5), abs=1e-14)


@pytest.mark.parametrize(
    ("load", "paces", "exact"),
    [
        (0.5, 3.2, 0.988123493485659),
        (0.9, 10.0, 0.882403020429720),
        (0.95, 40.5, 0.984294454390126),
        (0.99, 100.25, 0.867134406431067),
        (0.999, 40.5, 0.078446003271446),
    ],
)
def test_the_distribution_keeps_its_digits(load: float, paces: float, exact: float) -> None:
    """Erlang's alternating sum of 1909, worked out once with 120 digits."""
    assert float(md1.cdf(10 * paces, load, PACE)) == pytest.approx(exact, abs=1e-13)


def test_nobody_waits_less_than_nothing() -> None:
    assert md1.cdf([-0.1, 0.0], 0.5, PACE) == pytest.approx([0.0, 0.5])


@pytest.mark.parametrize("load", [0.3, 0.7, 0.95])
def test_the_distribution_has_the_mean_and_the_spread(load: float) -> None:
    waits = np.linspace(0, 600 / (1 - load), 200_001)
    longer = 1 - md1.cdf(waits, load, PACE)

    assert np.trapezoid(longer, waits) == pytest.approx(md1.mean_wait(load, PACE), rel=1e-6)
    assert 2 * np.trapezoid(waits * longer, waits) == pytest.approx(
        md1.sd_wait(load, PACE) ** 2 + md1.mean_wait(load, PACE) ** 2, rel=1e-6
    )


@pytest.mark.parametrize(
    ("share", "wait"),
    [(0.0, 0.0), (0.5, 0.0), (0.7, 20 * math.log(1.4)), (0.8, 20 * math.log(1.6))],
)
def test_the_quantiles_of_the_first_pace(share: float, wait: float) -> None:
    assert md1.quantile(share, 0.5, PACE) == pytest.approx(wait, abs=1e-9)


@pytest.mark.parametrize("share", [0.9, 0.99, 1 - 1e-6])
def test_a_quantile_is_where_the_distribution_reaches_it(share: float) -> None:
    assert float(md1.cdf(md1.quantile(share, 0.95, PACE), 0.95, PACE)) == pytest.approx(share)


def test_how_many_are_in_the_lane() -> None:
    """1-rho, (1-rho)(e^rho - 1), (1-rho)·e^rho·(e^rho - 1 - rho)."""
    e = math.exp(0.5)
    by_hand = [0.5, 0.5 * (e - 1), 0.5 * e * (e - 1.5)]

    assert md1.in_lane(0.5, 2) == pytest.approx(by_hand, abs=1e-15)


@pytest.mark.parametrize("load", [-0.1, 1.0, 1.5])
def test_a_lane_that_cannot_keep_up_has_no_steady_state(load: float) -> None:
    with pytest.raises(ValueError, match="below 1"):
        md1.mean_wait(load, PACE)


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_is_below_one(share: float) -> None:
    with pytest.raises(ValueError, match="not between"):
        md1.quantile(share, 0.5, PACE)
