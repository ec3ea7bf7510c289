"""A further invoice takes the place of the one before, and every word about either is heeded."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from tests.payments.stage import TOMORROW, somebody, states
from tests.scenario import SIBLING
from waqcore.core.instants import SECOND
from waqcore.payments import PaymentEvent, Verdict, settle
from waqcore.phone import parse_phone
from waqcore.queue import NotFoundError, Queue
from waqcore.registration import (
    ClosedError,
    Invoice,
    InvoiceTakenError,
    RegistrationError,
    add_invoice,
    find,
    register,
)
from waqcore.store import retention
from waqcore.store.enqueue import SuppressedError
from waqcore.templates import TemplatesError, shipped


def second(name: str = "INV-2", **fields: Any) -> Invoice:
    """Another invoice of REG-1."""
    given = {"registration": "REG-1", "id": name, "payment_url": f"https://bayar.example/{name}"}
    return Invoice(**{**given, **fields})


def told(queue: Queue, verdict: Verdict, reference: str, invoice: str = "") -> str:
    """What becomes of an event."""
    id_ = f"{reference}:{invoice}:{verdict}"
    event = PaymentEvent("xendit", id_, reference, invoice, verdict, str(verdict).upper())
    return settle.take(queue, shipped(), event)


def test_the_new_link_goes_out_and_the_old_one_does_not(queue: Queue) -> None:
    register(queue, somebody(expires_at=TOMORROW, remind_before_hours=[3]))

    found = add_invoice(
        queue, second(expires_at=TOMORROW + timedelta(1), amount=175_000, remind_before_hours=[3])
    )

    assert states(found.messages) == {
        "payment_link": "cancelled",
        "payment_reminder:3": "cancelled",
        "activation": "queued",
        "payment_link/2": "queued",
        "payment_reminder:3/2": "queued",
    }
    link = found.messages["payment_link/2"]
    assert (link.priority, link.expires_at) == ("high", TOMORROW + timedelta(1))
    assert "https://bayar.example/INV-2" in link.body
    assert "Rp175.000" in link.body
    assert found.messages["payment_reminder:3/2"].send_at == TOMORROW + timedelta(hours=21)
    assert (found.invoice, found.payment, found.repeated) == ("INV-2", "pending", False)
    assert found.messages["payment_link"].reason == "invoice INV-2 came instead"


def test_after_an_expiry_the_payment_is_open_again_and_the_bad_news_withdrawn(
    queue: Queue,
) -> None:
    register(queue, somebody(invoice="INV-1"))
    told(queue, Verdict.FAILED, "INV-1")

    found = add_invoice(queue, second())

    assert (found.payment, found.payment_reason, found.payment_at) == ("pending", "", None)
    assert states(found.messages)["payment_failed"] == "cancelled"


def test_each_invoice_that_fails_is_told_of(queue: Queue) -> None:
    register(queue, somebody(invoice="INV-1"))
    told(queue, Verdict.FAILED, "INV-1")
    add_invoice(queue, second())

    assert told(queue, Verdict.FAILED, "INV-2") == "failed"

    found = find(queue, "REG-1")
    assert states(found.messages)["payment_failed/2"] == "queued"
    assert states(found.messages)["payment_link/2"] == "cancelled"


@pytest.mark.parametrize("name", ["INV-1", "REG-1"])
def test_the_end_of_an_earlier_invoice_changes_nothing(queue: Queue, name: str) -> None:
    register(queue, somebody(invoice="INV-1"))
    add_invoice(queue, second())

    assert told(queue, Verdict.FAILED, name) == "other invoice"

    assert find(queue, "REG-1").payment == "pending"


def test_who_pays_an_earlier_invoice_has_paid(queue: Queue) -> None:
    register(queue, somebody(invoice="INV-1"))
    add_invoice(queue, second())
    add_invoice(queue, second("INV-3"))

    assert told(queue, Verdict.PAID, "INV-1") == "paid"

    found = find(queue, "REG-1")
    assert states(found.messages)["payment_link/3"] == "cancelled"
    assert states(found.messages)["payment_confirmed"] == "queued"
    assert told(queue, Verdict.FAILED, "INV-3") == "ignored"
    assert told(queue, Verdict.PAID, "INV-2") == "ignored"


def test_a_payment_that_came_before_its_invoice_counts(queue: Queue) -> None:
    register(queue, somebody(invoice="INV-1"))
    assert told(queue, Verdict.PAID, "INV-2") == "unknown"

    found = add_invoice(queue, second())

    assert found.payment == "paid"
    assert states(found.messages)["payment_link/2"] == "cancelled"


def test_the_same_invoice_again_gives_the_same_messages(queue: Queue) -> None:
    register(queue, somebody(invoice="INV-1", expires_at=TOMORROW))
    first = add_invoice(queue, second(amount=5))
    number = len(queue.messages())
    told(queue, Verdict.PAID, "INV-2")

    again = add_invoice(queue, second(amount=5))
    original = add_invoice(
        queue, second("INV-1", payment_url="https://bayar.example/REG-1", expires_at=TOMORROW)
    )

    assert again.repeated
    assert original.repeated
    assert again.messages["payment_link/2"].id == first.messages["payment_link/2"].id
    assert len(queue.messages()) <= number + 1, "a confirmation, and no link"


def test_the_first_invoice_is_no_further_one(queue: Queue) -> None:
    register(queue, somebody(expires_at=TOMORROW))

    same = Invoice(
        registration="REG-1",
        id="REG-1",
        payment_url="https://bayar.example/REG-1",
        expires_at=TOMORROW,
    )

    assert add_invoice(queue, same).repeated
    assert len(queue.messages()) == 2


@pytest.mark.parametrize("name", ["REG-1", "INV-2"])
def test_a_name_stands_for_one_invoice(queue: Queue, name: str) -> None:
    register(queue, somebody())
    add_invoice(queue, second())
    add_invoice(queue, second("INV-3"))

    with pytest.raises(InvoiceTakenError, match=f"'{name}' of the registration 'REG-1' is known"):
        add_invoice(queue, second(name, amount=1))


def test_the_registration_itself_stays_the_same_however_many_invoices_it_has(
    queue: Queue,
) -> None:
    register(queue, somebody())
    add_invoice(queue, second())

    again = register(queue, somebody())

    assert (again.repeated, again.invoice) == (True, "INV-2")


def test_who_has_paid_is_sent_no_link(queue: Queue) -> None:
    register(queue, somebody())
    told(queue, Verdict.PAID, "REG-1")

    with pytest.raises(ClosedError, match="'REG-1' is paid"):
        add_invoice(queue, second())

    assert "payment_link/2" not in find(queue, "REG-1").messages


def test_who_was_erased_is_sent_no_link(queue: Queue) -> None:
    register(queue, somebody())
    told(queue, Verdict.FAILED, "REG-1")
    after = queue.store.wall_us() + SECOND
    queue.store.write(lambda connection: retention.erase_registrations(connection, after))

    for name in ("INV-2", "REG-1"):
        with pytest.raises(ClosedError, match="erased"):
            add_invoice(queue, second(name))


@pytest.mark.parametrize(
    ("wrong", "error", "line"),
    [
        ({"registration": "REG-2"}, NotFoundError, "no registration 'REG-2'"),
        ({"payment_url": "ftp://a"}, TemplatesError, "payment_url is not a link"),
        ({"name": ""}, RegistrationError, "invoice must be 1 to 120"),
        ({"remind_before_hours": [1]}, RegistrationError, "needs expires_at"),
        ({"name": "REG-1"}, RegistrationError, "as the registration: name it"),
    ],
)
def test_what_cannot_be_taken_changes_nothing(
    queue: Queue, wrong: dict[str, Any], error: type[Exception], line: str
) -> None:
    register(queue, somebody(invoice="INV-1"))

    with pytest.raises(error, match=line):
        add_invoice(queue, second(**wrong))

    found = find(queue, "REG-1")
    assert (found.invoice, states(found.messages)["payment_link"]) == ("INV-1", "queued")


def test_who_has_opted_out_since_is_sent_no_link(queue: Queue) -> None:
    register(queue, somebody())
    queue.suppress(parse_phone("081234567890", mobile_only=True), reason="asked")

    with pytest.raises(SuppressedError):
        add_invoice(queue, second())

    assert find(queue, "REG-1").invoice == "REG-1"


def test_one_invoice_from_many_threads_is_sent_once(queue: Queue) -> None:
    register(queue, somebody(sender=SIBLING))
    repeated: list[bool] = []

    def add() -> None:
        repeated.append(add_invoice(queue, second()).repeated)

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(repeated) == [False, *[True] * 5]
    assert len(queue.messages()) == 3
    assert find(queue, "REG-1").messages["payment_link/2"].sender == SIBLING
