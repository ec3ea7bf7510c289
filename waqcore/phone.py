"""What a phone number people type means: which digits a WhatsApp message can be sent to.

Numbers without a country code are read as Indonesian. What is not plainly one number is refused: a
payment link sent to a stranger is worse than a form filled in twice.
"""

import re
import unicodedata

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
)

RAW_LENGTH_MAX = 250
"""Characters; longer input is no phone number. Source: libphonenumber, MAX_INPUT_STRING_LENGTH."""

DIGITS_MAX = 17
"""Digits of one number: "00" and the 15 of ITU-T Recommendation E.164 (11/2010)."""

SHOWN_MAX = 40
"""Characters of a refused value that its error repeats: a number, and enough to see around it."""

HOW_TO_WRITE = "write one number, as 08… or +62…"

# WhatsApp accounts live on these. Countries such as the United States do not tell them apart.
_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)

# Only what people put between the groups of one number. "/", "," and ";" stand between two numbers
# or their endings, and libphonenumber would read 081234567890;081298765432 as an extension.
_BETWEEN_GROUPS = r"\s.()\-\u2010-\u2015\u2212\uff08\uff09\uff0d\uff0e"
_WRITTEN = re.compile(rf"(\D*)\d[\d{_BETWEEN_GROUPS}]*")
_NOT_DIGITS = re.compile(r"\D+")
_PLUS = re.compile(r"[+\uff0b]")

# What nearly every number is, by libphonenumber's own pattern and without its parser: neither the
# "62" of the country nor an international prefix begins with 8, and the only trunk prefix is "0".
_INDONESIA = PhoneMetadata.metadata_for_region("ID")
assert _INDONESIA is not None
assert _INDONESIA.mobile is not None
_INDONESIAN_MOBILE = re.compile(
    rf"(?:\+?62)?0?({_INDONESIA.mobile.national_number_pattern})", re.ASCII
)


class PhoneError(ValueError):
    """A number that no message can be sent to; whoever typed it has to correct it."""

    def __init__(self, raw: str, problem: str) -> None:
        super().__init__(f'"{_shown(raw)}" {problem}')
        self.raw = raw


def parse_phone(raw: str, *, mobile_only: bool = True) -> str:
    """Return the number in E.164, such as `+6281234567890`.

    Numbers without a country code are Indonesian. With `mobile_only` false any valid number will
    do: some businesses have WhatsApp on a landline.

    Raises:
        PhoneError: it is not one valid number, or not a mobile one.

    Source: phonenumbers 9.0.43, `number_type`: "returns UNKNOWN if it is invalid".
    """
    if plain := _INDONESIAN_MOBILE.fullmatch(raw):
        return f"+62{plain[1]}"
    dialled = _dialled(raw)
    if plain := _INDONESIAN_MOBILE.fullmatch(dialled):
        return f"+62{plain[1]}"
    number = _parsed(dialled, raw)
    kind = phonenumbers.number_type(number)

    if kind == PhoneNumberType.UNKNOWN:
        raise PhoneError(raw, _why_invalid(dialled, number))
    if mobile_only and kind not in _MOBILE:
        raise PhoneError(raw, _why_unreachable(kind))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def digits(e164: str) -> str:
    """Return an E.164 number as gateways of the MPWA family take it, such as `6281234567890`."""
    return e164.removeprefix("+")


def _dialled(raw: str) -> str:
    """The ASCII digits one would dial, after a "+" if a country code leads them."""
    lead, dialled = _lead_and_digits(raw)
    if _PLUS.search(lead):
        return f"+{dialled}"
    if dialled.startswith("00"):
        return f"+{dialled[2:]}"
    # The parser alone would take 62215550123 for a landline of area 622.
    return f"+{dialled}" if dialled.startswith("62") else dialled


def _lead_and_digits(raw: str) -> tuple[str, str]:
    """What stands before the first digit (`wa.me/`, `tel:+`), and the ASCII digits from there."""
    if len(raw) > RAW_LENGTH_MAX:
        raise PhoneError(raw, f"is {len(raw)} characters long; {HOW_TO_WRITE}")
    text = (raw if raw.isascii() else _visible(raw)).strip()
    found = _NOT_DIGITS.sub("", text)
    written = _WRITTEN.match(text)

    if written is None:
        raise PhoneError(raw, f"has no digits; {HOW_TO_WRITE}")
    if len(found) > DIGITS_MAX:
        raise PhoneError(raw, f"holds two numbers, or has too many digits; {HOW_TO_WRITE}")
    if written.end() < len(text):
        raise PhoneError(raw, f"has {text[written.end()]!r} after its digits; {HOW_TO_WRITE}")
    if text.endswith(".0"):
        # The zero would pass for a last digit, and the number for a stranger's.
        raise PhoneError(raw, f"ends in .0, like a spreadsheet's decimal; {HOW_TO_WRITE}")
    return written[1], found if found.isascii() else _ascii(found)


def _ascii(decimals: str) -> str:
    return "".join(str(unicodedata.decimal(decimal)) for decimal in decimals)


def _visible(raw: str) -> str:
    # Numbers copied from chats and contact cards come wrapped in direction marks and joiners.
    return "".join(char for char in raw if unicodedata.category(char) != "Cf")


def _parsed(dialled: str, raw: str) -> PhoneNumber:
    try:
        return phonenumbers.parse(dialled, "ID")
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise PhoneError(raw, f"has no known country code; {HOW_TO_WRITE}") from None
        raise PhoneError(raw, f"is too short or too long; {HOW_TO_WRITE}") from None


def _why_invalid(dialled: str, number: PhoneNumber) -> str:
    if number.country_code != 62:
        return f"is not a valid number of country +{number.country_code}; check its digits"
    if dialled.startswith(("+", "0", "8")):
        return f"is not a valid Indonesian number; check its digits, and {HOW_TO_WRITE}"
    return f"is not an Indonesian number; {HOW_TO_WRITE}, and a foreign one with + and its country"


def _why_unreachable(kind: int) -> str:
    if kind == PhoneNumberType.FIXED_LINE:
        return "is a landline, which cannot receive WhatsApp; give a mobile number, as 08… or +62…"
    name = PhoneNumberType.to_string(kind).lower().replace("_", " ")
    return f"is a {name} number; give a mobile number, as 08… or +62…"


def _shown(raw: str) -> str:
    # Escaped, so that a line break or half a surrogate pair does not break the log line.
    escaped = repr(raw[: SHOWN_MAX + 1])[1:-1]
    return escaped if len(escaped) <= SHOWN_MAX else f"{escaped[: SHOWN_MAX - 1]}…"
