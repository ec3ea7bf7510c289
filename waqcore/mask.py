"""How a phone number looks where it must not be read: in logs and metrics."""

HIDDEN_MIN = 4
"""Characters: with fewer of them hidden, trying them all would be quick, so all are."""


def mask(number: str) -> str:
    """Return the number with stars for all but its first two digits and its last three.

    `+6281234567890` becomes `+62********890`. A number too short to hide anything is all stars.
    """
    head = 3 if number.startswith("+") else 2
    hidden = len(number) - head - 3
    if hidden < HIDDEN_MIN:
        return "*" * len(number)
    return f"{number[:head]}{'*' * hidden}{number[-3:]}"
