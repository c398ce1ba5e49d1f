"""What a version runs: one of four kinds."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from models import limits
from models.errors import Path, UserError


class SourceKind(StrEnum):
    SAVED_QUERIES = "SAVED_QUERIES"
    SQL_SNAPSHOT = "SQL_SNAPSHOT"
    PYTHON_WHEEL = "PYTHON_WHEEL"
    PYTHON_FILE = "PYTHON_FILE"


@dataclass(frozen=True)
class Source:
    kind: ClassVar[SourceKind]

    def problems(self, path: Path) -> Iterator[UserError]:
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SavedQueries(Source):
    """An ordered list; the same query may come twice."""

    kind = SourceKind.SAVED_QUERIES
    query_ids: tuple[str, ...]

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.SAVED_QUERIES.check(len(self.query_ids), (*path, "query_ids"))


@dataclass(frozen=True)
class SqlSnapshot(Source):
    kind = SourceKind.SQL_SNAPSHOT
    sql: str
    origin: str | None = None

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.SQL.check(self.sql, (*path, "sql"))
        if self.origin is not None:
            yield from limits.LOCATION.check(self.origin, (*path, "origin"))


@dataclass(frozen=True)
class PythonWheel(Source):
    kind = SourceKind.PYTHON_WHEEL
    package_name: str
    entry_point: str
    version: str | None = None
    arguments: tuple[str, ...] = ()

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.NAME.check(self.package_name, (*path, "package_name"))
        yield from limits.NAME.check(self.entry_point, (*path, "entry_point"))
        if self.version is not None:
            yield from limits.NAME.check(self.version, (*path, "version"))
        yield from _argument_problems(self.arguments, path)


@dataclass(frozen=True)
class PythonFile(Source):
    kind = SourceKind.PYTHON_FILE
    path: str
    arguments: tuple[str, ...] = ()

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.LOCATION.check(self.path, (*path, "path"))
        yield from _argument_problems(self.arguments, path)


def _argument_problems(arguments: tuple[str, ...], path: Path) -> Iterator[UserError]:
    yield from limits.ENTRIES.check(len(arguments), (*path, "arguments"))
    for index, argument in enumerate(arguments):
        yield from limits.ARGUMENT.check(argument, (*path, "arguments", str(index)))


KINDS: Mapping[SourceKind, type[Source]] = {
    kind.kind: kind for kind in (SavedQueries, SqlSnapshot, PythonWheel, PythonFile)
}


def source_of(kind: SourceKind, values: Mapping[str, Any]) -> Source:
    """Build a source from what a caller sent or a row keeps; lists become tuples, None an omitted value."""
    return KINDS[kind](
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if value is not None
        }
    )
