"""What may be the text of a message: what every gateway, and SQLite, carries unchanged."""

import re
import unicodedata

TEXT_UNITS_MAX = 4096
"""UTF-16 code units, of which an emoji takes two or more.

Source: Meta, Cloud API, `text.body`: 4096 characters (read in 360dialog's documentation). Whether
Meta counts code points or UTF-16 units is not documented; units are the stricter reading.
"""

# All control characters but tab, line feed and carriage return, and all halves of surrogate pairs.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class TextError(ValueError):
    """A text that cannot be sent as it is; whoever wrote it has to change it."""


def clean_text(raw: str) -> str:
    """Return the text to store: NFC, without outer whitespace, its lines ended by LF.

    MPWA trims texts on its own; trimming here makes what is stored what is sent. A text over the
    limit is refused, not cut: the end is where the payment link stands.

    Raises:
        TextError: it is empty, too long, or has control characters or lone surrogates.
    """
    text = raw if raw.isprintable() else _lines(raw)  # One line: nothing in it is forbidden.
    text = unicodedata.normalize("NFC", text).strip()

    if not text:
        raise TextError("the text is empty; write something to send")
    if (units := _utf16_units(text)) > TEXT_UNITS_MAX:
        raise TextError(
            f"the text is {units} UTF-16 units long and the limit is {TEXT_UNITS_MAX}; shorten it"
        )
    return text


def rewritten_by_mpwa(text: str) -> str | None:
    """Return the first fragment that MPWA may replace before sending, None if it leaves all as is.

    MPWA picks one option of `{a|b|c}` at random, and puts the recipient in place of `{number}` and
    random characters in place of `{random_text}` and `{random_num}`. Any opening brace with a
    closing one behind it counts, since nobody promises that the list is complete.

    Source: zymzz-id/MPWA at c41106a, `server/whatsapp.js`, `randomizeText`; other versions
    of MPWA may differ.
    """
    start = text.find("{")
    end = text.find("}", start)
    return text[start : end + 1] if 0 <= start < end else None


def _lines(raw: str) -> str:
    if found := _FORBIDDEN.search(raw):
        raise TextError(_why_forbidden(found))
    return raw.replace("\r\n", "\n").replace("\r", "\n")


def _why_forbidden(found: re.Match[str]) -> str:
    code = ord(found[0])
    what = "half of a surrogate pair" if code >= 0xD800 else "a control character"
    return f"the text has U+{code:04X}, {what}, at index {found.start()}; remove it"


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
