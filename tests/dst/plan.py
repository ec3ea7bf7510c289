"""A story made from a seed: who enqueues and presses what, what breaks, how the gateway answers.

A plan is plain data, so that a failing one can be cut down act by act and played again.
"""

import random
from typing import NamedTuple

SECOND = 1_000_000
NAMES = ("d1", "d2")
SENDERS = ("628114040707", "628114040808")


class Rules(NamedTuple):
    """What holds throughout a story."""

    senders: int
    pace_s: float
    guard_ms: float
    max_attempts: int
    backoff_s: float
    on_unknown: str
    breaker: int
    quick_store: bool
    """Store calls take no time, so that many things fall on one instant."""
    torn: float
    """The share of store calls whose commit holds though the dispatcher hears that it failed."""
    failing: float
    """The share of store calls that fail before anything is done."""
    dying: float
    """The share of store calls at which the dispatcher dies, before or after the call."""
    trouble: float
    """The share of gateway calls that do not end well."""


class Act(NamedTuple):
    """Something that happens at an instant."""

    at: int
    """Microseconds since the story began."""
    what: str
    args: tuple[object, ...] = ()

    def __str__(self) -> str:
        said = " ".join(str(arg) for arg in self.args)
        return f"{self.at / SECOND:9.3f} s  {self.what} {said}".rstrip()


class Aim(NamedTuple):
    """Something that happens while a call is in flight: what chance alone hits too seldom."""

    call: int
    """The how manyth call that arrives, from 1."""
    what: str
    """`freeze`: its process stands still for 40 s; `kill`: it dies; `stop`: it is told to end, and
    its store fails for a moment; `cancel`: a person cancels the message; `retake`: its process
    stands still until another calls for the same message; `withdraw`: of the claims that are made
    from then on, a person cancels one before it is called for."""


class Plan(NamedTuple):
    """A whole story."""

    seed: int
    rules: Rules
    acts: tuple[Act, ...]
    until: int
    """When its faults end, in microseconds; what comes after must end well."""
    aim: Aim | None
    """What happens in the middle of a call; None: nothing but by chance."""


def plan_of(seed: int) -> Plan:
    """The story of a seed; the same one every time."""
    chance = random.Random(seed)
    rules = Rules(
        senders=chance.choice((1, 1, 2)),
        pace_s=chance.choice((1.0, 4.0, 10.0, 20.0)),
        guard_ms=chance.choice((0.0, 50.0)),
        max_attempts=chance.choice((1, 2, 3)),
        backoff_s=chance.choice((1.0, 5.0, 40.0)),
        on_unknown=chance.choice(("resend", "resend", "hold")),
        breaker=chance.choice((2, 3)),
        quick_store=chance.random() < 0.5,
        torn=chance.choice((0.0, 0.0, 0.02, 0.1)),
        failing=chance.choice((0.0, 0.02, 0.1)),
        dying=chance.choice((0.0, 0.01, 0.04)),
        trouble=chance.choice((0.0, 0.2, 0.5)),
    )
    until = chance.choice((30, 60, 120)) * SECOND
    acts = [Act(0, "start", (NAMES[0],))]
    if chance.random() < 0.7:
        acts.append(Act(_instant(chance, until // 2), "start", (NAMES[1],)))
    acts += [_enqueue(chance, rules, until) for _ in range(chance.randint(2, 9))]
    acts += [_press(chance, rules, until) for _ in range(chance.randint(0, 5))]
    acts += [_break(chance, until) for _ in range(chance.randint(0, 3))]
    acts.sort(key=lambda act: act.at)
    aim = None
    if chance.random() < 0.5:
        what = chance.choice(("freeze", "freeze", "kill", "stop", "cancel", "cancel"))
        aim = Aim(chance.choice((1, 1, 2, 3)), what)
        if what == "cancel":
            acts.append(Act(until - SECOND, "resolve", ("resend",)))
    if aim is None and chance.random() < 0.4:
        aim = Aim(1, chance.choice(("retake", "withdraw")))
        acts.insert(1, Act(0, "start", (NAMES[1],)))
    if chance.random() < 0.1:
        many = chance.choice((2, 3, 5))
        args = (many, chance.randrange(rules.senders), chance.randrange(many))
        acts.insert(1, Act(0, "chorus", args))
    return Plan(seed, rules, tuple(acts), until, aim)


def _instant(chance: random.Random, until: int) -> int:
    """Often a round one: what falls on one instant is where orders are decided."""
    if chance.random() < 0.5:
        return chance.randrange(0, until // SECOND) * SECOND
    return chance.randrange(0, until)


def _enqueue(chance: random.Random, rules: Rules, until: int) -> Act:
    at = chance.choice((0, 0, _instant(chance, until)))
    how_many = chance.choice((1, 1, 2, 3))
    return Act(
        at,
        "enqueue",
        (
            how_many,
            chance.randrange(rules.senders),
            chance.choice(("high", "normal", "normal", "low")),
            chance.choice((None, None, None, 7, 25)),
            chance.choice((None, None, None, 12, 60)),
        ),
    )


def _press(chance: random.Random, rules: Rules, until: int) -> Act:
    what = chance.choice(
        (
            "pause", "resume", "cancel", "clear", "restore", "retry", "resolve", "prioritise",
            "process", "suppress", "send_now",
        )
    )  # fmt: skip
    which = chance.randrange(12)
    args: dict[str, tuple[object, ...]] = {
        "pause": (chance.randrange(rules.senders), chance.choice((None, 15, 40))),
        "cancel": (which,),
        "resolve": (chance.choice(("sent", "resend", "drop")),),
        "prioritise": (which, chance.choice(("high", "low"))),
        "send_now": (chance.randrange(rules.senders),),
        "suppress": (which,),
    }
    return Act(_instant(chance, until), what, args.get(what, ()))


def _break(chance: random.Random, until: int) -> Act:
    what = chance.choice(("kill", "kill", "stop", "freeze", "step", "step", "reboot"))
    name = chance.choice(NAMES)
    args: dict[str, tuple[object, ...]] = {
        "kill": (name, chance.choice((0.1, 3.0, 20.0)), chance.random() < 0.5),
        "stop": (name, chance.choice((0.1, 3.0, 20.0)), False),
        "freeze": (name, chance.choice((2.0, 16.0, 40.0))),
        "step": (chance.choice((-3600, -5, 5, 3600)),),
        "reboot": (chance.choice((0, -60, 60)),),
    }
    return Act(_instant(chance, until), what, args[what])
