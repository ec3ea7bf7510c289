"""Who registers when, what each is sent, and in which order the ten messages should leave."""

from dataclasses import dataclass

from waqcore.draft import Draft

MESSAGES = 10
"""Of the five who register: a payment link and an activation each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who registers."""

    name: str
    phone: str


PEOPLE = (
    Person(name="Siti", phone="0812-0000-0001"),
    Person(name="Budi", phone="0812-0000-0002"),
    Person(name="Ratna", phone="0812-0000-0003"),
    Person(name="Agus", phone="0812-0000-0004"),
    Person(name="Dewi", phone="0812-0000-0005"),
)
"""Made up, and so are their numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One message of the scenario."""

    place: int
    """Which of the ten calls should be its, 1-based: the payment links, then the activations."""
    user: str
    kind: str
    draft: Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Somebody registers; both messages are queued in one transaction."""

    at_s: float
    """Seconds after the first registration."""
    messages: tuple[Planned, Planned]


def registrations(pace_s: float) -> list[Registration]:
    """The five registrations, a tenth of the pace apart: 1 s at the real one."""
    return [
        Registration(at_s=n * pace_s / 10, messages=(_link(n, person), _activation(n, person)))
        for n, person in enumerate(PEOPLE)
    ]


def gather_s(pace_s: float) -> float:
    """How long the idle sender waits for more before its first call: 5 s at the real pace."""
    return pace_s / 2


def end_s(pace_s: float) -> float:
    """When the last of the ten should leave, in seconds after the first registration."""
    return gather_s(pace_s) + (MESSAGES - 1) * pace_s


def _link(n: int, person: Person) -> Planned:
    reference = f"REG-{n + 1}"
    body = (
        f"Halo {person.name}, pendaftaran Anda ({reference}) sudah kami terima.\n"
        "Silakan bayar Rp150.000 dalam 24 jam lewat tautan ini:\n"
        f"https://bayar.example.com/{reference}"
    )
    draft = Draft(to=person.phone, body=body, priority="high", reference=reference)
    return Planned(place=n + 1, user=person.name, kind="payment link", draft=draft)


def _activation(n: int, person: Person) -> Planned:
    reference = f"REG-{n + 1}"
    body = (
        f"Halo {person.name}, akun Anda ({reference}) siap diaktifkan. "
        "Balas YA untuk mengaktifkannya. Terima kasih sudah bergabung."
    )
    draft = Draft(to=person.phone, body=body, priority="normal", reference=reference)
    return Planned(place=len(PEOPLE) + n + 1, user=person.name, kind="activation", draft=draft)
