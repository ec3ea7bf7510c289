import contextlib

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from waqcore.phone import PhoneError, digits, parse_phone


@pytest.mark.parametrize(
    "raw",
    [
        "081234567890",
        "81234567890",
        "+6281234567890",
        "6281234567890",
        "006281234567890",
        "+62 812-3456-7890",
        "(0812) 3456.7890",
        "+62 (0)812 3456 7890",
        "62 0812 3456 7890",
        "+62081234567890",
        "wa.me/6281234567890",
        "https://wa.me/6281234567890",
        "tel:+6281234567890",
        "WA: 0812 3456 7890",
        "+6281234567890\n",
        "６２８１２３４５６７８９０",  # full-width
        "＋６２８１２３４５６７８９０",
        "٠٨١٢٣٤٥٦٧٨٩٠",  # Arabic-Indic
        "٠٠٦٢٨١٢٣٤٥٦٧٨٩٠",
        "0812\u200b3456\u200b7890",  # zero-width spaces
        "\u202a+62\u00a0812\u20113456\u20117890\u202c",  # as copied from a contact card
    ],
)
def test_every_way_to_write_a_mobile_number_gives_the_same_one(raw: str) -> None:
    assert parse_phone(raw) == "+6281234567890"


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("8123456789", "+628123456789"),
        ("00628123456789", "+628123456789"),
        ("628114040707", "+628114040707"),
        ("0811 4040 707", "+628114040707"),
        ("0811404070", "+62811404070"),
    ],
)
def test_old_and_short_mobile_numbers_are_accepted(raw: str, e164: str) -> None:
    assert parse_phone(raw) == e164


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("+60123456789", "+60123456789"),
        ("0060 12-345 6789", "+60123456789"),
        ("＋60123456789", "+60123456789"),
        ("+1 415 555 2671", "+14155552671"),  # mobile and fixed lines look alike there
        ("+225 01 23 45 67 89", "+2250123456789"),  # its zero is part of the number
    ],
)
def test_a_foreign_mobile_number_is_accepted_with_its_country_code(raw: str, e164: str) -> None:
    assert parse_phone(raw) == e164


def refusal(raw: str) -> str:
    with pytest.raises(PhoneError) as refused:
        parse_phone(raw)
    return str(refused.value)


def test_a_foreign_number_without_plus_is_refused() -> None:
    assert refusal("60123456789") == (
        '"60123456789" is not an Indonesian number; '
        "write one number, as 08… or +62…, and a foreign one with + and its country"
    )


@pytest.mark.parametrize("raw", ["62215550123", "+62215550123", "021-5550123", "(021) 555 0123"])
def test_a_landline_is_refused(raw: str) -> None:
    assert refusal(raw) == (
        f'"{raw}" is a landline, which cannot receive WhatsApp; '
        "give a mobile number, as 08… or +62…"
    )


def test_a_toll_free_number_is_refused_by_its_kind() -> None:
    assert refusal("0800 1234 567") == (
        '"0800 1234 567" is a toll free number; give a mobile number, as 08… or +62…'
    )


@pytest.mark.parametrize("raw", ["62999123456", "0812345", "0812345678901234", "+6208123", "08"])
def test_an_invalid_number_of_possible_length_is_refused(raw: str) -> None:
    assert refusal(raw) == (
        f'"{raw}" is not a valid Indonesian number; '
        "check its digits, and write one number, as 08… or +62…"
    )


def test_an_invalid_foreign_number_is_refused_by_its_country() -> None:
    assert refusal("+60 12") == '"+60 12" is not a valid number of country +60; check its digits'


def test_an_unknown_country_code_is_refused() -> None:
    assert refusal("+999123456") == (
        '"+999123456" has no known country code; write one number, as 08… or +62…'
    )


@pytest.mark.parametrize("raw", ["1", "8", "00", "+1"])
def test_a_digit_or_two_are_refused_as_too_short(raw: str) -> None:
    assert refusal(raw) == (f'"{raw}" is too short or too long; write one number, as 08… or +62…')


@pytest.mark.parametrize("raw", ["", "+", "tel:", "²"])
def test_a_value_without_digits_is_refused(raw: str) -> None:
    assert refusal(raw) == f'"{raw}" has no digits; write one number, as 08… or +62…'


