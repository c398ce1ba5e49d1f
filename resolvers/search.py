"""Text found anywhere in a job's key, name or description, by an index of three characters in a row.

The index says which jobs may hold the text, a comparison then which do. On SQLite it is FTS5's, on PostgreSQL one of
our own `search_grams`: the extension for it, pg_trgm, is no part of every PostgreSQL and finds nothing shorter.
A text of one or two characters is the beginning of some three, since two line breaks follow the last character.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Dialect, String, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import Boolean

from models.job import Job

ESCAPE = "/"
SIZE = 3
GRAMS = "search_grams"
SHORT = "short_search"


def asked(text: str) -> Mapping[str, str]:
    """Return the values of a search by name, of which the first is that of its condition."""
    folded = text.casefold()
    if not folded:
        return {}
    return {SHORT if len(folded) < SIZE else "search": _containing(folded), GRAMS: folded}


def found(name: str) -> ColumnElement[bool]:
    """Whether the job holds the text, as the index says."""
    return Found(bindparam(GRAMS, type_=Grams()), name == SHORT) & held(name, Job)


def held(name: str, job: Any) -> ColumnElement[bool]:
    """Whether the job holds the text, as a look at it says."""
    holds: ColumnElement[bool] = job.search_text.like(bindparam(name, type_=String()), escape=ESCAPE)
    return holds


def _containing(text: str) -> str:
    """Return the pattern of LIKE for texts that contain this one."""
    for special in (ESCAPE, "%", "_"):
        text = text.replace(special, ESCAPE + special)
    return f"%{text}%"


class Grams(TypeDecorator[str]):
    """A folded text, as what the index is asked: a `tsquery`, or an expression of FTS5."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str:
        text = value or ""
        if dialect.name == "postgresql":
            return " & ".join(map(_lexeme, _grams(text))) if len(text) >= SIZE else f"{_lexeme(text)}:*"
        return " AND ".join(map(_string, _grams(text))) if len(text) >= SIZE else text


def _grams(text: str) -> Sequence[str]:
    return list(dict.fromkeys(text[start : start + SIZE] for start in range(len(text) - SIZE + 1)))


def _lexeme(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _string(text: str) -> str:
    escaped = text.replace('"', '""')
    return f'"{escaped}"'


class Found(ColumnElement[bool]):
    """Whether the index has the text, or may have it: three in a row needn't follow each other."""

    inherit_cache = True
    type = Boolean()
    _is_implicitly_boolean = True
    _traverse_internals = [  # noqa: RUF012 as SQLAlchemy declares it
        ("grams", InternalTraversal.dp_clauseelement),
        ("is_short", InternalTraversal.dp_boolean),
    ]

    def __init__(self, grams: BindParameter[str], is_short: bool) -> None:
        self.grams = grams
        self.is_short = is_short


@compiles(Found, "postgresql")
def _on_postgresql(element: Found, compiler: SQLCompiler, **options: Any) -> str:
    return f"search_grams(job.search_text) @@ CAST({compiler.process(element.grams, **options)} AS TSQUERY)"


@compiles(Found, "sqlite")
def _on_sqlite(element: Found, compiler: SQLCompiler, **options: Any) -> str:
    grams = compiler.process(element.grams, **options)
    match = BEGINNING % grams if element.is_short else grams
    rows = f"SELECT rowid FROM job_search WHERE job_search MATCH ({match})"  # noqa: S608 compiled, no text of a caller's
    return f"job.id IN (SELECT job_id FROM job_search_row WHERE number IN ({rows}))"  # noqa: S608


# All that is indexed and begins with the text, joined by OR.
BEGINNING = """
SELECT coalesce(group_concat('"' || replace(term, '"', '""') || '"', ' OR '), '""')
FROM (SELECT %s AS text) JOIN job_search_terms ON term >= text AND term < text || char(1114111)
"""
