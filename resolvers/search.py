"""Substring search in the keys, names and descriptions of jobs, by an index of trigrams.

The index finds the jobs that may contain the text; a comparison then finds those that do. Each trigram is indexed
together with the organization, so that a search reads nothing of other organizations. On SQLite the index is FTS5's, on
PostgreSQL it is an index of our function `search_grams`, because the extension pg_trgm isn't available everywhere and
can't find shorter texts. A text of one or two characters is found as a prefix of trigrams; the last two characters of
a job's text are indexed for that, too.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean

from mainsheet.models.job import Job
from mainsheet.models.search_text import fold

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


def matches_by_index(name: str) -> ColumnElement[bool]:
    """Whether the job contains the text, found by the index."""
    return InIndex(bindparam(GRAMS, type_=Grams())) & matches(name, Job)


def matches(name: str, job: type[Job]) -> ColumnElement[bool]:
    """Whether the job contains the text, without the index."""
    holds: ColumnElement[bool] = job.search_text.like(bindparam(name, type_=String()), escape=ESCAPE)
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
    return list(dict.fromkeys(text[start : start + SIZE] for start in range(max(1, len(text) - SIZE + 1))))


def _lexeme(organization_id: str, gram: str) -> str:
    escaped = gram.replace("\\", "\\\\").replace("'", "''")
    return f"'{organization_id}_{escaped}'{'' if len(gram) == SIZE else ':*'}"


def _token(organization_id: str, gram: str) -> str:
    """Write a gram in hexadecimal, because FTS5 splits tokens at other characters than letters and digits."""
    return f'"{organization_id}_{gram.encode().hex()}"{"" if len(gram) == SIZE else "*"}'


class InIndex(ColumnElement[bool]):
    """Whether the job has all trigrams of the text. They may be in another order, so it may not contain the text."""

    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True
    _traverse_internals = [("grams", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 as SQLAlchemy declares it

    def __init__(self, grams: BindParameter[SearchTerm]) -> None:
        self.grams = grams


@compiles(InIndex, "postgresql")
def _in_index_on_postgresql(element: InIndex, compiler: SQLCompiler, **options: Any) -> str:
    grams = compiler.process(element.grams, **options)
    return f"search_grams(job.organization_id, job.search_text) @@ CAST({grams} AS TSQUERY)"


@compiles(InIndex, "sqlite")
def _in_index_on_sqlite(element: InIndex, compiler: SQLCompiler, **options: Any) -> str:
    grams = compiler.process(element.grams, **options)
    rows = f"SELECT rowid FROM job_search WHERE job_search MATCH ({grams})"  # noqa: S608 compiled, no text of a caller's
    return f"job.id IN (SELECT job_id FROM job_search_row WHERE number IN ({rows}))"  # noqa: S608
