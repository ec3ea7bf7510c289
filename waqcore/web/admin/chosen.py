"""Which messages a form or an address means."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from waqcore.core.message import Priority, State
from waqcore.phone import PhoneError, parse_phone
from waqcore.store.controls import Filter

FIELDS = ("q", "state", "priority", "sender")
"""The names by which pages pass a filter on."""


class FormError(ValueError):
    """What was asked for cannot be done as it stands."""


@dataclass(frozen=True)
class Chosen:
    """A filter, as it was asked for and as it is meant."""

    fields: dict[str, str]
    """What was given, by name; nothing is left out as empty."""
    which: Filter

    @property
    def query(self) -> str:
        """The same as the end of an address."""
        return urlencode(self.fields)


def chosen(given: Mapping[str, object]) -> Chosen:
    """The filter that a form or an address describes.

    Raises:
        FormError: a word that means nothing.
        PhoneError: a number that is none.
    """
    fields = {name: str(given.get(name, "")).strip() for name in FIELDS}
    fields = {name: value for name, value in fields.items() if value}
    which = searched(fields.get("q", ""))
    if "state" in fields:
        which = which._replace(states=(_state(fields["state"]),))
    if "priority" in fields:
        which = which._replace(priority=priority(fields["priority"]))
    if "sender" in fields:
        which = which._replace(sender=fields["sender"])
    return Chosen(fields, which)


def searched(text: str) -> Filter:
    """What somebody looks for: a message's id, a number, or else a reference.

    Raises:
        PhoneError: it looks like a number and is none.
    """
    if not text:
        return Filter()
    if text.startswith("msg_"):
        return Filter(ids=(text,))
    try:
        return Filter(recipient=parse_phone(text, mobile_only=False))
    except PhoneError:
        if set(text) <= set("+0123456789 -().") and len(text) > 5:
            raise
    return Filter(reference=text)


def priority(word: str) -> Priority:
    """A priority by its word.

    Raises:
        FormError: there is no such priority.
    """
    found = {one.word: one for one in Priority}.get(word)
    if found is None:
        raise FormError(f"there is no priority {word[:40]!r}: it is high, normal or low")
    return found


def _state(word: str) -> State:
    try:
        return State(word)
    except ValueError:
        known = ", ".join(state.value for state in State)
        raise FormError(f"there is no state {word[:40]!r}: it is one of {known}") from None
