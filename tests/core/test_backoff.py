"""Backoff: min(cap, base · 2ⁿ⁻¹), full jitter, at any number of failures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waqcore.core.backoff import ceiling, delay

S = 1_000_000
failures = st.integers(1, 2_000_000)
bases = st.integers(1, 3_600 * S)
caps = st.integers(0, 86_400 * S)
uniforms = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("n", "longest_us"),
    [
        (1, 5 * S),
        (2, 10 * S),
        (3, 20 * S),
        (7, 320 * S),
        (8, 600 * S),
        (33, 600 * S),
        (1_000_000, 600 * S),
    ],
)
def test_the_longest_wait_doubles_up_to_the_cap(n: int, longest_us: int) -> None:
    assert ceiling(n, base_us=5 * S, cap_us=600 * S) == longest_us


def test_the_exponent_is_capped_before_the_power_is_taken() -> None:
    assert ceiling(33, base_us=1, cap_us=2**200) == 2**32
    assert ceiling(1_000_000_000, base_us=1, cap_us=2**200) == 2**32


def test_a_cap_below_the_base_rules_from_the_first_failure_on() -> None:
    assert ceiling(1, base_us=5 * S, cap_us=2 * S) == 2 * S


def test_no_failure_has_no_backoff_and_asking_is_a_fault() -> None:
    with pytest.raises(AssertionError):
        ceiling(0, base_us=5 * S, cap_us=600 * S)


@pytest.mark.parametrize(
    ("u", "wait_us"),
    [(0.0, 0), (0.25, 2_500_000), (0.5, 5 * S), (0.75, 7_500_000), (1 - 2**-53, 9_999_999)],
)
def test_the_jitter_is_full_from_nothing_to_the_ceiling(u: float, wait_us: int) -> None:
    assert delay(2, base_us=5 * S, cap_us=600 * S, u=u) == wait_us


@given(failures, bases, caps, uniforms)
def test_a_delay_lies_between_nothing_and_its_ceiling(
    n: int, base_us: int, cap_us: int, u: float
) -> None:
    wait_us = delay(n, base_us=base_us, cap_us=cap_us, u=u)

    assert isinstance(wait_us, int)
    assert 0 <= wait_us <= ceiling(n, base_us=base_us, cap_us=cap_us) <= cap_us


@given(failures, bases, caps)
def test_one_more_failure_never_shortens_the_longest_wait(
    n: int, base_us: int, cap_us: int
) -> None:
    longest_us = ceiling(n, base_us=base_us, cap_us=cap_us)

    assert longest_us <= ceiling(n + 1, base_us=base_us, cap_us=cap_us) <= 2 * longest_us


@given(failures, bases, caps, uniforms, uniforms)
def test_a_larger_draw_never_waits_less(
    n: int, base_us: int, cap_us: int, u: float, v: float
) -> None:
    less, more = sorted((u, v))

    assert delay(n, base_us=base_us, cap_us=cap_us, u=less) <= delay(
        n, base_us=base_us, cap_us=cap_us, u=more
    )