@pytest.mark.parametrize("between", [" ", ", ", ";", "/", " / ", " atau ", "|", "\t", " +"])
def test_two_numbers_in_one_field_are_refused(between: str) -> None:
    assert "holds two numbers" in refusal(f"081234567890{between}081298765432")


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("0812345678/9", "'/'"),  # a second number, by its last digit
        ("081234567890 ext 5", "'e'"),
        ("08123ABCDEF", "'A'"),
        ("6281234567890;phone-context=+1", "';'"),
        ("0812+34567890", "'+'"),
    ],
)
def test_anything_but_one_number_after_the_first_digit_is_refused(raw: str, found: str) -> None:
    assert refusal(raw) == (
        f'"{raw}" has {found} after its digits; write one number, as 08… or +62…'
    )


@pytest.mark.parametrize("raw", ["81234567890.0", "6281234567890.0", "0812345678.0 "])
def test_a_number_that_a_spreadsheet_made_a_decimal_is_refused(raw: str) -> None:
    assert refusal(raw) == (
        f'"{raw}" ends in .0, like a spreadsheet\'s decimal; write one number, as 08… or +62…'
    )


def test_a_refusal_repeats_at_most_forty_characters() -> None:
    assert refusal("x" * 300) == (
        f'"{"x" * 39}…" is 300 characters long; write one number, as 08… or +62…'
    )
    assert refusal("x" * 40).startswith(f'"{"x" * 40}" has no digits')


def test_a_refusal_is_one_line_that_utf_8_can_carry() -> None:
    message = refusal("08\n\ud83d")

    assert message.encode().startswith(rb'"08\n\ud83d" has')
    assert len(message.splitlines()) == 1


def test_a_landline_is_accepted_where_any_valid_number_will_do() -> None:
    assert parse_phone("021-5550123", mobile_only=False) == "+62215550123"


def test_an_invalid_number_is_refused_even_where_any_valid_one_will_do() -> None:
    with pytest.raises(PhoneError):
        parse_phone("62999123456", mobile_only=False)


def test_digits_are_the_number_without_its_plus() -> None:
    assert digits("+6281234567890") == "6281234567890"


@given(st.from_regex(r"((\+62|62)[ -]?0{0,2}|0?)8[0-9]{1,12}", fullmatch=True))
def test_indonesian_numbers_are_judged_as_libphonenumber_does(raw: str) -> None:
    """The library is the oracle, once the country code is written with its "+"."""
    national = raw.removeprefix("+62").removeprefix("62")
    oracle = phonenumbers.parse(f"+62{national}")

    if phonenumbers.is_valid_number(oracle):
        assert parse_phone(raw, mobile_only=False) == f"+62{oracle.national_number}"
    else:
        assert "is not a valid Indonesian number" in refusal(raw)


@given(st.from_regex(r"8[0-9]{8,11}", fullmatch=True))
def test_indonesian_mobile_numbers_are_told_apart_as_libphonenumber_does(national: str) -> None:
    """800, 804, 807 and 809 are service numbers, some as long as mobile ones."""
    kind = phonenumbers.number_type(phonenumbers.parse(f"+62{national}"))

    if kind == PhoneNumberType.MOBILE:
        assert parse_phone(f"0{national}") == f"+62{national}"
    else:
        with pytest.raises(PhoneError):
            parse_phone(f"0{national}")


# Tristan da Cunha (TA) has no mobile numbers.
@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS - {"TA"}))
def test_an_e164_mobile_number_of_any_country_is_its_own_canonical_form(region: str) -> None:
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    assert example is not None
    e164 = f"+{example.country_code}{phonenumbers.national_significant_number(example)}"

    assert parse_phone(e164) == e164


@given(st.text(alphabet="0123456789+- ()./;x\u200b٨８", max_size=24))
def test_whatever_is_accepted_is_its_own_canonical_form(raw: str) -> None:
    try:
        e164 = parse_phone(raw, mobile_only=False)
    except PhoneError:
        return

    assert parse_phone(e164, mobile_only=False) == e164
    assert e164[0] == "+"
    assert e164[1:].isascii()
    assert e164[1:].isdigit()


@given(st.text())
def test_text_at_random_is_accepted_or_refused_and_never_crashes(raw: str) -> None:
    with contextlib.suppress(PhoneError):
        parse_phone(raw)


def test_a_refusal_carries_the_value_as_it_was_typed() -> None:
    with pytest.raises(PhoneError) as refused:
        parse_phone(" 0812345\n")

    assert refused.value.raw == " 0812345\n"
