"""Substring search in the texts of jobs, teams, actors, clusters and saved queries, by an index of trigrams.

The index finds the rows that may contain the text; a comparison then finds those that do. Each trigram is indexed
together with the organization, so that a search reads nothing of other organizations. On SQLite the index is FTS5's, on
PostgreSQL it is an index of our function `search_grams`, because the extension pg_trgm isn't available everywhere and
can't find shorter texts. A text of one or two characters is found as a prefix of trigrams; the last two characters of
a row's text are indexed for that, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean

from mainsheet.models.search_text import fold
from mainsheet.resolvers.sql.overlay import CHANGED_TABLES

ESCAPE = "/"
SIZE = 3
SEARCH = "search"
GRAMS = "search_grams"


class SearchTerm(NamedTuple):
    """The text to search for, and the organization to search in."""

    organization_id: str
    text: str


def parameters(text: str, organization_id: str) -> Mapping[str, object]:
    """Return the parameters of a search: the pattern, named like the condition, and the term. A blank text has none."""
    folded = fold(text).strip()
    return {SEARCH: _containing(folded), GRAMS: SearchTerm(organization_id, folded)} if folded else {}


def matches_by_index(name: str, model: type[Any]) -> ColumnElement[bool]:
    """Whether the row contains the text, found by the index of the model's table."""
    return InIndex(model.__tablename__, bindparam(GRAMS, type_=Grams())) & matches(name, model)


def matches(name: str, row: type[Any]) -> ColumnElement[bool]:
    """Whether the row contains the text, without the index."""
    holds: ColumnElement[bool] = row.search_text.like(bindparam(name, type_=String()), escape=ESCAPE)
    return holds


def _containing(text: str) -> str:
    """Return the pattern of LIKE for texts that contain this one."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return f"%{text}%"


class Grams(TypeDecorator[SearchTerm]):
    """Converts a search term for the index: to a `tsquery`, or to an expression of FTS5."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: SearchTerm | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        write, both = (_lexeme, " & ") if dialect.name == "postgresql" else (_token, " AND ")
        return both.join(write(value.organization_id, each) for each in _grams(value.text))


def _grams(text: str) -> Sequence[str]:
    """Return the fewest trigrams that cover the text: a database reads the entries of each."""
    last = max(0, len(text) - SIZE)
    return list(dict.fromkeys(text[start : start + SIZE] for start in (*range(0, last, SIZE), last)))


def _lexeme(organization_id: str, gram: str) -> str:
    escaped = gram.replace("\\", "\\\\").replace("'", "''")
    return f"'{organization_id}_{escaped}'{'' if len(gram) == SIZE else ':*'}"


def _token(organization_id: str, gram: str) -> str:
    """Write a gram in hexadecimal, because FTS5 splits tokens at other characters than letters and digits."""
    return f'"{organization_id}_{gram.encode().hex()}"{"" if len(gram) == SIZE else "*"}'


class InIndex(ColumnElement[bool]):
    """Whether the row has the trigrams that cover the text.

    They may be in another order or apart, so the row may not contain the text.
    """

    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True
    _traverse_internals = [  # noqa: RUF012 as SQLAlchemy declares it
        ("table", InternalTraversal.dp_string),
        ("grams", InternalTraversal.dp_clauseelement),
    ]

    def __init__(self, table: str, grams: BindParameter[SearchTerm]) -> None:
        self.table = table
        self.grams = grams


@compiles(InIndex, "postgresql")
def _in_index_on_postgresql(element: InIndex, compiler: SQLCompiler, **options: Any) -> str:
    grams = compiler.process(element.grams, **options)
    return f"search_grams({element.table}.organization_id, {element.table}.search_text) @@ CAST({grams} AS TSQUERY)"


@compiles(InIndex, "sqlite")
def _in_index_on_sqlite(element: InIndex, compiler: SQLCompiler, **options: Any) -> str:
    """FTS5 has the stored rows only. After a dry run's changes, each row is compared."""
    table = element.table
    if table in options.get(CHANGED_TABLES, ()):
        return "TRUE"
    grams = compiler.process(element.grams, **options)
    rows = f"SELECT rowid FROM {table}_search WHERE {table}_search MATCH ({grams})"  # noqa: S608 no text of a caller's
    return f"{table}.id IN (SELECT {table}_id FROM {table}_search_row WHERE number IN ({rows}))"  # noqa: S608
