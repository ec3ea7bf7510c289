"""Whether a column has one of many values: a list of parameters in a file, one on a server.

There a list of 64 was measured to take twice as long: SQLAlchemy writes the statement anew for
each length, and the driver and the server read it.
"""

from typing import Any

from sqlalchemy import ARRAY, BindParameter, Boolean, ColumnElement, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.sql.schema import Column


class _Among(FunctionElement[bool]):
    inherit_cache = True
    type = Boolean()

    def self_group(self, against: OperatorType | None = None) -> "_Among":
        """As it is: SQLAlchemy would compare it with 1 in a file, which no index serves."""
        return self


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """A condition: the column has one of the values of the parameter of this name, a sequence."""
    return _Among(column, bindparam(name, expanding=True))


@compiles(_Among)
def _in_list(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = _parts(element)
    return compiler.process(column.in_(values), **options)


@compiles(_Among, "postgresql")
def _any_of_array(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = _parts(element)
    array: BindParameter[Any] = bindparam(values.key, type_=ARRAY(column.type))
    left, right = compiler.process(column, **options), compiler.process(array, **options)
    return f"{left} = ANY ({right})"


def _parts(element: _Among) -> tuple[ColumnElement[Any], BindParameter[Any]]:
    column, values = element.clauses
    assert isinstance(values, BindParameter)
    return column, values
