"""What a version runs: four kinds, all read from the version's row."""

from typing import Annotated, Any, ClassVar

import strawberry
from graphql import GraphQLResolveInfo

from models.source import SourceKind
from resolvers import saved_query
from schema import names
from schema.relation import reads, relation


class _OfVersion:
    kind: ClassVar[SourceKind]

    @classmethod
    def is_type_of(cls, row: Any, _info: GraphQLResolveInfo[Any]) -> bool:
        return bool(row.source_kind == cls.kind)


def _kept(name: str, graphql_type: Any, description: str) -> Any:
    """A field whose value the row keeps in its `source`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return root.source.get(name)

    return strawberry.field(
        resolver=resolve, graphql_type=graphql_type, description=description, metadata=reads("source")
    )


@strawberry.type(description="Runs saved queries, one after the other.")
class SavedQueriesSource(_OfVersion):
    kind = SourceKind.SAVED_QUERIES
    query_ids = _kept("query_ids", list[strawberry.ID], "The ids of the queries, in order.")
    queries = relation(
        saved_query.of_versions,
        list[names.SavedQuery],
        "The queries, in order.",
    )


@strawberry.type(description="Runs SQL that the version holds itself.")
class SqlSnapshotSource(_OfVersion):
    kind = SourceKind.SQL_SNAPSHOT
    sql = _kept("sql", str, "The SQL.")
    origin = _kept("origin", str | None, "Where the SQL came from, as a path in Git. Null if nobody said.")


@strawberry.type(description="Runs a Python wheel's entry point.")
class PythonWheelSource(_OfVersion):
    kind = SourceKind.PYTHON_WHEEL
    package_name = _kept("package_name", str, "The package.")
    entry_point = _kept("entry_point", str, "The entry point in it.")
    version = _kept("version", str | None, "The package's version. Null: the newest.")
    arguments = _kept("arguments", list[str], "The arguments.")


@strawberry.type(description="Runs a Python file.")
class PythonFileSource(_OfVersion):
    kind = SourceKind.PYTHON_FILE
    path = _kept("path", str, "The file.")
    arguments = _kept("arguments", list[str], "The arguments.")


JobSource = Annotated[
    SavedQueriesSource | SqlSnapshotSource | PythonWheelSource | PythonFileSource,
    strawberry.union("JobSource", description="What a version runs."),
]
