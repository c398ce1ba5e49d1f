"""Many keys in one array parameter: the statement's text doesn't depend on their number, nor does any limit apply."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Dialect,
    ScalarSelect,
    Select,
    String,
    TableValuedAlias,
    Text,
    TypeDecorator,
    bindparam,
    cast,
    func,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean, TypeEngine

from mainsheet.models.limits import storable

SEPARATOR = '","'


class TextArray(TypeDecorator[Sequence[str]]):
    """`text[]` on PostgreSQL, a JSON array on SQLite. Without texts that a database can't store."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(String()))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        keys = [each for each in value or () if storable(each)]
        return keys if dialect.name == "postgresql" else orjson.dumps(keys).decode()


class ArrayAsText(TypeDecorator[Sequence[str]]):
    """An array as a text: as PostgreSQL casts it to `text[]`, and as JSON on SQLite.

    It is for many items that are read once: asyncpg tests each item of an array, which takes half a microsecond. In a
    condition that is checked for each row, PostgreSQL would cast it each time, and couldn't hash it.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str:
        keys = value or ()
        return array_literal(keys) if dialect.name == "postgresql" else orjson.dumps(list(keys)).decode()


def array_literal(texts: Sequence[str]) -> str:
    """Return the array as PostgreSQL reads it (its documentation, section "Array Value Input")."""
    if not texts:
        return "{}"
    joined = SEPARATOR.join(texts)
    if "\\" in joined or joined.count('"') != 2 * (len(texts) - 1):
        joined = SEPARATOR.join([each.replace("\\", "\\\\").replace('"', '\\"') for each in texts])
    return f'{{"{joined}"}}'


KEYS: BindParameter[Sequence[str]] = bindparam("keys", type_=ArrayAsText())
KEY: BindParameter[str] = bindparam("key", type_=String())
ONE_KEY = "one_key"  # a compiler option: `KEYS` has one key, which is passed as `KEY`, too


def as_array(texts: BindParameter[Sequence[str]]) -> ColumnElement[Sequence[str]]:
    """Return the parameter as an array of PostgreSQL."""
    return cast(texts, ARRAY(Text))


def each_key(name: str, *, is_sqlite: bool) -> TableValuedAlias:
    """Return a table of the keys in FROM, whose column is `value`. Joined by an index, each key is looked up once."""
    if is_sqlite:
        return func.json_each(KEYS).table_valued("value", name=name)
    return func.unnest(as_array(KEYS)).table_valued("value").render_derived(name=name)


class Among(ColumnElement[bool]):
    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True  # SQLite would get `… IN (…) = 1`, for which it uses no index
    _traverse_internals = [  # noqa: RUF012 as SQLAlchemy declares it
        ("column", InternalTraversal.dp_clauseelement),
        ("keys", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, column: Any, keys: BindParameter[Sequence[str]] | ScalarSelect[str]) -> None:
        self.column = column.__clause_element__() if hasattr(column, "__clause_element__") else column
        self.keys = keys


def among(column: Any, keys: Iterable[str] | BindParameter[Sequence[str]]) -> ColumnElement[bool]:
    """Whether the column has one of the keys."""
    return Among(column, keys if isinstance(keys, BindParameter) else _bound(keys))


def among_these(column: Any, rows: Select[str]) -> ColumnElement[bool]:
    """Whether the column has a key of these rows. They are read once, first; PostgreSQL can't make them a join."""
    return Among(column, rows.scalar_subquery())


def _bound(keys: Iterable[str]) -> BindParameter[Sequence[str]]:
    return bindparam(None, list(keys), type_=TextArray(), unique=True)


@compiles(Among)
def _compiled(element: Among, compiler: SQLCompiler, **options: Any) -> str:
    """Compare with `KEY` if there is one key: PostgreSQL plans any array as if it had ten elements."""
    column = compiler.process(element.column, **options)
    if options.get(ONE_KEY) and element.keys is KEYS:
        return f"{column} = {compiler.process(KEY, **options)}"
    if compiler.dialect.name == "postgresql":
        return f"{column} = ANY ({_array_of_postgresql(element.keys, compiler, **options)})"
    keys = compiler.process(element.keys, **options)
    return f"{column} IN {keys if isinstance(element.keys, ScalarSelect) else f'(SELECT value FROM json_each({keys}))'}"  # noqa: S608 compiled parts


def _array_of_postgresql(
    keys: BindParameter[Sequence[str]] | ScalarSelect[str], compiler: SQLCompiler, **options: Any
) -> str:
    if isinstance(keys, ScalarSelect):
        return f"ARRAY{compiler.process(keys, **options)}"
    if keys is KEYS:  # the subquery is run once
        return f"(SELECT {compiler.process(as_array(keys), **options)})::text[]"
    return compiler.process(keys, **options)
