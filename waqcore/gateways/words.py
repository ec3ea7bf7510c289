"""A gateway's own words, made fit to be kept: short, on one line, and nobody's secrets in them."""

import re

WORDS_MAX = 200
"""Characters kept of a gateway's words: enough for an error, too few for a page."""

MASK = "***"

# More than six digits, however grouped: a phone number. Dates may go with them.
_NUMBER = re.compile(r"\d(?:[\s().+-]*\d){6,}")


def masked(text: str, *secrets: str) -> str:
    """Return a text without the secrets and without numbers of more than six digits.

    Masked before it is cut: half a key at the cut would no longer be found.
    """
    line = " ".join(text.split())
    # The longest first: a short one inside a longer would leave the rest of it standing.
    for secret in sorted({" ".join(secret.split()) for secret in secrets}, key=len, reverse=True):
        if secret:
            line = line.replace(secret, MASK)
    return _NUMBER.sub(MASK, line)[:WORDS_MAX]
