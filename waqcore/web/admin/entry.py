"""The page that asks who it is, for whoever has not said so yet."""

import secrets

from litestar import Response

from waqcore.web.admin.page import inside
from waqcore.web.admin.panel import Panel
from waqcore.web.admin.session import AdminRequest, set_cookie

STRANGER = "waq_stranger"
STRANGER_S = 3_600
"""A login page that has been open for longer has to be opened anew."""


def sign_in(
    panel: Panel,
    request: AdminRequest,
    *,
    to: str,
    anybody: bool,
    wrong: str = "",
    status: int = 200,
) -> Response[str]:
    """The form, or, where nobody has a password yet, how to set one."""
    # Another site cannot send this form: it does not know what this cookie says.
    mine = request.cookies.get(STRANGER) or secrets.token_urlsafe(16)
    response = panel.pages.page(
        request,
        "login",
        status,
        to=inside(to),
        wrong=wrong,
        mark=panel.seal.mark("login", mine),
        anybody=anybody,
    )
    set_cookie(response, request, STRANGER, mine, STRANGER_S)
    return response
