import pytest
from hypothesis import given
from hypothesis import strategies as st

from waqcore.mask import mask


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+6281234567890", "+62********890"),
        ("6281234567890", "62********890"),
        ("081234567890", "08*******890"),
        ("+628114040707", "+62*******707"),
        ("+123456789", "+12****789"),
        ("123456789", "12****789"),
    ],
)
def test_a_number_keeps_its_first_two_digits_and_its_last_three(number: str, masked: str) -> None:
    assert mask(number) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [("", ""), ("1", "*"), ("123456", "******"), ("+12345678", "*********")],
)
def test_a_number_too_short_to_hide_anything_is_all_stars(number: str, masked: str) -> None:
    assert mask(number) == masked


@given(st.from_regex(r"\+?[0-9]{1,20}", fullmatch=True))
def test_at_least_four_digits_of_any_number_are_hidden(number: str) -> None:
    masked = mask(number)

    assert len(masked) == len(number)
    assert masked.count("*") >= min(4, len(number))
