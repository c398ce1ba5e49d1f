"""Statements that SQLAlchemy compiles once and the driver runs directly (decision 12).

SQLAlchemy's own cache saves the compilation of a statement, but not its construction, its cache key, and the wrapping
of its rows: together most of the cost of a small read. Here, a statement is built by a function of its *shape*, which
is everything that changes its text. Everything else is a parameter.
"""

from collections import namedtuple
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from operator import itemgetter
from typing import Any, Generic, TypeAlias, TypeVar

import asyncpg  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import BindParameter, ColumnElement, Dialect, Integer, Select, bindparam
from sqlalchemy import Enum as EnumType
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from mainsheet.models.base import UtcDateTime
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.array_param import ONE_KEY, TextArray
from mainsheet.resolvers.sql.overlay import CHANGED_TABLES, NO_CHANGES, Shape, overlaid
from mainsheet.resolvers.sql.rights import ACTOR_ID, OWN_ID, Extent, id_parameter

MAX_STATEMENTS = 2000

NUMBER: BindParameter[int] = bindparam("number", type_=Integer())

OPTIONAL = "?"

Attribute: TypeAlias = InstrumentedAttribute[Any]  # a model's column, of any type
Expression: TypeAlias = ColumnElement[Any] | Attribute
Columns: TypeAlias = frozenset[str | tuple[str, "Columns"]] | None


@dataclass(frozen=True)
class View:
    """The parameters of a statement's shape: a caller whose ids are bound parameters, and the wanted columns.

    `columns` is None for all columns of a row. A pair is a row to join with the wanted columns of that row.

    The caller's `actor_id` may only select its roles in teams. What else is the caller's is found by `own_id`.
    """

    caller: Caller
    columns: Columns
    is_sqlite: bool = False

    @property
    def own_id(self) -> BindParameter[str]:
        """The caller's id, for rows that only the caller sees. A result that depends on it is shared with nobody."""
        return id_parameter(OWN_ID)

    @property
    def joins(self) -> bool:
        return any(isinstance(each, tuple) for each in self.columns or ())

    def only(self, columns: Iterable[Expression], *needed: str) -> list[Expression]:
        """Return the wanted ones of the columns, with `id` and those that are `needed`."""
        if self.columns is None:
            return list(columns)
        return [column for column in columns if column.key in self.columns or column.key in {"id", *needed}]

    def wants(self, *names: str) -> bool:
        return self.columns is None or any(name in self.columns for name in names)

    def joined(self, name: str) -> "View | None":
        """Return the view of a row to join, or None if it isn't wanted."""
        wanted = [each[1] for each in self.columns or () if isinstance(each, tuple) and each[0] == name]
        if not wanted:
            return None
        columns: Columns = frozenset()
        for each in wanted:
            columns = None if columns is None or each is None else columns | each
        return View(self.caller, columns, self.is_sqlite)


def within(name: str, columns: Iterable[Expression]) -> list[Expression]:
    """Label the columns of a joined row, which becomes the attribute `name` of the row.

    If the name ends with `OPTIONAL`, the attribute is None when its `id` is null.
    """
    return [column.label(f"{name}.{column.key}") for column in columns]


Statement: TypeAlias = Select[*tuple[Any, ...]]
Build = Callable[..., Statement]
Row = TypeVar("Row")


@dataclass(frozen=True, eq=False)
class Query(Generic[Row]):
    """A function that builds a statement for each shape, with the type of its rows for mypy.

    `key` is the column by which rows are looked up. A row has those columns of `row` that the statement selects, and
    the columns of `more`. It is a record of the driver, not an instance of `row`.
    """

    build: Build
    row: type[Row]
    key: str = "id"
    more: tuple[type, ...] = ()

    def __call__(self, view: View, *shape: Hashable) -> Statement:
        return self.build(view, *shape)


def rows_of(row: type[Row], *more: type, key: str = "id") -> Callable[[Build], Query[Row]]:
    """Declare the type of a statement's rows."""
    return lambda build: Query(build, row, key, more)


Reader = Callable[[Any], Any]  # converts a value from the driver, or for it
Parameter: TypeAlias = tuple[str, object, Reader | None]  # its name, its fixed value if any, and its conversion


@dataclass(frozen=True)
class CompiledStatement:
    """A statement's text with the conversions of its parameters and rows."""

    sql: str
    record_class: type | None  # the class of the driver's rows, or None for its default
    extent: Extent  # of the caller's rights
    _parameters: Sequence[Parameter]
    _row: Reader | None

    def parameters(self, values: Mapping[str, object]) -> list[object]:
        return [
            convert(values.get(name, given)) if convert else values.get(name, given)
            for name, given, convert in self._parameters
        ]

    def rows(self, records: list[Any]) -> list[Any]:  # of the query's type
        return list(map(self._row, records)) if self._row else records


