"""A benchmark that repeats an operation runs it on the same rows each time."""

from graphql import ExecutionResult, parse
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.repeated import repeated
from mainsheet.executor import Prepared, Request, core_schema
from mainsheet.models.database import Database
from mainsheet.models.tables import Base
from mainsheet.schema.api import api
from mainsheet.schema.context import Context
from mainsheet.server.operations.documents import operation_of
from testbed.ask import CREATE_JOB, EXECUTOR, job_input
from testbed.world import caller, make_world


async def sizes(database: Database) -> dict[str, int | None]:
    async with AsyncSession(database.reads) as session:
        counts = {each.name: select(func.count()).select_from(each) for each in Base.metadata.sorted_tables}
        return {name: await session.scalar(count) for name, count in counts.items()}


async def test_a_repeated_change_leaves_no_rows(postgres_url: str) -> None:
    database = Database.open(postgres_url)
    world = await make_world(database)
    who, document = caller(world.contributor), parse(CREATE_JOB)
    variables = {"input": job_input(world, idempotencyKey="once")}
    prepared = Prepared(core_schema(api), document, operation_of(document, None))
    request = Request(prepared, variables, Context(database, who), who)
    before = await sizes(database)
    results: list[ExecutionResult] = []

    async def run(own: Request) -> ExecutionResult:
        results.append(await EXECUTOR.execute(own))
        return results[-1]

    async with repeated(request) as operation:
        times = [await operation.milliseconds(run) for _ in range(3)]

    assert min(times) > 0
    assert len({(each.data or {})["createJob"]["job"]["id"] for each in results}) == 3
    assert await sizes(database) == before
    await database.close()
