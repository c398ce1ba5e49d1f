"""Events of commands and statements, which are reported to the operation that caused them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import DBAPIError

from mainsheet.models.database import Database
from mainsheet.models.errors import UserError
from mainsheet.models.instrumentation import Instrumentation, Instrumented
from mainsheet.models.roles import AccessScope
from mainsheet.models.team import Team
from mainsheet.resolvers.mutation import Call
from mainsheet.resolvers.write import Command, Write
from testbed.ask import Ask
from testbed.statements import Statements, statements_of
from testbed.world import World, caller

JOBS = "{ jobs { nodes { name } } }"
MEMBERS = "{ me { actor { displayName } } }"
RENAME = """
mutation ($name: String!, $dryRun: Boolean!) {
  updateOrganization(input: {name: $name, dryRun: $dryRun}) { userErrors { code } }
}
"""


class Commands(Instrumentation):
    def __init__(self) -> None:
        self.ended: list[tuple[str, str]] = []

    def command(self, name: str, outcome: str, seconds: float, problems: Sequence[UserError]) -> None:
        assert seconds > 0
        self.ended.append((name, outcome))


async def test_each_command_is_reported_with_its_outcome(ask: Ask, world: World, database: Database) -> None:
    database.instrumentation.add(commands := Commands())

    await ask(world.admin, RENAME, name="North", dryRun=True)
    await ask(world.contributor, RENAME, name="North", dryRun=False)
    await ask(world.admin, RENAME, name="North", dryRun=False)

    assert [outcome for _, outcome in commands.ended] == ["dry_run", "refused", "done"]
    assert {name for name, _ in commands.ended} == {"updateOrganization"}


async def test_a_command_that_raises_is_reported_as_failed(world: World, database: Database) -> None:
    async def run(write: Write) -> Mapping[str, Any]:
        await write.session.execute(text("SELECT nothing"))
        return {}

    database.instrumentation.add(commands := Commands())

    with pytest.raises(DBAPIError):
        await Call(database, caller(world.contributor), Command("broken", [AccessScope.WRITE], run), {}, {}).perform()

    assert commands.ended == [("broken", "failed")]


async def test_concurrent_operations_receive_their_own_statements(world: World, database: Database) -> None:
    async def statements(query: str) -> list[str]:
        with Instrumented(own := Statements()):
            await Ask(database)(world.contributor, query)
        return own.sent

    await statements(JOBS)  # for a new caller, the first query counts the grants
    alone = [await statements(query) for query in (JOBS, MEMBERS)]
    at_once = await asyncio.gather(*map(statements, (JOBS, MEMBERS)))

    assert all(alone)
    assert at_once == alone


async def test_each_of_several_instruments_receives_a_statement(ask: Ask, world: World, database: Database) -> None:
    first, second = statements_of(database), statements_of(database)

    await ask(world.contributor, JOBS)

    assert first == second != []


async def test_events_are_passed_on_with_named_details(database: Database) -> None:
    database.instrumentation.add(commands := Commands())

    database.instrumentation.command("named", outcome="done", seconds=1, problems=[])

    assert commands.ended == [("named", "done")]
    assert type(database.instrumentation).command.__name__ == "command"


async def test_an_instrument_is_removed_once(database: Database) -> None:
    database.instrumentation.add(commands := Commands())
    database.instrumentation.remove(commands)

    database.instrumentation.command("later", "done", 1, [])

    assert commands.ended == []
    with pytest.raises(ValueError, match="isn't an instrument"):
        database.instrumentation.remove(commands)


async def test_statements_with_many_rows_are_reported(world: World, database: Database) -> None:
    rows = [{"id": f"TM{n}", "organization_id": world.organization.id, "name": f"team-{n}"} for n in range(3)]
    sent = statements_of(database)

    async with database.writes.begin() as connection:
        await connection.execute(insert(Team), rows)

    assert len([each for each in sent if each.startswith("INSERT INTO team ")]) == 1


def test_no_dialect_overrides_the_hooked_methods(database: Database) -> None:
    """The hook replaces these methods. It must change if a dialect of SQLAlchemy overrides them."""
    dialect = type(database.writes.sync_engine.dialect)

    assert dialect.do_execute is DefaultDialect.do_execute
    assert dialect.do_executemany is DefaultDialect.do_executemany