@lru_cache(MAX_STATEMENTS)
def compiled_statement(
    dialect: Dialect,
    role: OrganizationRole,
    columns: Columns,
    build: Build,
    shape: tuple[Hashable, ...],
    *,
    one_key: bool,
    overlay: Shape = NO_CHANGES,
) -> CompiledStatement:
    """Build and compile a statement. Its rows have the names of the columns as attributes."""
    statement: Any = build(View(caller_of_parameters(role), columns, dialect.name == "sqlite"), *shape)
    if overlay:
        statement = statement.add_cte(*(overlaid(each, dialect) for each in overlay))
    changed = frozenset(each.table.name for each in overlay)
    compiled = statement.compile(dialect=dialect, compile_kwargs={ONE_KEY: one_key, CHANGED_TABLES: changed})
    names = compiled.positiontup or ()
    parameters = [_parameter(name, compiled.binds[name], dialect) for name in names]
    sql, extent = str(compiled), Extent.of(str(compiled), names)
    found = [(column.key or "", _reader(column.type, dialect)) for column in statement.selected_columns]
    if dialect.name == "postgresql" and not any(reader or "." in name for name, reader in found):
        return CompiledStatement(sql, _record_class([name for name, _ in found]), extent, parameters, None)
    return CompiledStatement(sql, None, extent, parameters, _row(found))


def caller_of_parameters(role: OrganizationRole) -> Caller:
    ids: Any = {name: id_parameter(name) for name in (ACTOR_ID, "organization_id")}
    return Caller(organization_role=role, **ids)


def _parameter(name: str, bind: BindParameter[Any], dialect: Dialect) -> Parameter:
    if isinstance(bind.type, TextArray):  # SQLAlchemy would process each item
        return name, bind.value, partial(bind.type.process_bind_param, dialect=dialect)
    return name, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)


def _reader(type_: TypeEngine[Any], dialect: Dialect) -> Reader | None:
    """Return the conversion of the driver's values, or None if they need none."""
    if dialect.name == "postgresql" and isinstance(type_, UtcDateTime):
        return None  # aware already
    if isinstance(type_, EnumType) and type_.enum_class is not None and _is_its_names(type_.enum_class):
        return None
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _is_its_names(members: type[Enum]) -> bool:
    """Whether each member equals the stored text."""
    return issubclass(members, str) and all(each.value == each.name for each in members)


def _record_class(names: Sequence[str]) -> type:
    """Return a subclass of the driver's record with the columns as attributes, so that rows needn't be copied."""
    columns = {name: property(itemgetter(index)) for index, name in enumerate(names)}
    as_named_tuples_have = {"_asdict": lambda row: dict(zip(names, row, strict=True))}
    return type("Row", (asyncpg.Record,), {"__slots__": (), **as_named_tuples_have, **columns})


def _row(columns: Sequence[tuple[str, Reader | None]]) -> Reader:
    """Return a function from a record to a named tuple. A column `a.b` becomes the attribute `b` of a tuple `a`."""
    readers = {f"read_{index}": reader for index, (_, reader) in enumerate(columns) if reader}
    values = [
        f"read_{index}(record[{index}])" if reader else f"record[{index}]" for index, (_, reader) in enumerate(columns)
    ]
    if not readers and not any("." in name for name, _ in columns):
        return partial(tuple.__new__, _class([name for name, _ in columns]))
    names: dict[str, object] = dict(readers)
    expression = _expression(
        [(name.split("."), value) for (name, _), value in zip(columns, values, strict=True)], names
    )
    made: Reader = eval(f"lambda record: {expression}", names)  # noqa: S307 our own text
    return made


def _expression(values: Sequence[tuple[list[str], str]], names: dict[str, object]) -> str:
    """Return the source of a tuple of these values, each with its path. Adds the tuples' classes to `names`."""
    parts: dict[str, list[tuple[list[str], str]]] = {}
    for (first, *rest), value in values:
        parts.setdefault(first, []).append((rest, value))
    made = [_part(name, own, names) for name, own in parts.items()]
    name = f"new_{len(names)}"
    names[name] = partial(tuple.__new__, _class([each.removesuffix(OPTIONAL) for each in parts]))
    return f"{name}(({', '.join(made)},))"


def _part(name: str, own: Sequence[tuple[list[str], str]], names: dict[str, object]) -> str:
    if not own[0][0]:
        return own[0][1]
    made = _expression(own, names)
    if not name.endswith(OPTIONAL):
        return made
    (its_id,) = [value for path, value in own if path == ["id"]]
    return f"({made} if {its_id} is not None else None)"


def _class(names: Sequence[str]) -> type:
    return namedtuple("Row", names, rename=True)  # noqa: PYI024 the names are computed
