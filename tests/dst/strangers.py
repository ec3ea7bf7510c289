"""Bugs by somebody who has not read how the stories are judged: would they be noticed?"""

from tests.dst.bugs import Bug

STRANGERS = (
    Bug(
        # P1: it is settled under a second call, whose end then frees the lane without its pace.
        "takes a late acceptance for whichever call is in flight by now",
        "waqcore.core.settle",
        "settle_late",
        "message.attempts == attempt",
        "message.attempts >= attempt",
        321,
    ),
    Bug(
        # P5: whom a person told to be called again is cancelled instead, if that was once asked.
        "resends what was resolved with an old wish to cancel it",
        "waqcore.core.control",
        "resolve",
        "cancel_requested=False,",
        "",
        3,
    ),
    Bug(
        # P1 and P4: where several lanes begin at once, one that was lost meanwhile is called for.
        "begins every call of a batch if one may begin",
        "waqcore.store.attempts",
        "begin",
        "if begun == len(wanted)",
        "if begun",
        20,
    ),
    Bug(
        # P6: after a wall set ahead the dead are not noticed, after one set back the living are.
        "renews a dispatcher's lease by the wall",
        "waqcore.store.presence",
        "beat",
        "lease_until=now.steady + lease_us",
        "lease_until=now.wall + lease_us",
        49,
    ),
    Bug(
        # P3: a retry is not called for, though due and first, before something scheduled falls due.
        "sleeps past a retry to what is scheduled",
        "waqcore.store.messages",
        "next_due",
        "min(scheduled_at, NEVER if retry_at is None else retry_at)",
        "scheduled_at if send_at is not None else retry_at or NEVER",
        866,
    ),
    Bug(
        # P2: whoever shared the leader's commit hears of no error, and the leader of another's.
        "tells the leader of a commit what failed for another",
        "waqcore.store.commit",
        "GroupCommit._failed",
        "batch[0].error = self._explained(error)",
        "leader.error = self._explained(error)",
        3,
    ),
    Bug(
        # P5: what was accepted is left in `sending`, and called again once that is taken over.
        "stops with an answer in hand",
        "waqcore.dispatcher.dispatcher",
        "Dispatcher.run",
        "if self._stopping and not (self._calls or self._ended or self._perhaps_ours()):",
        "if self._stopping and not (self._calls or self._perhaps_ours()):",
        28,
    ),
    Bug(
        # P5: a request that broke on its way out may have arrived; it is sent again without a word.
        "believes that nothing left before it had all been handed over",
        "waqcore.dispatcher.calls",
        "_broken",
        "departure.checked_at is None",
        "departure.left_at is None",
        36,
    ),
)
"""Each breaks a promise in some schedule; the comment says which its author thinks it is."""
