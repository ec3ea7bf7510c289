"""How instants, numbers and messages are worded on a page."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from markupsafe import Markup

from waqcore.mask import mask
from waqcore.message import Eta, Message
from waqcore.message import instant as instant_of
from waqcore.words import View, count, line, relative

_TIME = Markup('<time datetime="{}" title="{}"{}>{}</time>')

SHOWN_MAX = 120
"""Characters of a text that a list shows."""


@dataclass(frozen=True)
class Wording:
    """Words at one moment, in the operator's time zone."""

    now: datetime
    zone: tzinfo

    @property
    def view(self) -> View:
        """The same, as lines of a terminal are worded."""
        return View(now=self.now, zone=self.zone)

    def rel(self, at: datetime) -> Markup:
        """An instant as seen from now; the browser keeps it right."""
        return self._time(at, relative(at, self.now), Markup(" data-rel"))

    def clock(self, at: datetime) -> Markup:
        """The local time of an instant."""
        return self._time(at, self.view.clock(at), Markup(""))

    def when(self, at: datetime) -> Markup:
        """An instant both ways."""
        return Markup('{} <span class="clock">{}</span>').format(self.rel(at), self.clock(at))

    def until(self, at: datetime) -> str:
        """The word before an instant that something lasts to; past it, what is to follow is due."""
        return "until" if at > self.now else "due"

    def full(self, at: datetime) -> str:
        """An instant with its date and zone."""
        return f"{at.astimezone(self.zone):%a %d %b %Y %H:%M:%S %Z}"

    def instant(self, wall_us: int) -> datetime:
        """A stored instant."""
        return instant_of(wall_us)

    def number(self, number: str) -> str:
        """A recipient's number where it must not be read."""
        return mask(number)

    def line(self, text: str) -> str:
        """Text from elsewhere as one line."""
        return line(text)

    def short(self, text: str) -> str:
        """The beginning of a text, as one line."""
        said = line(text)
        return said if len(said) <= SHOWN_MAX else f"{said[: SHOWN_MAX - 1]}…"

    def likely(self, eta: Eta) -> str:
        """The range of an ETA, where it has one worth telling."""
        if eta.low_at is None or eta.high_at is None:
            return ""
        low, high = self.view.clock(eta.low_at), self.view.clock(eta.high_at)
        return f"likely {low} to {high}" if low != high else ""

    def ahead(self, eta: Eta) -> str:
        """What goes before a message."""
        if not eta.ahead:
            return "next"
        return f"{'' if eta.exact else 'about '}{count(eta.ahead, 'message')} before it"

    def note(self, message: Message) -> str:
        """What there is to say of a message in a list."""
        why = message.reason or (message.eta.reason if message.eta is not None else "")
        said = (
            message.reference or "",
            why,
            "may be sent twice" if message.maybe_duplicate else "",
            "to be cancelled if its call fails" if message.cancel_requested else "",
            "expires before its turn" if message.warning else "",
        )
        return line(" · ".join(part for part in said if part))

    def _time(self, at: datetime, text: str, more: Markup) -> Markup:
        iso = at.astimezone(self.zone).isoformat(timespec="seconds")
        return _TIME.format(iso, self.full(at), more, text)
