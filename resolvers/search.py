"""Text found anywhere in a job's key, name or description, by an index of three characters in a row.

The index says which jobs may contain the text, a comparison then which do. Each three characters are indexed together
with their organization, so that a search reads nothing of other organizations. On SQLite the index is FTS5's, on
PostgreSQL one of our own `search_grams`: the extension for it, pg_trgm, is no part of every PostgreSQL and finds
nothing shorter. A text of one or two characters is found as the beginning of what is indexed: the last characters of a
job's text are indexed too, though they are fewer than three.
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
    """What the index is asked for."""

    organization_id: str
    text: str


def parameters(text: str, organization_id: str) -> Mapping[str, object]:
    """Return the parameters of a search, the first named as its condition is; a blank text has none."""
    folded = fold(text).strip()
    return {SEARCH: _containing(folded), GRAMS: SearchTerm(organization_id, folded)} if folded else {}


def matches_by_index(name: str) -> ColumnElement[bool]:
    """Whether the job contains the text, looked up in the index."""
    return InIndex(bindparam(GRAMS, type_=Grams())) & matches(name, Job)


def matches(name: str, job: type[Job]) -> ColumnElement[bool]:
    """Whether the job contains the text, compared job by job."""
    holds: ColumnElement[bool] = job.search_text.like(bindparam(name, type_=String()), escape=ESCAPE)
    return holds


def _containing(text: str) -> str:
    """Return the pattern of LIKE for texts that contain this one."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return f"%{text}%"


class Grams(TypeDecorator[SearchTerm]):
    """What is sought as the index is asked: a `tsquery`, or an expression of FTS5."""

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
    """Write a gram in hexadecimal: FTS5 takes a token of letters and digits as it is."""
    return f'"{organization_id}_{gram.encode().hex()}"{"" if len(gram) == SIZE else "*"}'


class InIndex(ColumnElement[bool]):
    """Whether the index has the text, or may have it: three in a row needn't follow each other."""

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
