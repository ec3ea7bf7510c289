"""What is kept of a gateway's words."""

import pytest

from waqcore.gateways.words import masked


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Failed to send message!", "Failed to send message!"),
        ("two\n  lines\tand a tab", "two lines and a tab"),
        ("OTP 123456 stays", "OTP 123456 stays"),
        ("1234567 goes", "*** goes"),
        ("to +62 812-3456-7890.", "to +***."),
        ("", ""),
    ],
)
def test_words_are_one_line_without_phone_numbers(text: str, kept: str) -> None:
    assert masked(text) == kept


def test_words_are_cut_at_two_hundred_characters() -> None:
    assert masked("x" * 201) == "x" * 200


def test_what_must_not_be_kept_is_masked_whole_at_the_cut() -> None:
    assert masked("x" * 195 + "secret", "secret") == "x" * 195 + "***"
    assert masked("x" * 195 + "6281234567") == "x" * 195 + "***"


def test_a_secret_within_another_does_not_save_the_rest_of_it() -> None:
    assert masked("the key-and-more", "key", "key-and-more") == "the ***"


def test_a_secret_of_several_lines_is_found_on_one() -> None:
    assert masked("got: Dear Budi, pay here", "Dear Budi,\npay here") == "got: ***"


def test_an_empty_secret_hides_nothing() -> None:
    assert masked("words", "") == "words"
