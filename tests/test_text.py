import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waqcore.text import TextError, clean_text, rewritten_by_mpwa

FAMILY = "👨\u200d👩\u200d👧\u200d👦"  # 4 emoji and 3 joiners: 11 UTF-16 units


def refusal(raw: str) -> str:
    with pytest.raises(TextError) as refused:
        clean_text(raw)
    return str(refused.value)


def test_ordinary_text_is_stored_as_it_is() -> None:
    text = f"Halo *Budi* {FAMILY},\n\n\tBayar: https://pay.test/a?b=c_d&e=1"

    assert clean_text(text) == text


def test_outer_whitespace_is_stripped_and_inner_is_kept() -> None:
    assert clean_text("\u00a0\n Halo  Budi \r\n") == "Halo  Budi"


def test_every_line_ends_in_lf() -> None:
    assert clean_text("a\r\nb\rc\nd\r\r\ne") == "a\nb\nc\nd\n\ne"


def test_an_accent_is_composed_with_its_letter() -> None:
    assert clean_text("Rene\u0301") == "Ren\u00e9"


def test_look_alikes_are_not_replaced() -> None:
    assert clean_text("① ﬁ ½ Ａ") == "① ﬁ ½ Ａ"


@pytest.mark.parametrize("raw", ["", " ", "\r\n\t\u00a0"])
def test_an_empty_text_is_refused(raw: str) -> None:
    assert refusal(raw) == "the text is empty; write something to send"


def test_a_text_of_4096_units_is_accepted() -> None:
    assert len(clean_text("a" * 4096)) == 4096
    assert len(clean_text("😀" * 2048)) == 2048


@pytest.mark.parametrize("raw", ["a" * 4097, "a" * 4095 + "😀"])
def test_a_longer_text_is_refused_with_its_length_and_the_limit(raw: str) -> None:
    assert refusal(raw) == ("the text is 4097 UTF-16 units long and the limit is 4096; shorten it")


def test_length_counts_after_cleaning() -> None:
    raw = "  " + "e\u0301" * 4095 + "\r\na"

    assert refusal(raw).startswith("the text is 4097 UTF-16 units long")
    assert len(clean_text(raw[:-1])) == 4095


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("Halo\x00", "U+0000"),
        ("Halo\x08", "U+0008"),
        ("Halo\x0b", "U+000B"),
        ("Halo\x0c", "U+000C"),
        ("Halo\x1b[31m", "U+001B"),
        ("Halo\x1f", "U+001F"),
        ("Halo\x7f", "U+007F"),
        ("Halo\x80", "U+0080"),
        ("Halo\x85", "U+0085"),
        ("Halo\x9f", "U+009F"),
    ],
)
def test_a_control_character_is_refused_by_its_code_and_place(raw: str, code: str) -> None:
    assert refusal(raw) == f"the text has {code}, a control character, at index 4; remove it"


@pytest.mark.parametrize(
    ("raw", "code"),
    [("Halo\ud83d", "U+D83D"), ("Halo\ude00\ud83d", "U+DE00"), ("Halo\udfff", "U+DFFF")],
)
def test_half_of_a_surrogate_pair_is_refused_by_its_code_and_place(raw: str, code: str) -> None:
    assert refusal(raw) == (f"the text has {code}, half of a surrogate pair, at index 4; remove it")


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("Halo {Budi|Pak Budi}, apa kabar?", "{Budi|Pak Budi}"),
        ("Nomor {number}", "{number}"),
        ("{random_text} lalu {random_num}", "{random_text}"),
        ("https://pay.test/{id}", "{id}"),
        ("{}", "{}"),
        ("} {\n}", "{\n}"),
        ("{ {a} }", "{ {a}"),
    ],
)
def test_a_fragment_in_braces_is_what_mpwa_rewrites(text: str, fragment: str) -> None:
    assert rewritten_by_mpwa(text) == fragment


@pytest.mark.parametrize("text", ["", "Halo", "a | b", "} {", "{", "}", ":-{", ":-}"])
def test_braces_that_do_not_pair_are_left_alone_by_mpwa(text: str) -> None:
    assert rewritten_by_mpwa(text) is None


# Denser than st.text() in what cleaning changes or refuses, lone surrogates among it.
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from(" \r\n\t\x00\u00a0e\u0301\ud83d\u1100")))


@given(TEXTS)
def test_a_cleaned_text_is_clean(raw: str) -> None:
    try:
        text = clean_text(raw)
    except TextError:
        return

    assert clean_text(text) == text
    assert text.encode().decode() == text
    assert {c for c in text if unicodedata.category(c) == "Cc"} <= {"\n", "\t"}
