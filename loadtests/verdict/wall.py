"""What the service wrote by a wall that was stepped, on the true one.

The gateway, Locust and the runner live by the true wall, the service by one that chaos may have
set; the run's record tells when, and how far ahead it was from then on. Each setting lasted from
one step to the next, and showed a stretch of instants that no other setting showed: so each of the
service's instants is of one setting, and true once what that was ahead is taken off.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from loadtests.verdict.folder import CannotJudge, Folder
from loadtests.verdict.records import US, Acknowledged, Attempt, Disturbance, Message, Run

TOLD_WITHIN_US = US
"""How long before its acknowledgement an ETA may have been reckoned, if that is not known."""


OFF_MAX_US = 60 * US
"""How far outside a setting an instant may lie: one that began before a step may be told after it,
by the new setting, as may what the service does before and after people come."""


class Setting(NamedTuple):
    """A time in which the service's wall was as far ahead of the true one; true instants."""

    since: int
    until: int
    ahead_us: int

    def off_us(self, shown_at: int) -> int:
        """How far an instant on the service's wall lies outside; 0: within."""
        at = shown_at - self.ahead_us
        return max(0, self.since - at, at - self.until)


class LeftOut(NamedTuple):
    """What cannot be compared, since the service's wall was stepped."""

    starts: frozenset[tuple[str, int]] = frozenset()
    """Attempts, by message and number, of which only the claim is known to the millisecond: an
    export tells starts by the wall as it was last, and trims those of other settings."""
    etas: int = 0
    """Forecasts told about when the wall was stepped: by which setting, nobody knows."""


def on_the_true_wall(folder: Folder) -> tuple[Folder, LeftOut]:
    """The same records with every instant on the true wall.

    Raises:
        CannotJudge: two settings of the wall showed the same instant, or the service wrote one that
            none showed; or a message was to go at an instant, which is then no true one.
    """
    settings = _settings(folder.run)
    if len(settings) == 1:
        return folder, LeftOut()
    acknowledged = [_promise(one, settings) for one in folder.acknowledged]
    untold = sum(
        after.eta_at is None and before.eta_at is not None
        for before, after in zip(folder.acknowledged, acknowledged, strict=True)
    )
    starts = frozenset(
        (one.message_id, one.number)
        for one in folder.attempts
        if one.called_at is not None and not _is_of_the_last(one, settings)
    )
    attempts = [_attempt(one, settings, starts) for one in folder.attempts]
    messages = [_message(one, settings) for one in folder.messages]
    moved = folder._replace(messages=messages, attempts=attempts, acknowledged=acknowledged)
    return moved, LeftOut(starts, untold)


def _settings(run: Run) -> list[Setting]:
    """Those of a run, the first as far ahead as nobody had set it; they meet where a step was, and
    overlap by as long as it took."""
    steps = sorted(
        (one for one in run.chaos if one.what is Disturbance.STEP), key=lambda one: one.at
    )
    begins = [(run.started_at, run.started_at, 0)]
    begins += [(one.at, one.restored_at, one.ahead_us) for one in steps]
    ends = [restored_at for _, restored_at, _ in begins[1:]] + [run.ended_at]
    found = [Setting(at, end, ahead) for (at, _, ahead), end in zip(begins, ends, strict=True)]
    _see_that_none_overlap(found)
    return found


def _see_that_none_overlap(settings: Sequence[Setting]) -> None:
    shown = sorted((one.since + one.ahead_us, one.until + one.ahead_us, one) for one in settings)
    for (_, until, before), (since, _, after) in pairwise(shown):
        if since < until and before.ahead_us != after.ahead_us:
            raise CannotJudge(
                "the service's wall showed the same instants twice, "
                f"{before.ahead_us / US:+,.0f} s and {after.ahead_us / US:+,.0f} s from the true "
                "one: steps must be longer than the run"
            )


def _setting(shown_at: int, settings: Sequence[Setting]) -> Setting:
    found = min(settings, key=lambda one: one.off_us(shown_at))
    if found.off_us(shown_at) > OFF_MAX_US:
        raise CannotJudge(
            f"the service wrote {shown_at}, which its wall did not show by {found.off_us(shown_at)}"
            " µs, however it was set"
        )
    return found


def _true(shown_at: int | None, settings: Sequence[Setting]) -> int | None:
    return None if shown_at is None else shown_at - _setting(shown_at, settings).ahead_us


def _message(one: Message, settings: Sequence[Setting]) -> Message:
    if one.send_at is not None:
        raise CannotJudge(
            f"{one.id} has a send_at: when the stepped wall of the service showed that is not known"
        )
    enqueued_at = one.enqueued_at - _setting(one.enqueued_at, settings).ahead_us
    return msgspec.structs.replace(
        one, enqueued_at=enqueued_at, ended_at=_true(one.ended_at, settings)
    )


def _attempt(
    one: Attempt, settings: Sequence[Setting], starts: frozenset[tuple[str, int]]
) -> Attempt:
    is_trimmed = (one.message_id, one.number) in starts
    called_at = one.claimed_at or one.called_at if is_trimmed else one.called_at
    return msgspec.structs.replace(
        one,
        claimed_at=_true(one.claimed_at, settings),
        called_at=_true(called_at, settings),
        finished_at=_true(one.finished_at, settings),
    )


def _is_of_the_last(one: Attempt, settings: Sequence[Setting]) -> bool:
    """Whether a call began and ended while the wall was as the export found it."""
    instants = (one.claimed_at, one.called_at, one.finished_at)
    last = settings[-1].ahead_us
    return all(_setting(at, settings).ahead_us == last for at in instants if at is not None)


def _promise(one: Acknowledged, settings: Sequence[Setting]) -> Acknowledged:
    """A promise with its forecast, which is left out if the wall may have been stepped between."""
    asked_at = one.acknowledged_at - max(one.took_us or 0, TOLD_WITHIN_US)
    during = [one_of for one_of in settings if one_of.since <= one.acknowledged_at]
    setting = during[-1] if during else settings[0]
    is_known = setting is settings[0] or settings[settings.index(setting) - 1].until < asked_at
    low, at, high = (
        None if eta is None or not is_known else eta - setting.ahead_us
        for eta in (one.eta_low_at, one.eta_at, one.eta_high_at)
    )
    return msgspec.structs.replace(one, eta_low_at=low, eta_at=at, eta_high_at=high)
