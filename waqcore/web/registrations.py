"""`/v1/registrations`: somebody has registered, and is sent what they need to pay."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, RequestBody
from msgspec import Meta, Struct, structs

from waqcore import as_json, registration
from waqcore.phone import PhoneError
from waqcore.registration import Registered, Registration, RegistrationError
from waqcore.registration.form import FIELDS_MAX, ID_MAX, REMINDERS_MAX
from waqcore.settings import Settings, SettingsError
from waqcore.templates import Templates, TemplatesError, values
from waqcore.tokens import Scope
from waqcore.web.api.shapes import Instant
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires
from waqcore.web.handover import Handover
from waqcore.web.problem import TYPES, FieldProblem, Problem, answer, problems

Id = Annotated[str, Meta(min_length=1, max_length=ID_MAX, examples=["REG-2026-0001"])]
Expiry = Annotated[
    Instant | None, Meta(description="The end of the link, and of its message; null: never.")
]
Amount = Annotated[
    int | float | Annotated[str, Meta(max_length=60)] | None,
    Meta(description="Rupiah, or a text as it should read."),
]
Reminders = Annotated[
    list[Annotated[float, Meta(gt=0, le=24 * 366)]],
    Meta(max_length=REMINDERS_MAX, description="Reminders, so long before `expires_at`."),
]

TOGETHER_MAX = 32
"""Registrations in one commit: some 20 ms of work, which is the wait of the first of them."""


class NewRegistration(Struct, kw_only=True, forbid_unknown_fields=True):
    """Somebody who registered, and has to pay."""

    registration_id: Annotated[
        Id, Meta(description="The same again, with the same content, gives the same messages.")
    ]
    name: Annotated[str, Meta(min_length=1, max_length=500, examples=["Budi Santoso"])]
    phone: Annotated[str, Meta(min_length=1, max_length=64, examples=["0812-3456-7890"])]
    payment_url: Annotated[
        str, Meta(max_length=values.URL_MAX, examples=["https://bayar.example/REG-2026-0001"])
    ]
    expires_at: Expiry = None
    language: Literal["id", "en"] = "id"
    event: Annotated[str, Meta(max_length=values.VALUE_MAX)] | None = None
    amount: Amount = None
    invoice: Annotated[
        Id | None,
        Meta(description="What the payment provider calls it; null: as the registration."),
    ] = None
    sender: Annotated[
        str | None, Meta(description="One of `/v1/senders`; null: the first of them.")
    ] = None
    remind_before_hours: Reminders = []
    fields: Annotated[
        dict[str, str | int | float | bool | None],
        Meta(max_length=FIELDS_MAX, description="Whatever else your own templates say."),
    ] = {}

    def meant(self) -> Registration:
        """The registration it is."""
        return Registration(
            id=self.registration_id,
            name=self.name,
            phone=self.phone,
            payment_url=self.payment_url,
            expires_at=self.expires_at,
            language=self.language,
            event=self.event,
            amount=self.amount,
            invoice=self.invoice,
            sender=self.sender,
            remind_before_hours=self.remind_before_hours,
            fields=self.fields,
        )


class RegistrationMessage(as_json.Message, frozen=True, kw_only=True):
    """A message of a registration, without its text."""

    kind: Annotated[
        str,
        Meta(
            description="`payment_link`, `activation`, `payment_reminder:24`, "
            "`payment_confirmed` or `payment_failed`; of a further invoice with its number, such "
            "as `payment_link/2`."
        ),
    ]


class RegistrationState(Struct, kw_only=True):
    """A registration, what became of its payment, and its messages."""

    registration_id: str
    invoice: Annotated[str, Meta(description="The newest, where there were several.")]
    registered_at: datetime
    payment: Annotated[str, Meta(description="`pending`, `paid` or `failed`.")]
    payment_reason: Annotated[str, Meta(description="The provider's own word for it.")]
    payment_at: Annotated[datetime | None, Meta(description="When we heard; null: we have not.")]
    messages: list[RegistrationMessage]


def state_of(one: Registered) -> RegistrationState:
    """A registration as applications see it."""
    return RegistrationState(
        registration_id=one.id,
        invoice=one.invoice,
        registered_at=one.registered_at,
        payment=one.payment,
        payment_reason=one.payment_reason,
        payment_at=one.payment_at,
        messages=[
            RegistrationMessage(kind=kind, **structs.asdict(as_json.message(message)))
            for kind, message in one.messages.items()
        ],
    )


def address_of(id_: str) -> str:
    """Where a registration is looked at."""
    return f"/v1/registrations/{quote(id_)}"


Registering = Handover[Registration, RegistrationState]


@post(
    "/registrations",
    status_code=202,
    before_request=requires(Scope.ENQUEUE),
    responses=problems(400, 413, 415, 422),
    summary="Register somebody",
)
async def register(
    data: RequestBody[NewRegistration],
    together: NamedDependency[Registering],
) -> Response[RegistrationState]:
    """Queue the payment link (high) and the activation message (normal): both, or neither."""
    return Response(
        await together.hand_over(data.meant()),
        status_code=202,
        headers={"Location": address_of(data.registration_id)},
    )


@get(
    "/registrations/{id_:path}",
    before_request=requires(Scope.READ),
    responses=problems(404),
    summary="Look at a registration",
)
async def look(id_: FromPath[Path], backend: NamedDependency[Backend]) -> RegistrationState:
    """What became of a registration's payment, and of its messages."""
    # Invoices are often numbered INV/2026/01: what is behind the first slash is all of it.
    name = str(id_).removeprefix("/")
    return await backend.run(lambda: state_of(registration.find(backend.queue, name)))


def refused(_request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Say why a registration, or an invoice of one, cannot be taken."""
    phone = isinstance(error, PhoneError)
    return answer(
        Problem(
            type=TYPES + ("phone" if phone else "registration"),
            title="Not a number that can be sent to"
            if phone
            else "Not a registration that can be taken",
            status=422,
            detail=str(error),
            errors=[FieldProblem("phone", str(error))] if phone else None,
        )
    )


def templates_of(settings: Settings) -> Templates:
    """The texts that the settings name, checked.

    Raises:
        SettingsError: one of them has to be corrected first.
    """
    try:
        return Templates(Path(settings.templates) if settings.templates else None)
    except TemplatesError as error:
        raise SettingsError(str(error)) from None


def router(backend: Backend, templates: Templates) -> Router:
    """The routes of registrations."""

    def register_all(given: Sequence[Registration]) -> list[RegistrationState | Exception]:
        found = registration.register_each(backend.queue, given, templates)
        return [one if isinstance(one, Exception) else state_of(one) for one in found]

    together = backend.handover(register_all, TOGETHER_MAX)
    return Router(
        "/v1",
        route_handlers=[register, look],
        dependencies={"together": Provide(lambda: together, sync_to_thread=False)},
        exception_handlers={
            PhoneError: refused,
            RegistrationError: refused,
            TemplatesError: refused,
        },
        security=[{"bearer": []}],
    )
