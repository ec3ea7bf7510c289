"""Ten thousand events, repeated and in any order, from many threads: exactly the right messages."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.payments.stage import OnEngine, a_queue, somebody
from waqcore.core.message import State
from waqcore.message import Message
from waqcore.payments import PaymentEvent, Verdict, settle
from waqcore.queue import Queue
from waqcore.registration import Registration, find, register
from waqcore.store.controls import Filter
from waqcore.templates import shipped

SEED = 20_260_101

# What becomes of each person's two invoices, by whose turn it is; and what their payment must be.
STORIES: tuple[tuple[tuple[tuple[str, Verdict], ...], str], ...] = (
    ((("a", Verdict.OPEN),), "pending"),
    ((("a", Verdict.PAID),), "paid"),
    ((("a", Verdict.FAILED),), "failed"),
    ((("a", Verdict.FAILED), ("b", Verdict.PAID)), "paid"),
    ((("a", Verdict.PAID), ("b", Verdict.FAILED)), "paid"),
    ((("a", Verdict.FAILED), ("b", Verdict.FAILED)), "failed"),
    ((("a", Verdict.OPEN), ("a", Verdict.PAID), ("a", Verdict.FAILED)), "paid"),
    ((("a", Verdict.PAID), ("b", Verdict.PAID)), "paid"),
)


@pytest.fixture
def queue(tmp_path: Path, on_engine: OnEngine) -> Iterator[Queue]:
    with a_queue(tmp_path, None, on_engine) as queue:
        yield queue


def happened(chance: random.Random, people: int, events: int) -> list[PaymentEvent]:
    """Every event at least once, others again, in no order."""
    once = [
        PaymentEvent("xendit", f"{n}{name}:{verdict}", f"REG-{n}", f"{n}{name}", verdict, verdict)
        for n in range(people)
        for name, verdict in STORIES[n % len(STORIES)][0]
    ]
    all_ = once + chance.choices(once, k=events - len(once))
    chance.shuffle(all_)
    return all_


@pytest.mark.parametrize(
    ("engine", "threads", "people", "number"),
    [
        ("sqlite", 16, 400, 10_000),
        ("sqlite", 1, 80, 1_000),
        ("postgresql", 16, 80, 1_000),
    ],
)
def test_what_is_repeated_and_shuffled_is_told_once_and_right(
    queue: Queue, threads: int, people: int, number: int
) -> None:
    chance = random.Random(SEED)
    events = happened(chance, people, number)
    early = {n for n in range(people) if n % 5}
    for n in early:
        register(queue, somebody(f"REG-{n}"))
    jobs: list[PaymentEvent | Registration] = [*events]
    for n in set(range(people)) - early:  # They register in the midst of it.
        jobs.insert(chance.randrange(len(jobs)), somebody(f"REG-{n}"))

    def work(job: PaymentEvent | Registration) -> str:
        if isinstance(job, PaymentEvent):
            return settle.take(queue, shipped(), job)
        return str(register(queue, job).repeated)

    with ThreadPoolExecutor(threads) as pool:
        effects = Counter(pool.map(work, jobs))

    assert sum(effects.values()) == len(jobs)
    assert effects["repeated"] == number - len({event.id for event in events})
    for n in range(people):
        _check(queue, n)
    by_body = Counter(
        (one.reference, one.body)
        for state in ("queued", "cancelled")
        for one in everything(queue, state)
    )
    assert set(by_body.values()) == {1}, "nobody is told anything twice"


def everything(queue: Queue, state: str) -> Iterator[Message]:
    """All messages of a state, page by page."""
    before = None
    while page := queue.messages(Filter(states=(State(state),)), limit=1_000, before=before):
        yield from page
        before = page[-1].id


def _check(queue: Queue, n: int) -> None:
    """One person's payment, and whether they have the last word on it once."""
    found = find(queue, f"REG-{n}")
    payment = STORIES[n % len(STORIES)][1]
    assert found.payment == payment, f"REG-{n}, seed {SEED}"
    waiting = {kind for kind, message in found.messages.items() if message.state == "queued"}
    assert (
        waiting
        == {
            "pending": {"payment_link", "activation"},
            "paid": {"activation", "payment_confirmed"},
            "failed": {"activation", "payment_failed"},
        }[payment]
    ), f"REG-{n}, seed {SEED}"
