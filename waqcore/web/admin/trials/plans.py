"""The scenarios: what is queued when, how the gateway behaves, and what should come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from waqcore.core.message import State
from waqcore.core.outcome import Accepted, Answer, NotSent, Rejected, Unknown
from waqcore.demo.scenario import registrations
from waqcore.draft import Draft
from waqcore.gateways.gateway import Call

NUMBERS = tuple(f"0812-0000-00{n:02}" for n in range(1, 13))
"""Made up."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One message of a scenario."""

    name: str
    draft: Draft
    now: bool = False
    """It goes before everything queued."""
    ends: State = State.SENT
    calls: int = 1
    """How many calls it should take."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that a scenario does."""

    at: float
    """In paces after the beginning."""
    queues: tuple[Planned, ...] = ()
    """Messages queued in one transaction."""
    presses: str = ""
    """`pause` or `resume`; empty: no button."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One scenario."""

    name: str
    title: str
    about: str
    steps: tuple[Step, ...]
    script: Callable[[Call, int], Answer] = field(default=lambda call, n: Accepted(f"sandbox-{n}"))
    """How the sandbox answers; a live gateway answers as it likes."""
    gather: float = 0.5
    """In paces: how long an idle sender waits for more before its first call."""
    may_be_live: bool = False

    @property
    def messages(self) -> list[Planned]:
        """All of its messages, in the order of queuing."""
        return [planned for step in self.steps for planned in step.queues]


def _registration() -> Plan:
    steps = tuple(
        Step(
            at=one.at_s,
            queues=tuple(
                Planned(name=f"{planned.user}: {planned.kind}", draft=planned.draft)
                for planned in one.messages
            ),
        )
        for one in registrations(1.0)
    )
    return Plan(
        name="registration",
        title="Five people register",
        about="Five register within half a pace; each gets a payment link (high) and an activation "
        "(normal). All five links should leave before the first activation.",
        steps=steps,
        may_be_live=True,
    )


def _priority() -> Plan:
    words = ("low", "normal", "high") * 3
    queued = tuple(
        Planned(
            name=f"{word} {n // 3 + 1}",
            draft=Draft(to=NUMBERS[n], body=f"Test, {word} priority.", priority=word),
        )
        for n, word in enumerate(words)
    )
    urgent = Planned(name="send now", draft=Draft(to=NUMBERS[9], body="Test, now."), now=True)
    return Plan(
        name="priority",
        title="Priorities",
        about="Three messages of each priority are queued mixed; one that is sent now comes in "
        "later. High goes before normal before low, first come first served; the late one next.",
        steps=(Step(at=0, queues=queued), Step(at=4.2, queues=(urgent,))),
        may_be_live=True,
    )


_FAILURES: dict[str, tuple[Answer, ...]] = {
    "fails once": (NotSent("sandbox: failed once"),),
    "always fails": (NotSent("sandbox: always fails"),) * 3,
    "not on WhatsApp": (Rejected("sandbox: not on WhatsApp"),),
    "no answer": (Unknown("sandbox: no answer came"),),
}
"""How calls for a message end, one after the other; then, and for others, they are accepted."""


def _failure() -> Plan:
    ends = {
        "fails once": (State.SENT, 2),
        "always fails": (State.FAILED, 3),
        "not on WhatsApp": (State.FAILED, 1),
        "no answer": (State.UNKNOWN, 1),
    }
    names = ("fails once", "plain 1", "always fails", "not on WhatsApp", "no answer", "plain 2")
    planned = []
    for n, name in enumerate(names):
        state, calls = ends.get(name, (State.SENT, 1))
        draft = Draft(to=NUMBERS[n], body=name, on_unknown="hold")
        planned.append(Planned(name=name, draft=draft, ends=state, calls=calls))
    seen: dict[str, int] = {}

    def script(call: Call, n: int) -> Answer:
        tried = seen[call.body] = seen.get(call.body, 0) + 1
        answers = _FAILURES.get(call.body, ())
        return answers[tried - 1] if tried <= len(answers) else Accepted(f"sandbox-{n}")

    return Plan(
        name="failure",
        title="Failures",
        about="One message fails once and is retried, one fails three times and is kept for "
        "review, one can never succeed, of one nobody knows; two are plain. The pace holds.",
        steps=(Step(at=0, queues=tuple(planned)),),
        script=script,
    )


def _monitoring() -> Plan:
    queued = tuple(
        Planned(name=f"message {n + 1}", draft=Draft(to=NUMBERS[n], body=f"Test {n + 1}."))
        for n in range(6)
    )
    return Plan(
        name="monitoring",
        title="Monitoring",
        about="Six messages; a pause after the second, a resume later. The status must add up at "
        "every look, say paused and why, and nothing may leave meanwhile.",
        steps=(
            Step(at=0, queues=queued),
            Step(at=1.8, presses="pause"),
            Step(at=4.5, presses="resume"),
        ),
    )


def plans() -> Sequence[Plan]:
    """The scenarios, each new: their gateways remember what they were asked."""
    return (_registration(), _priority(), _failure(), _monitoring())


def plan(name: str) -> Plan | None:
    """A scenario by name; None: there is none of that name."""
    return {one.name: one for one in plans()}.get(name)
