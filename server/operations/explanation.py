"""Explains a query without a database: its compiled Python, with the SQL of each batch."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import indent
from typing import Any, Literal

from mainsheet.executor import Executor, Request
from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.member import Member
from mainsheet.models.organization import Organization
from mainsheet.models.roles import OrganizationRole
from mainsheet.resolvers.caller import Caller
from mainsheet.resolvers.sql.snapshot import Read, Snapshot
from mainsheet.resolvers.sql.statement import CompiledStatement
from mainsheet.schema.api import api
from mainsheet.schema.context import Context

Dialect = Literal["postgresql", "sqlite"]
NOWHERE: Mapping[Dialect, str] = {
    "postgresql": "postgresql://nobody@nowhere.invalid/nothing",
    "sqlite": "sqlite:///nowhere.sqlite3",
}

NO_STATEMENT = "no statement: none of its columns are selected"


class Recording(Snapshot):
    """Records the statements and returns no rows."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.statements: list[str] = []

    async def records(self, statement: CompiledStatement, values: Mapping[str, Any], *, alone: bool) -> list[Any]:  # noqa: ARG002 as declared
        self.statements.append(statement.sql)
        return []


async def explained(request: Request, dialect: Dialect, role: OrganizationRole) -> str:
    """Return the source with each batch's statements above it.

    Raises `Unsupported`, `Refused`, or a batch's error.
    """
    database = Database.open(NOWHERE[dialect])
    # With new ids, for which no grant count is cached.
    nobody = Caller(new_id(Member.PREFIX), new_id(Organization.PREFIX), role)
    context = Context(database, nobody)
    recording = Recording(database)
    context.read = Read(recording, context.caller, context.read.dialect)
    rehearsal = Executor(api, believes_rows=True).rehearsal(request)
    statements: dict[str, list[str]] = {}
    async for group in rehearsal.asked(context):
        statements[group.answers] = [f"{each};" for each in recording.statements] or [NO_STATEMENT]
        recording.statements = []
    return "\n".join([*_commented(rehearsal.unit.source, statements), ""])


def _commented(source: str, statements: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for line in source.splitlines():
        name, _, _ = line.strip().partition(" = await ")
        for sql in statements.get(name, ()):
            yield indent(sql, "    #   ")
        yield line
