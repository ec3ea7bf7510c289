"""What may stand in a text that people did not write as a text: names, links, sums, instants.

Whoever registers types a name, and it goes out from our number: it may not change how the rest of
the message looks, hide a part of it, or bring a link of its own.
"""

import re
import unicodedata
from datetime import datetime

from waqcore.templates import Language, TemplatesError

NAME_MAX = 80
"""Characters; longer ones are cut: a message is about something else."""

VALUE_MAX = 500
"""Characters of anything else an application sends along, which is refused rather than cut."""

URL_MAX = 2_000
"""Characters; what browsers and WhatsApp still take for one link."""

MARKUP = "*_~`{}"
"""WhatsApp's marks for bold, italics, strike-through and code; MPWA's braces (see `text`)."""

_MARKUP = str.maketrans(dict.fromkeys(MARKUP, " "))

# At the start of a line these make a quotation or a list.
_LINE_START = re.compile(r"^[>\-•#\s]+")

# A dot with a letter behind it makes a link of a name: evil.example, M.Rizki. The latter is written
# with a space as well.
_LINKING = re.compile(r"(?<=\w)\.(?=\w)")
_SCHEME = re.compile(r"[:/\\@]+")

# ASCII alone: what looks like a letter of another alphabet, or cannot be seen, has no place in it.
_LINK = re.compile(r"https?://[a-zA-Z0-9.\-]+(:[0-9]+)?([/?#][!#-;=?-\[\]^_a-z|~]*)?")

_MONTHS = {
    Language.ID: (
        *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
        *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
    ),
    Language.EN: (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}


def name(raw: str) -> str:
    """A person's name as it may stand in a text.

    Raises:
        TemplatesError: nothing is left of it.
    """
    shown = _SCHEME.sub(" ", _LINKING.sub(". ", plain(raw)))
    shown = _LINE_START.sub("", " ".join(shown.split()))
    if len(shown) > NAME_MAX:
        # Never between a letter and its marks.
        end = NAME_MAX - 1
        while end and unicodedata.category(shown[end]).startswith("M"):
            end -= 1
        shown = f"{shown[:end].rstrip()}…"
    if not any(unicodedata.category(char)[0] in "LN" for char in shown):
        raise TemplatesError(f"the name {raw[:40]!r} has no letter in it: give the person's name")
    return shown


def plain(raw: str) -> str:
    """A text on one line, without markup, controls and what no one can see."""
    text = unicodedata.normalize("NFC", raw)
    visible = "".join(_visible(char) for char in text)
    return " ".join(visible.translate(_MARKUP).split())


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category in ("Cc", "Zl", "Zp", "Zs"):
        return " "
    # Format characters are all invisible, direction marks among them; halves of surrogate pairs
    # and private characters are nothing that anybody can read.
    return "" if category in ("Cf", "Cs", "Co", "Cn") or char in _BLANKS else char


_BLANKS = "\u115f\u1160\u3164\uffa0\u2800\u034f\u180b\u180c\u180d\ufe0e\ufe0f"
"""Letters and marks that show nothing. The last two choose between a sign and its emoji."""


def other(key: str, raw: object) -> object:
    """Something else an application sent along: a link stays as it is, a text is neutralised.

    Raises:
        TemplatesError: it is too long, or neither a text, a number, nor yes or no.
    """
    if raw is None or isinstance(raw, bool | int | float):
        return raw
    if not isinstance(raw, str):
        raise TemplatesError(f"{key} must be a text, a number, true or false, not {type(raw)}")
    if len(raw) > VALUE_MAX:
        raise TemplatesError(f"{key} has {len(raw)} characters, and may have {VALUE_MAX}")
    return raw if _LINK.fullmatch(raw) else _LINE_START.sub("", plain(raw))


def link(key: str, raw: str) -> str:
    """A link whole, as what it leads to must not change.

    Raises:
        TemplatesError: it is none that WhatsApp shows as a link and every gateway leaves alone.
    """
    if len(raw) > URL_MAX or _LINK.fullmatch(raw) is None:
        raise TemplatesError(
            f"{key} is not a link that can be sent: {raw[:60]!r}; write it as https://…, without "
            "spaces, and braces as %7B and %7D"
        )
    return raw


def amount(raw: int | float | str | None, language: Language) -> str | None:
    """A sum in rupiah as people write it; a text is taken as it is. None: none was given."""
    if raw is None or isinstance(raw, str):
        return None if raw is None else plain(raw)
    if not 0 <= raw < 1e15:
        raise TemplatesError(f"amount must be from 0 to 10^15 rupiah, not {raw}")
    whole = f"{raw:,.0f}" if raw == int(raw) else f"{raw:,.2f}"
    if language is Language.EN:
        return f"IDR {whole}"
    return "Rp" + whole.translate(str.maketrans(",.", ".,"))


def instant(at: datetime | None, language: Language) -> str | None:
    """An instant to the minute, in its own time zone, which it names. None: none was given."""
    if at is None:
        return None
    day = f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}"
    if language is Language.EN:
        return f"{day}, {at:%H:%M} {at:%Z}"
    return f"{day} pukul {at:%H.%M} {at:%Z}"
