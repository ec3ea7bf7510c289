"""Whoever registers is sent their payment link and their activation, once, whatever they typed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from tests.payments.stage import TOMORROW, somebody, states
from tests.scenario import SIBLING, START
from tests.store.hand import HandClock
from waqcore.draft import DraftError
from waqcore.payments import PaymentEvent, Verdict, settle
from waqcore.phone import PhoneError
from waqcore.queue import NotFoundError, Queue
from waqcore.registration import (
    Registered,
    Registration,
    RegistrationError,
    TakenError,
    find,
    register,
    register_each,
)
from waqcore.store import registrations
from waqcore.store.enqueue import SuppressedError
from waqcore.store.errors import StoreError
from waqcore.store.registrations import RegistrationRow
from waqcore.templates import TemplatesError, shipped


def test_the_link_goes_before_the_activation_and_ends_with_itself(queue: Queue) -> None:
    registered = register(queue, somebody(expires_at=TOMORROW))

    link, activation = registered.messages.values()
    assert list(registered.messages) == ["payment_link", "activation"]
    assert (link.priority, link.expires_at) == ("high", TOMORROW)
    assert (activation.priority, activation.expires_at) == ("normal", None)
    assert {link.reference, activation.reference} == {"REG-1"}
    assert "https://bayar.example/REG-1" in link.body
    assert link.eta is not None
    assert link.eta.ahead == 0


def test_the_texts_are_indonesian_or_english(queue: Queue) -> None:
    given: dict[str, Any] = {"event": "Lari 10K", "amount": 150000, "expires_at": TOMORROW}
    indonesian = register(queue, somebody("REG-1", **given)).messages["payment_link"]
    english = register(queue, somebody("REG-2", language="en", **given)).messages["payment_link"]

    assert "Halo Budi Santoso," in indonesian.body
    assert "Biaya: Rp150.000\n" in indonesian.body
    assert "sebelum 2 Januari 2026 pukul 07.00 WIB melalui:" in indonesian.body
    assert "Hello Budi Santoso," in english.body
    assert "Fee: IDR 150,000\n" in english.body
    assert "before 2 January 2026, 07:00 WIB at:" in english.body


def test_the_same_registration_again_gives_the_same_messages(queue: Queue) -> None:
    first = register(queue, somebody())
    again = register(queue, somebody())

    assert (first.repeated, again.repeated) == (False, True)
    assert _ids(again.messages) == _ids(first.messages)
    assert len(queue.messages()) == 2


def test_it_is_the_same_also_when_its_link_has_expired(queue: Queue, clock: HandClock) -> None:
    first = register(queue, somebody(expires_at=TOMORROW))
    clock.advance(2 * 86_400)

    assert _ids(register(queue, somebody(expires_at=TOMORROW)).messages) == _ids(first.messages)


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Siti"},
        {"phone": "081234567891"},
        {"payment_url": "https://bayar.example/2"},
        {"amount": 1},
        {"event": "Lari"},
        {"invoice": "INV"},
        {"sender": SIBLING},
        {"language": "en"},
        {"expires_at": TOMORROW},
        {"fields": {"seat": "A1"}},
    ],
)
def test_an_id_stands_for_one_registration(queue: Queue, other: dict[str, Any]) -> None:
    register(queue, somebody())

    with pytest.raises(TakenError, match="'REG-1' is known with other content"):
        register(queue, somebody(**other))
    assert len(queue.messages()) == 2


@pytest.mark.parametrize(
    ("wrong", "error", "line"),
    [
        ({"phone": "0812"}, PhoneError, '"0812" is not a valid Indonesian number'),
        ({"payment_url": "javascript:alert(1)"}, TemplatesError, "payment_url is not a link"),
        ({"payment_url": "https://a.example/ b"}, TemplatesError, "payment_url is not a link"),
        ({"payment_url": "https://bank.example@a.example"}, TemplatesError, "not a link"),
        ({"payment_url": "https://a.example/{x|y}"}, TemplatesError, "not a link"),
        ({"name": "***"}, TemplatesError, "has no letter in it"),
        ({"language": "jv"}, RegistrationError, "no language 'jv': it may be id or en"),
        ({"id_": ""}, RegistrationError, "registration_id must be 1 to 120 printable"),
        ({"id_": "a\nb"}, RegistrationError, "registration_id must be 1 to 120 printable"),
        ({"invoice": "x" * 121}, RegistrationError, "invoice must be 1 to 120 printable"),
        ({"expires_at": START - timedelta(1)}, DraftError, "has passed already"),
        ({"expires_at": datetime(2026, 2, 1)}, RegistrationError, "no time zone"),  # noqa: DTZ001
        ({"expires_at": datetime.max.replace(tzinfo=UTC)}, RegistrationError, "ten years away"),
        (
            {"expires_at": datetime.min.replace(tzinfo=UTC), "remind_before_hours": [3]},
            RegistrationError,
            "ten years away",
        ),
        ({"sender": "62811"}, DraftError, "'62811' is not configured"),
        ({"remind_before_hours": [3]}, RegistrationError, "needs expires_at"),
        (
            {"remind_before_hours": [0], "expires_at": TOMORROW},
            RegistrationError,
            "numbers of hours, each over 0",
        ),
        ({"fields": {"name": "x"}}, RegistrationError, "'name' cannot be the name of a field"),
        ({"fields": {"__class__": "x"}}, RegistrationError, "cannot be the name of a field"),
        ({"fields": {"seat": "x" * 501}}, TemplatesError, "seat has 501 characters"),
        ({"amount": -1}, TemplatesError, "amount must be from 0"),
        ({"amount": float("nan")}, TemplatesError, "amount must be from 0"),
    ],
)
def test_what_cannot_be_taken_is_named_and_leaves_nothing(
    queue: Queue, wrong: dict[str, Any], error: type[Exception], line: str
) -> None:
    with pytest.raises(error, match=line):
        register(queue, somebody(**wrong))

    assert queue.messages() == []
    with pytest.raises(NotFoundError):
        find(queue, "REG-1")


def test_who_has_opted_out_is_neither_sent_anything_nor_registered(queue: Queue) -> None:
    queue.suppress("081234567890", reason="asked")

    with pytest.raises(SuppressedError):
        register(queue, somebody())

    assert queue.messages() == []
    with pytest.raises(NotFoundError):
        find(queue, "REG-1")


def test_those_who_register_at_once_are_sent_theirs_in_the_order_they_came(queue: Queue) -> None:
    crowd = [somebody(f"REG-{n}", phone=f"08123456789{n}") for n in range(5)]

    registered = register_each(queue, crowd, shipped())

    came = [one for one in registered if isinstance(one, Registered)]
    links = [one.messages["payment_link"].eta for one in came]
    activations = [one.messages["activation"].eta for one in came]
    assert [eta and eta.ahead for eta in links] == [0, 1, 2, 3, 4]
    assert [eta and eta.ahead for eta in activations] == [5, 6, 7, 8, 9]


def test_of_those_who_register_at_once_each_hears_of_their_own_fate(queue: Queue) -> None:
    queue.suppress("081234567893", reason="asked")
    register(queue, somebody("REG-0"))
    crowd = [
        somebody("REG-0"),
        somebody("REG-1", phone="0812"),
        somebody("REG-2", phone="081234567892"),
        somebody("REG-3", phone="081234567893"),
        somebody("REG-2", phone="081234567892"),
        somebody("REG-2", name="Siti", phone="081234567892"),
        somebody("REG-0", name="Siti"),
    ]

    told = register_each(queue, crowd, shipped())

    assert [one.repeated if isinstance(one, Registered) else type(one) for one in told] == [
        True,
        PhoneError,
        False,
        SuppressedError,
        True,
        TakenError,
        TakenError,
    ]
    assert len(queue.messages()) == 4


def test_an_error_nobody_foresaw_is_one_callers_alone(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = registrations.add

    def breaks_for_siti(connection: Connection, rows: Sequence[RegistrationRow]) -> None:
        stored(connection, rows)
        assert all(row.name != "Siti" for row in rows)

    monkeypatch.setattr(registrations, "add", breaks_for_siti)
    crowd = [somebody(f"REG-{n}", name="Siti" if n == 1 else "Budi") for n in range(4)]

    told = register_each(queue, crowd, shipped())

    assert [type(one) for one in told] == [Registered, AssertionError, Registered, Registered]
    assert {one.reference for one in queue.messages()} == {"REG-0", "REG-2", "REG-3"}


def test_what_cannot_be_looked_at_is_no_error_of_who_was_refused(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_given: object, **_named: object) -> list[object]:
        raise StoreError("the connection is cut")

    monkeypatch.setattr(queue, "messages", cut)

    told = register_each(queue, [somebody("REG-1"), somebody("REG-2", phone="0812")], shipped())

    assert [type(one) for one in told] == [StoreError, PhoneError]


def test_one_payment_that_came_early_is_for_all_it_names(queue: Queue) -> None:
    settle.take(queue, shipped(), PaymentEvent("xendit", "e1", "INV-1", "", Verdict.PAID, ""))
    crowd = [somebody(f"REG-{n}", invoice="INV-1") for n in range(2)]

    registered = register_each(queue, crowd, shipped())

    assert [isinstance(one, Registered) and one.payment for one in registered] == ["paid", "paid"]


@pytest.mark.parametrize(("reference", "invoice"), [("INV-1", ""), ("other", "INV-1")])
def test_one_payment_is_for_all_it_names_whatever_order_they_come_in(
    queue: Queue, reference: str, invoice: str
) -> None:
    before = register(queue, somebody("REG-0", invoice="INV-1"))
    paid = PaymentEvent("xendit", "e1", reference, invoice, Verdict.PAID, "")
    settle.take(queue, shipped(), paid)

    after = [register(queue, somebody(f"REG-{n}", invoice="INV-1")) for n in (1, 2)]

    assert find(queue, before.id).payment == "paid"
    assert [one.payment for one in after] == ["paid", "paid"]
    assert [states(one.messages)["payment_link"] for one in after] == ["cancelled"] * 2


def test_reminders_come_before_the_end_and_end_with_it(queue: Queue) -> None:
    hours = [3, 23.5, 30]

    messages = register(queue, somebody(expires_at=TOMORROW, remind_before_hours=hours)).messages

    early, late = messages["payment_reminder:23.5"], messages["payment_reminder:3"]
    assert early.send_at == TOMORROW - timedelta(hours=23.5)
    assert (late.send_at, late.expires_at) == (TOMORROW - timedelta(hours=3), TOMORROW)
    assert late.priority == "normal"
    assert len(messages) == 4, "one before the registration itself is left out"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("_Budi_ *Santoso*", "Budi Santoso"),
        ("~Siti~ `Nur`", "Siti Nur"),
        ("{Ani|Ina} {number}", "Ani|Ina number"),
        ("Ani\n\nBayar ke 123", "Ani Bayar ke 123"),
        ("Bu\u200bdi\u202e idub", "Budi idub"),
        ("> Ani", "Ani"),
        ("Ani https://evil.example/pay", "Ani https evil. example pay"),
        ("M.Rizki, S.Kom.", "M. Rizki, S. Kom."),
        ("Nur'aini O’Brien-Łuk", "Nur'aini O’Brien-Łuk"),
        ("{{ 7 * 7 }}{% for a in b %}", "7 7 % for a in b %"),
        ("e\u0301" * 3, "ééé"),
        ("\ud800Ani\x00", "Ani"),
        ("A" * 100, "A" * 79 + "…"),
    ],
)
def test_a_name_changes_nothing_but_itself(queue: Queue, typed: str, shown: str) -> None:
    link = register(queue, somebody(name=typed)).messages["payment_link"]

    assert link.body.splitlines()[0] == f"Halo {shown},"


def test_a_registration_is_found_as_it_stands(queue: Queue) -> None:
    register(queue, somebody(invoice="INV-1"))

    found = find(queue, "REG-1")

    assert (found.payment, found.payment_at, found.invoice) == ("pending", None, "INV-1")
    assert states(found.messages) == {"payment_link": "queued", "activation": "queued"}


def _ids(messages: Any) -> list[str]:
    return [message.id for message in messages.values()]


def test_a_registration_needs_no_more_than_four_things(queue: Queue) -> None:
    registration = Registration(
        id="1", name="Ani", phone="081234567890", payment_url="https://a.example"
    )

    assert len(register(queue, registration).messages) == 2
