"""The fields of a request, from wherever MPWA's framework would take them."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
from aiohttp import web


class Send(NamedTuple):
    """What send-message was asked to do. Absent fields are empty, as after Laravel's trimming."""

    api_key: str = ""
    sender: str = ""
    number: str = ""
    message: str = ""  # As received, untrimmed.
    footer: str = ""
    full: bool = False  # Whether WhatsApp's own result, with its id, is asked for.
    locale: str = ""


def as_send(fields: Mapping[str, str], *, locale: str) -> Send:
    """The send call these fields make."""
    return Send(
        api_key=fields.get("api_key", "").strip(),
        sender=fields.get("sender", "").strip(),
        number=fields.get("number", "").strip(),
        message=fields.get("message", ""),
        footer=fields.get("footer", "").strip(),
        full=fields.get("full", "").strip().lower() in ("1", "true"),
        locale=locale,
    )


async def of_request(request: web.Request) -> dict[str, str]:
    """Query and body merged, the body first; a body that cannot be read counts as empty."""
    found = dict(request.query) if request.query_string else {}
    if request.method == "POST":
        if request.content_type.endswith("json"):
            found.update(_from_json(await request.read()))
        else:
            form = await request.post()
            found.update({name: value for name, value in form.items() if isinstance(value, str)})
    return found


def _from_json(body: bytes) -> dict[str, str]:
    try:
        values = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return {name: _as_text(value) for name, value in values.items()}


def _as_text(value: object) -> str:
    match value:
        case str():
            return value
        case None | False:
            return ""
        case True:
            return "1"
        case _:
            return str(value)
