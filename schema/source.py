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


@strawberry.type(description="Saved queries, run one after the other.")
class SavedQueriesSource(_OfVersion):
    kind = SourceKind.SAVED_QUERIES
    query_ids = _kept(
        "query_ids", list[strawberry.ID], ("The ids of the saved queries, in the order in which they run."), QUERIES
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
    sql = _kept("sql", str, "The SQL text.", weight(characters=limits.SQL.maximum))
    origin = _kept(
        "origin", str | None, ("Where the SQL came from, such as a path in a Git repository. Null if not set.")
    )


@strawberry.type(description="An entry point of a Python wheel.")
class PythonWheelSource(_OfVersion):
    kind = SourceKind.PYTHON_WHEEL
    package_name = _kept("package_name", str, "The name of the package.")
    entry_point = _kept("entry_point", str, "The entry point of the package.")
    version = _kept("version", str | None, "The version of the package. Null for the newest.")
    arguments = _kept("arguments", list[str], "The command-line arguments.", ARGUMENTS)


@strawberry.type(description="A Python file.")
class PythonFileSource(_OfVersion):
    kind = SourceKind.PYTHON_FILE
    path = _kept("path", str, "The path of the file.")
    arguments = _kept("arguments", list[str], "The command-line arguments.", ARGUMENTS)


JobSource = Annotated[
    SavedQueriesSource | SqlSnapshotSource | PythonWheelSource | PythonFileSource,
    strawberry.union("JobSource", description="What a version runs."),
]
