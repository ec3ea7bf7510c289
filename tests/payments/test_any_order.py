"""A registration, its second invoice and all events of both: one outcome, whatever the order."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import chain, combinations, permutations
from pathlib import Path

import pytest

from tests.payments.stage import a_queue, somebody
from waqcore.payments import PaymentEvent, Verdict, settle
from waqcore.queue import Queue
from waqcore.registration import ClosedError, Invoice, add_invoice, find, register
from waqcore.templates import shipped

EVENTS = {
    "first expires": ("a", Verdict.FAILED),
    "second expires": ("b", Verdict.FAILED),
    "first is paid": ("a", Verdict.PAID),
    "second is paid": ("b", Verdict.PAID),
}
REGISTER, INVOICE = "somebody registers", "a second invoice is made"


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    with a_queue(tmp_path) as queue:
        yield queue


def orders() -> Iterator[tuple[str, ...]]:
    """Every order of every set of events; an application knows of no second invoice before it has
    registered somebody."""
    some = chain.from_iterable(combinations(EVENTS, n) for n in range(len(EVENTS) + 1))
    for events in some:
        for order in permutations((REGISTER, INVOICE, *events)):
            if order.index(REGISTER) < order.index(INVOICE):
                yield order


def act(queue: Queue, what: str, id_: str, *, named: bool) -> None:
    """Let something happen to one registration."""
    if what == REGISTER:
        register(queue, somebody(id_, invoice=f"{id_}a" if named else None))
    elif what == INVOICE:
        new = Invoice(registration=id_, id=f"{id_}b", payment_url="https://bayar.example/b")
        with suppress(ClosedError):  # Paid already.
            add_invoice(queue, new)
    else:
        invoice, verdict = EVENTS[what]
        event = PaymentEvent("xendit", f"{id_}{what}", id_, f"{id_}{invoice}", verdict, verdict)
        settle.take(queue, shipped(), event)


@pytest.mark.parametrize("named", [True, False], ids=["named", "unnamed"])
def test_the_outcome_is_the_same_in_every_order(queue: Queue, *, named: bool) -> None:
    told = list(orders())
    assert len(told) == 1 + 4 * 3 + 6 * 12 + 4 * 60 + 360

    for n, order in enumerate(told):
        for what in order:
            act(queue, what, f"REG-{n}", named=named)

    for n, order in enumerate(told):
        found = find(queue, f"REG-{n}")
        waiting = {kind for kind, one in found.messages.items() if one.state == "queued"}
        if {"first is paid", "second is paid"} & set(order):
            wanted = ("paid", {"activation", "payment_confirmed"})
        elif "second expires" in order:
            wanted = ("failed", {"activation", "payment_failed/2"})
        else:
            wanted = ("pending", {"activation", "payment_link/2"})
        assert (found.payment, waiting) == wanted, order
