"""The four kinds of sources, all read from the version's row."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import strawberry
from graphql import GraphQLResolveInfo

from mainsheet.models import limits
from mainsheet.models.source import SourceKind
from mainsheet.resolvers import saved_query
from mainsheet.schema import names
from mainsheet.schema.relation import NO_WEIGHT, reads, relation
from mainsheet.schema.weight import weight

QUERIES = weight(items=limits.SAVED_QUERIES.maximum)
ARGUMENTS = weight(items=limits.ENTRIES.maximum, characters=limits.ARGUMENT.maximum)


class _OfVersion:
    kind: ClassVar[SourceKind]

    @classmethod
    def is_type_of(cls, row: Any, _info: GraphQLResolveInfo[Any]) -> bool:
        return bool(row.source_kind == cls.kind)


def _source_field(name: str, graphql_type: Any, description: str, cost: Mapping[str, Any] = NO_WEIGHT) -> Any:
    """Declare a field whose value is in the row's JSON column `source`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return root.source.get(name)

    metadata = {**reads("source"), **cost}
    return strawberry.field(resolver=resolve, graphql_type=graphql_type, description=description, metadata=metadata)


@strawberry.type(description="Saved queries, run one after the other.")
class SavedQueriesSource(_OfVersion):
    kind = SourceKind.SAVED_QUERIES
    query_ids = _source_field(
        "query_ids", list[strawberry.ID], "The ids of the saved queries, in the order in which they run.", QUERIES
    )
    queries = relation(
        saved_query.of_versions,
        list[names.SavedQuery],
        "The saved queries, in the order in which they run.",
        weight=QUERIES,
    )


@strawberry.type(description="An SQL text that is stored in the version.")
class SqlSnapshotSource(_OfVersion):
    kind = SourceKind.SQL_SNAPSHOT
    sql = _source_field("sql", str, "The SQL text.", weight(characters=limits.SQL.maximum))
    origin = _source_field(
        "origin", str | None, "Where the SQL text comes from, such as a path in a Git repository. Null if not set."
    )


@strawberry.type(description="An entry point of a Python wheel.")
class PythonWheelSource(_OfVersion):
    kind = SourceKind.PYTHON_WHEEL
    package_name = _source_field("package_name", str, "The name of the package.")
    entry_point = _source_field("entry_point", str, "The entry point of the package.")
    version = _source_field("version", str | None, "The version of the package. Null for the newest.")
    arguments = _source_field("arguments", list[str], "The command-line arguments.", ARGUMENTS)


@strawberry.type(description="A Python file.")
class PythonFileSource(_OfVersion):
    kind = SourceKind.PYTHON_FILE
    path = _source_field("path", str, "The path of the file.")
    arguments = _source_field("arguments", list[str], "The command-line arguments.", ARGUMENTS)


JobSource = Annotated[
    SavedQueriesSource | SqlSnapshotSource | PythonWheelSource | PythonFileSource,
    strawberry.union("JobSource", description="What a version runs."),
]
