"""The JSON of a request's body, taken just as its route describes it."""

import re
from typing import Any

import msgspec
from litestar import Request
from litestar.exceptions import ValidationException

_PLACE = re.compile(r" - at `\$\.?(.*)`$")


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON must have the very types that are described.

    Litestar alone would also take 1700000000 or "1700000000" for an instant, and "true" for true.
    """

    async def json(self) -> Any:
        """The body, as what the route's handler takes.

        Raises:
            SerializationException: it is not JSON.
            ValidationException: it is not what is described; its `extra` names the field.
        """
        described = self.route_handler.parsed_data_field
        if described is None:
            return await super().json()
        try:
            return msgspec.json.decode(await self.body(), type=described.annotation)
        except msgspec.ValidationError as error:
            raise _refusal(str(error)) from error
        except msgspec.DecodeError:
            return await super().json()  # Which says in Litestar's words that it is none.


def _refusal(told: str) -> ValidationException:
    place = _PLACE.search(told)
    message = told[: place.start()] if place else told
    field = place[1] if place and place[1] else "body"
    return ValidationException(extra=[{"message": message, "key": field, "source": "body"}])
