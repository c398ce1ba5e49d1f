"""Statements that SQLAlchemy writes once and the driver sends every time.

SQLAlchemy's own cache saves the compilation of a statement, not its construction, its cache key, nor the rows that it
wraps: together most of what a small read costs. Here a statement is built by a function of its *shape* (all that
changes its text), and everything else is a parameter.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Dialect, Integer, Select, String, bindparam
from sqlalchemy import Enum as EnumType
from sqlalchemy.types import TypeEngine

from models.base import UtcDateTime
from models.roles import OrganizationRole
from resolvers.caller import Caller
from resolvers.keys import TextArray

PREPARED = 2000

KEYS: BindParameter[Any] = bindparam("keys", type_=TextArray())
NUMBER: BindParameter[Any] = bindparam("number", type_=Integer())


@dataclass(frozen=True)
class View:
    """For whom a statement is: the caller's role as it is, the ids as parameters; and the columns that are wanted."""

    caller: Caller
    columns: frozenset[str] | None

    def only(self, columns: Iterable[Any], *needed: str) -> list[Any]:
        """Leave out what nobody wants; `id` and the columns that are `needed` stay."""
        if self.columns is None:
            return list(columns)
        return [column for column in columns if column.key in self.columns or column.key in {"id", *needed}]


Statement: TypeAlias = Select[*tuple[Any, ...]]
Build = Callable[..., Statement]


@dataclass(frozen=True)
class Prepared:
    """A statement's text, and how its parameters and rows are turned into the driver's and back."""

    sql: str
    _parameters: Sequence[tuple[str, Any, Callable[[Any], Any] | None]]
    _row: Callable[[Any], Any]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        return [
            convert(values.get(name, given)) if convert else values.get(name, given)
            for name, given, convert in self._parameters
        ]

    def rows(self, records: Iterable[Any]) -> list[Any]:
        return list(map(self._row, records))


@lru_cache(PREPARED)
def prepare(
    dialect: Dialect, role: OrganizationRole, columns: frozenset[str] | None, build: Build, shape: tuple[Any, ...]
) -> Prepared:
    """Build and compile a statement, whose rows have the columns' names as attributes."""
    statement = build(View(_anybody(role), columns), *shape)
    compiled = statement.compile(dialect=dialect)
    names = compiled.positiontup or ()
    parameters = [_parameter(name, compiled.binds[name], dialect) for name in names]
    found = [(column.key or "", _reader(column.type, dialect)) for column in statement.selected_columns]
    return Prepared(str(compiled), parameters, _row(found))


def _anybody(role: OrganizationRole) -> Caller:
    ids: Any = {name: bindparam(name, type_=String(20)) for name in ("member_id", "organization_id")}
    return Caller(organization_role=role, **ids)


def _parameter(name: str, bind: BindParameter[Any], dialect: Dialect) -> tuple[str, Any, Callable[[Any], Any] | None]:
    if isinstance(bind.type, TextArray):  # SQLAlchemy would look at each item
        return name, bind.value, partial(bind.type.process_bind_param, dialect=dialect)
    return name, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return what turns the driver's value into ours, or None where they are equal."""
    if dialect.name == "postgresql" and isinstance(type_, UtcDateTime):
        return None  # aware already
    if isinstance(type_, EnumType) and type_.enum_class is not None and _is_its_names(type_.enum_class):
        return None
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _is_its_names(members: Any) -> bool:
    """Whether each member equals the text that the database holds."""
    return issubclass(members, Enum) and issubclass(members, str) and all(each.value == each.name for each in members)


def _row(columns: Sequence[tuple[str, Callable[[Any], Any] | None]]) -> Callable[[Any], Any]:
    """Return what makes a named tuple of a record."""
    row: Any = namedtuple("Row", [name for name, _ in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
    new = partial(tuple.__new__, row)
    readers = {f"read_{index}": reader for index, (_, reader) in enumerate(columns) if reader}
    if not readers:
        return new
    values = [
        f"read_{index}(record[{index}])" if reader else f"record[{index}]" for index, (_, reader) in enumerate(columns)
    ]
    made: Callable[[Any], Any] = eval(f"lambda record: new(({', '.join(values)},))", {"new": new, **readers})  # noqa: S307 our own text
    return made
