"""The source of a version: what it runs. There are four kinds."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar

from mainsheet.models import limits
from mainsheet.models.errors import Path, UserError


class SourceKind(StrEnum):
    SAVED_QUERIES = "SAVED_QUERIES"
    SQL_SNAPSHOT = "SQL_SNAPSHOT"
    PYTHON_WHEEL = "PYTHON_WHEEL"
    PYTHON_FILE = "PYTHON_FILE"


@dataclass(frozen=True)
class Source:
    kind: ClassVar[SourceKind]
    texts: ClassVar[Mapping[str, limits.Text]] = {}

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.text_problems(self.texts, vars(self), path)

    def values(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SavedQueries(Source):
    """An ordered list of saved queries, which may contain a query twice."""

    kind = SourceKind.SAVED_QUERIES
    query_ids: tuple[str, ...]

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from limits.SAVED_QUERIES.check(len(self.query_ids), (*path, "query_ids"))


@dataclass(frozen=True)
class SqlSnapshot(Source):
    kind = SourceKind.SQL_SNAPSHOT
    texts = MappingProxyType({"sql": limits.SQL, "origin": limits.LOCATION})
    sql: str
    origin: str | None = None


@dataclass(frozen=True)
class PythonWheel(Source):
    kind = SourceKind.PYTHON_WHEEL
    texts = MappingProxyType({"package_name": limits.NAME, "entry_point": limits.NAME, "version": limits.NAME})
    package_name: str
    entry_point: str
    version: str | None = None
    arguments: tuple[str, ...] = ()

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from super().problems(path)
        yield from _argument_problems(self.arguments, path)


@dataclass(frozen=True)
class PythonFile(Source):
    kind = SourceKind.PYTHON_FILE
    texts = MappingProxyType({"path": limits.LOCATION})
    path: str
    arguments: tuple[str, ...] = ()

    def problems(self, path: Path) -> Iterator[UserError]:
        yield from super().problems(path)
        yield from _argument_problems(self.arguments, path)


def _argument_problems(arguments: tuple[str, ...], path: Path) -> Iterator[UserError]:
    yield from limits.ENTRIES.check(len(arguments), (*path, "arguments"))
    for index, argument in enumerate(arguments):
        yield from limits.ARGUMENT.check(argument, (*path, "arguments", str(index)))


KINDS: Mapping[SourceKind, type[Source]] = {
    kind.kind: kind for kind in (SavedQueries, SqlSnapshot, PythonWheel, PythonFile)
}


def given_source(kind: SourceKind, values: Mapping[str, Any]) -> Source:
    """Build a source from a caller's input, with its texts normalized."""
    return source_of(kind, limits.normal(KINDS[kind].texts, values))


def source_of(kind: SourceKind, values: Mapping[str, Any]) -> Source:
    """Build a source from a row. Lists become tuples, None becomes an omitted value."""
    return KINDS[kind](
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
            if value is not None
        }
    )
