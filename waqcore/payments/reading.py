"""What all providers' events have in common: JSON of a known form, and words that can be kept."""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from waqcore.payments import MalformedError

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Word = Annotated[str, Meta(min_length=1, max_length=60)]

T = TypeVar("T", bound=msgspec.Struct)


def parsed(body: bytes, form: type[T]) -> T:
    """A body as what it has to be; what it has besides is ignored, as all providers ask.

    Raises:
        MalformedError: it is something else.
    """
    try:
        found = msgspec.json.decode(body, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        # Only where and what: the value itself may tell of a person.
        raise MalformedError(f"the body is not what is sent here: {error}") from None
    for name, value in msgspec.structs.asdict(found).items():
        if isinstance(value, str) and not value.isprintable():
            raise MalformedError(f"the body is not what is sent here: {name} is not printable")
    return found
