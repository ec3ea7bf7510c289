"""`/v1/invoices`: who has registered gets another link to pay by, instead of the one before."""

from typing import Annotated, Any

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency, Provide
from litestar.params import RequestBody
from msgspec import Meta, Struct

from waqcore import registration
from waqcore.registration import ClosedError, Invoice, RegistrationError
from waqcore.registration.form import ID_MAX
from waqcore.templates import Templates, TemplatesError, values
from waqcore.tokens import Scope
from waqcore.web.backend import Backend
from waqcore.web.entrance import requires
from waqcore.web.problem import ConflictError, problems
from waqcore.web.registrations import (
    Amount,
    Expiry,
    Id,
    RegistrationState,
    Reminders,
    address_of,
    refused,
    state_of,
)


class NewInvoice(Struct, kw_only=True, forbid_unknown_fields=True):
    """Another invoice of a registration. What it does not say is not said of this one."""

    registration_id: Id
    invoice: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=ID_MAX,
            description="As the payment provider's events name it. The same again, with the same "
            "content, gives the same messages.",
            examples=["INV-2026-0002"],
        ),
    ]
    payment_url: Annotated[
        str, Meta(max_length=values.URL_MAX, examples=["https://bayar.example/INV-2026-0002"])
    ]
    expires_at: Expiry = None
    amount: Amount = None
    remind_before_hours: Reminders = []

    def meant(self) -> Invoice:
        """The invoice it is."""
        return Invoice(
            registration=self.registration_id,
            id=self.invoice,
            payment_url=self.payment_url,
            expires_at=self.expires_at,
            amount=self.amount,
            remind_before_hours=self.remind_before_hours,
        )


@post(
    "/invoices",
    status_code=202,
    before_request=requires(Scope.ENQUEUE),
    responses=problems(400, 404, 409, 413, 415, 422),
    summary="Send another payment link",
)
async def add(
    data: RequestBody[NewInvoice],
    request: Request[Any, Any, Any],
    backend: NamedDependency[Backend],
    templates: NamedDependency[Templates],
) -> Response[RegistrationState]:
    """Queue the new payment link (high); what asks for the old one to be paid is cancelled."""
    queue, invoice = backend.acting(request), data.meant()
    try:
        state = await backend.run(
            lambda: state_of(registration.add_invoice(queue, invoice, templates=templates))
        )
    except ClosedError as error:
        raise ConflictError(str(error)) from error
    return Response(state, status_code=202, headers={"Location": address_of(data.registration_id)})


def router(templates: Templates) -> Router:
    """The routes of invoices."""
    return Router(
        "/v1",
        route_handlers=[add],
        dependencies={"templates": Provide(lambda: templates, sync_to_thread=False)},
        exception_handlers={RegistrationError: refused, TemplatesError: refused},
        security=[{"bearer": []}],
    )
