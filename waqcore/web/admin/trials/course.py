"""One run as it stands: who was queued and called when, in seconds after its beginning."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from msgspec import structs

from waqcore.core.message import State
from waqcore.draft import Draft
from waqcore.message import Message
from waqcore.queue import Queue
from waqcore.status import Status
from waqcore.store.controls import Filter
from waqcore.web.admin.trials.plans import Plan, Planned, Step

SEEN_MIN = 2
"""Looks that see a pause before it ends: on a busy machine they are far between."""

PATIENCE = 20
"""Paces that a step may be put off by."""

OVER = {State.SENT, State.FAILED, State.CANCELLED, State.EXPIRED, State.UNKNOWN}
"""States that nobody leaves without a person."""


@dataclass(frozen=True, kw_only=True)
class CallSeen:
    """One call of a message."""

    at_s: float
    outcome: str
    """Empty: not known yet."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One message as it stands."""

    planned: Planned
    message: Message | None = None
    """None: it has not been queued yet."""
    queued_s: float = 0.0
    eta_s: float | None = None
    """When it was expected to go as it was queued; None: not queued, or unknown."""
    calls: tuple[CallSeen, ...] = ()

    @property
    def state(self) -> State | None:
        """Its state; None: it has not been queued yet."""
        return None if self.message is None else self.message.state

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in OVER


@dataclass(frozen=True, kw_only=True)
class Look:
    """What the status said at one look."""

    at_s: float
    queued: int
    sending: int
    ended: int
    failed: int
    condition: str
    reason: str


@dataclass(kw_only=True)
class Course:
    """What a run has seen so far."""

    plan: Plan
    queue: Queue
    reference: str
    """Groups its messages."""
    to: str = ""
    """Who gets all of them; empty: the made-up people of the plan."""
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    rows: list[Row] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    pressed: dict[str, float] = field(default_factory=dict)
    """When each button of the plan was pressed."""

    def __post_init__(self) -> None:
        self.rows = [Row(planned=planned) for planned in self.plan.messages]

    @property
    def now_s(self) -> float:
        """Seconds since the beginning."""
        return self.since(datetime.now(UTC))

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to any message."""
        return all(row.over for row in self.rows)

    def since(self, at: datetime) -> float:
        """An instant in seconds after the beginning."""
        return (at - self.began_at).total_seconds()

    @property
    def paused(self) -> list[Look]:
        """The looks at which the status said paused."""
        return [look for look in self.looks if look.condition == "paused"]

    def is_time_for(self, step: Step, pace_s: float) -> bool:
        """Whether a step is to be done now; a pause lasts until it has been seen more than once."""
        if self.now_s < step.at * pace_s:
            return False
        long_ago = self.now_s > (step.at + PATIENCE) * pace_s
        return step.presses != "resume" or len(self.paused) >= SEEN_MIN or long_ago

    def do(self, step: Step) -> None:
        """Do what the plan says."""
        if step.presses == "pause":
            self.queue.pause("the test page's monitoring scenario")
        if step.presses == "resume":
            self.queue.resume()
        if step.presses:
            self.pressed[step.presses] = self.now_s
        drafts = [self._ours(planned) for planned in step.queues]
        if step.queues and step.queues[0].now:
            queued = [self.queue.send_now(draft.to, draft.body, **_more(draft)) for draft in drafts]
        else:
            queued = self.queue.enqueue_many(drafts) if drafts else []
        for planned, message in zip(step.queues, queued, strict=True):
            n = self.rows.index(Row(planned=planned))
            eta_at = message.eta.at if message.eta is not None else None
            self.rows[n] = Row(
                planned=planned,
                message=message,
                queued_s=self.since(message.enqueued_at),
                eta_s=None if eta_at is None else self.since(eta_at),
            )

    def look(self) -> None:
        """See what became of everything queued."""
        for n, row in enumerate(self.rows):
            if row.message is not None and not row.over:
                self.rows[n] = self._seen(row, row.message.id)
        self._note(self.queue.status())

    def _seen(self, row: Row, id_: str) -> Row:
        message = self.queue.message(id_)
        calls = tuple(
            CallSeen(at_s=self.since(call.started_at), outcome=call.outcome or "")
            for call in self.queue.attempts(id_)
        )
        return replace(row, message=message, calls=calls)

    def _note(self, status: Status) -> None:
        counts = self.queue.count(Filter(reference=self.reference))
        lane = status.lanes[0]
        self.looks.append(
            Look(
                at_s=self.now_s,
                queued=status.queue_length,
                sending=status.in_flight,
                ended=sum(n for state, n in counts.items() if state in OVER),
                failed=status.failed,
                condition=lane.condition,
                reason=lane.reason,
            )
        )

    def _ours(self, planned: Planned) -> Draft:
        draft = structs.replace(planned.draft, reference=self.reference)
        return structs.replace(draft, to=self.to, expires_at=None) if self.to else draft


def _more(draft: Draft) -> dict[str, object]:
    return {"reference": draft.reference, "on_unknown": draft.on_unknown}
