"""The cost of a search doesn't depend on other organizations' jobs. It is counted in rows and steps, not in time."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.database import Database
from mainsheet.models.ids import new_id
from mainsheet.models.job import Job
from mainsheet.models.job_version import JobVersion
from mainsheet.models.search_text import search_text
from mainsheet.resolvers.sql.snapshot import Snapshot
from mainsheet.resolvers.sql.statement import CompiledStatement
from testbed.ask import Ask, job_input
from testbed.world import World

OTHERS = 10_000
OWN = 5
STEP = 100  # operations of SQLite's virtual machine
SEARCH = "query ($text: String!) { jobs(filter: {search: $text}) { totalCount nodes { id } } }"


async def test_matches_of_other_organizations_cost_nothing(database: Database, ask: Ask, world: World) -> None:
    for number in range(OWN):
        await ask.create_job(world.contributor, world, jobKey=f"own-{number}", name="Quarterly report")
    searches = [(member, text) for member in (world.admin, world.contributor) for text in ("quarterly", "qu", "q")]
    alone = [await cost(database, ask, *search) for search in searches]

    await add_others(database, ask, world)

    beside = [await cost(database, ask, *search) for search in searches]
    assert all(now <= 4 * before for now, before in zip(beside, alone, strict=True)), (alone, beside)


async def add_others(database: Database, ask: Ask, world: World) -> None:
    """Copy one job of the other organization many times."""
    own = {"clusterId": world.foreign.cluster.id, "source": {"sqlSnapshot": {"sql": "SELECT 1"}}}
    given = job_input(world, teamIds=[world.foreign.team.id], config=own)
    job_id = await ask.create_job(world.foreign.admin, world, **given)
    async with database.writes.begin() as connection:
        job, version = await row_of(connection, Job, Job.id == job_id), JobVersion.job_id == job_id
        versions = await row_of(connection, JobVersion, version)
        keys = {new_id("JB"): f"other-{number}" for number in range(OTHERS)}
        text = {"name": "Quarterly", "search_text": search_text("other", "Quarterly", None)}
        await connection.execute(insert(Job), [job | text | {"id": id_, "job_key": key} for id_, key in keys.items()])
        await connection.execute(insert(JobVersion), [versions | {"id": new_id("JV"), "job_id": id_} for id_ in keys])


async def row_of(connection: AsyncConnection, table: Any, where: Any) -> dict[str, Any]:
    return dict((await connection.execute(select(table.__table__).where(where))).mappings().one())


async def cost(database: Database, ask: Ask, member: Any, text: str) -> int:
    """Search, and count the rows and steps of the statements that used the index."""
    data, (page, total) = await searched(database, ask, member, SEARCH, text)
    assert data["jobs"]["totalCount"] == len(data["jobs"]["nodes"]) == OWN
    return page + total


async def searched(database: Database, ask: Ask, member: Any, query: str, text: str) -> tuple[Any, list[int]]:
    """Return the data, and the number of rows and steps of each statement that used the index."""
    asked: list[tuple[str, list[Any]]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Snapshot, "records", recorded(Snapshot.records, asked))
        data = await ask(member, query, text=text)
    searches = [each for each in asked if "_search" in each[0] or "search_grams" in each[0]]
    async with database.writes.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        measure = sqlite_steps if database.is_sqlite else postgresql_rows
        return data, [await measure(driver, sql, parameters) for sql, parameters in searches]


def recorded(read: Callable[..., Any], asked: list[tuple[str, list[Any]]]) -> Callable[..., Any]:
    async def record(snapshot: Snapshot, statement: CompiledStatement, values: Any, **options: Any) -> Any:
        asked.append((statement.sql, statement.parameters(values)))
        return await read(snapshot, statement, values, **options)

    return record


async def sqlite_steps(driver: Any, sql: str, parameters: list[Any]) -> int:
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += STEP

    await driver.set_progress_handler(count, STEP)
    await driver.execute_fetchall(sql, parameters)
    await driver.set_progress_handler(None, STEP)
    return steps


async def postgresql_rows(driver: Any, sql: str, parameters: list[Any]) -> int:
    """Count the rows that scans of tables and indexes read."""
    await driver.execute("ANALYZE")
    plan = await driver.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *parameters)
    nodes = [each["Plan"] for each in (orjson.loads(plan) if isinstance(plan, str) else plan)]
    for node in nodes:
        nodes += node.get("Plans", ())
    return sum(_read(node) for node in nodes if "Scan" in node["Node Type"])


def _read(node: dict[str, Any]) -> int:
    lost = sum(node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck"))
    return int((node["Actual Rows"] + lost) * node["Actual Loops"])
