"""What MPWA does to numbers and texts before WhatsApp sees them.

Source: zymzz-id/MPWA, `server/lib/helper.js` and its in-app `api-docs` pages.
"""

import random
import re
import string

_NOT_A_DIGIT = re.compile(r"\D", re.ASCII)
_SPINTAX = re.compile(r"\{([^{}]*\|[^{}]*)\}")  # The innermost braces that hold a choice.
_RANDOM_CHARACTERS = 4  # As many as `{random_text}` and `{random_num}` become.


def normal_number(written: str) -> str:
    """The number WhatsApp is asked for; empty if *written* holds no digit."""
    written = written.strip()
    if written.endswith(("@g.us", "@newsletter")):
        return written
    digits = _NOT_A_DIGIT.sub("", written)
    if digits.startswith("08"):
        return "628" + digits[2:]
    return digits.removeprefix("00")


def recipients(number: str) -> tuple[str, ...]:
    """The numbers of one call, in order, each once."""
    return tuple(dict.fromkeys(normal_number(part) for part in number.split("|") if part.strip()))


def delivered_text(message: str, *, number: str, footer: str, chance: random.Random) -> str:
    """The text that reaches *number*'s phone."""
    text = message.strip()
    if "{" in text:
        text = _without_braces(text, number=number, chance=chance)
    return f"{text}\n\n> _{footer}_" if footer else text


def _without_braces(text: str, *, number: str, chance: random.Random) -> str:
    text = text.replace("{number}", number)
    text = re.sub(r"\{random_text\}", lambda _: _drawn(string.ascii_lowercase, chance), text)
    text = re.sub(r"\{random_num\}", lambda _: _drawn(string.digits, chance), text)
    found = 1
    while found:  # Each round takes away the innermost braces, so this ends.
        text, found = _SPINTAX.subn(lambda choice: chance.choice(choice[1].split("|")), text)
    return text


def _drawn(alphabet: str, chance: random.Random) -> str:
    return "".join(chance.choices(alphabet, k=_RANDOM_CHARACTERS))
