import random

import pytest

from loadtests.mock_gateway.mutation import delivered_text, normal_number, recipients


@pytest.mark.parametrize(
    ("written", "asked_for"),
    [
        ("6281234567890", "6281234567890"),
        ("+62 812-3456-7890", "6281234567890"),
        ("081234567890", "6281234567890"),
        ("006281234567890", "6281234567890"),
        ("120363@g.us", "120363@g.us"),
        ("120363@newsletter", "120363@newsletter"),
        ("nobody", ""),
    ],
)
def test_a_number_is_normalised_as_mpwa_does(written: str, asked_for: str) -> None:
    assert normal_number(written) == asked_for


def test_several_recipients_are_called_once_each_in_their_order() -> None:
    assert recipients("0812|+62813| 62812 |") == ("62812", "62813")


def _delivered(message: str, *, footer: str = "", seed: int = 1) -> str:
    return delivered_text(message, number="62812", footer=footer, chance=random.Random(seed))


def test_outer_blanks_are_trimmed_and_inner_ones_kept() -> None:
    assert _delivered(" \n Halo  Budi \n") == "Halo  Budi"


def test_a_choice_in_braces_becomes_each_of_its_options_by_chance() -> None:
    seen = {_delivered("Hi {a|b|c}!", seed=seed) for seed in range(50)}

    assert seen == {"Hi a!", "Hi b!", "Hi c!"}


def test_a_choice_inside_a_choice_is_made_too() -> None:
    seen = {_delivered("{a|{b|c}}", seed=seed) for seed in range(50)}

    assert seen == {"a", "b", "c"}


def test_braces_without_a_choice_stay() -> None:
    assert _delivered("a {b} c") == "a {b} c"


def test_the_number_placeholder_becomes_the_recipient() -> None:
    assert _delivered("for {number}") == "for 62812"


def test_random_placeholders_become_four_characters() -> None:
    letters, digits = _delivered("{random_text} {random_num}").split(" ")

    assert len(letters) == 4
    assert letters.isalpha()
    assert len(digits) == 4
    assert digits.isdecimal()


def test_a_footer_follows_as_a_quoted_italic_line() -> None:
    assert _delivered("Halo", footer="RSUD") == "Halo\n\n> _RSUD_"
