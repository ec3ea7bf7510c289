"""The base of what the core decides over and answers with."""

from typing import Self

import msgspec
from msgspec.structs import replace


class Value(msgspec.Struct, frozen=True, gc=False):
    """Fields that never change, compared by what they hold.

    A NamedTuple of a message's 14 fields takes 200 to 280 ns to make, 700 to copy with a change and
    13 to read a field of; this takes 50, 60 and 4, and a simulated message costs some ten of them.
    No value holds anything that could hold it: the garbage collector need not look (`gc=False`).
    """

    def _replace(self, **changes: object) -> Self:
        """A copy with some fields changed, as a NamedTuple's."""
        return replace(self, **changes)
