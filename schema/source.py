"""What a version runs: four kinds, all read from the version's row."""

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


def _kept(name: str, graphql_type: Any, description: str, cost: Mapping[str, Any] = NO_WEIGHT) -> Any:
    """A field whose value the row keeps in its `source`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return root.source.get(name)

    metadata = {**reads("source"), **cost}
    return strawberry.field(resolver=resolve, graphql_type=graphql_type, description=description, metadata=metadata)


@strawberry.type(description="Runs saved queries, one after the other.")
class SavedQueriesSource(_OfVersion):
    kind = SourceKind.SAVED_QUERIES
    query_ids = _kept("query_ids", list[strawberry.ID], "The ids of the queries, in order.", QUERIES)
    queries = relation(
        saved_query.of_versions,
        list[names.SavedQuery],
        "The queries, in order.",
        weight=QUERIES,
    )


@strawberry.type(description="Runs SQL that the version holds itself.")
class SqlSnapshotSource(_OfVersion):
    kind = SourceKind.SQL_SNAPSHOT
    sql = _kept("sql", str, "The SQL.", weight(characters=limits.SQL.maximum))
    origin = _kept("origin", str | None, "Where the SQL came from, as a path in Git. Null if nobody said.")


@strawberry.type(description="Runs a Python wheel's entry point.")
class PythonWheelSource(_OfVersion):
    kind = SourceKind.PYTHON_WHEEL
    package_name = _kept("package_name", str, "The package.")
    entry_point = _kept("entry_point", str, "The entry point in it.")
    version = _kept("version", str | None, "The package's version. Null: the newest.")
    arguments = _kept("arguments", list[str], "The arguments.", ARGUMENTS)


@strawberry.type(description="Runs a Python file.")
class PythonFileSource(_OfVersion):
    kind = SourceKind.PYTHON_FILE
    path = _kept("path", str, "The file.")
    arguments = _kept("arguments", list[str], "The arguments.", ARGUMENTS)


JobSource = Annotated[
    SavedQueriesSource | SqlSnapshotSource | PythonWheelSource | PythonFileSource,
    strawberry.union("JobSource", description="What a version runs."),
]
