"""A mutation whose client has left: the running field is finished, and no further field begins."""

import asyncio

from mainsheet.models.database import Database
from mainsheet.models.instrumentation import Instrumentation
from mainsheet.schema.context import Context
from testbed.ask import Ask, execute
from testbed.world import World, caller, make_world
from tests.server.failing import client, holding, waiting

NAMES = "{ jobs { nodes { name } } }"
RENAME_BOTH = """
mutation ($a: ID!, $b: ID!) {
  first: updateJob(input: {jobId: $a, name: "Renamed"}) { job { name } userErrors { code } }
  second: updateJob(input: {jobId: $b, name: "Renamed"}) { job { name } userErrors { code } }
}
"""


class Leaving(Instrumentation):
    """A context whose client leaves during the first statement."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def statement(self, sql: str, seconds: float) -> None:
        self.context.abandon()


async def two_jobs(ask: Ask, world: World) -> dict[str, str]:
    return {name: await ask.create_job(world.contributor, world, jobKey=name, name=name) for name in ("a", "b")}


async def names(ask: Ask, world: World) -> list[str]:
    data = await ask(world.contributor, NAMES)
    return [each["name"] for each in data["jobs"]["nodes"]]


async def test_only_running_fields_of_an_abandoned_mutation_end(ask: Ask, world: World, database: Database) -> None:
    variables = await two_jobs(ask, world)
    context = Context(database, caller(world.contributor))
    database.instrumentation.add(Leaving(context))

    result = await execute(RENAME_BOTH, variables, context, context.caller)
    await context.close()

    assert result.errors is not None
    assert [error.message for error in result.errors] == ["Not begun: the client left before."]
    assert sorted(await names(ask, world)) == ["Renamed", "b"]


async def test_no_field_begins_after_the_client_left(postgres_url: str) -> None:
    database, other = Database.open(postgres_url), Database.open(postgres_url)
    world, ask = await make_world(other), Ask(other)
    variables = await two_jobs(ask, world)

    async with (
        client(database, world.contributor) as server,  # waits at the end for running mutations
        holding(other, "SELECT id FROM job WHERE id = :id FOR UPDATE", id=variables["a"]),
    ):
        asking = asyncio.create_task(server(RENAME_BOTH, **variables))
        await waiting(other)
        asking.cancel()
        await asyncio.wait([asking])
        await server("{ __typename }")  # ends after the server has noticed that the client left

    assert sorted(await names(ask, world)) == ["Renamed", "b"]
    await database.close()
    await other.close()
