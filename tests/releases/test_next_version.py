"""Commands of a simulated next version, on a database of this one."""

import asyncio
import json
import re
from asyncio.subprocess import Process

import pytest
from sqlalchemy import Connection, inspect, text

from mainsheet.models.database import Database
from mainsheet.models.revisions import Revisions, head, revisions_of
from testbed.ask import Ask
from testbed.databases import connected
from testbed.world import World
from tests.locks import timeouts
from tests.releases.next_version import REVISIONS, NextVersion, make_next_version
from tests.server.commands import PATIENCE

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NEWEST = REVISIONS[-1]
DECLARED = {"label", "job.colour", "job.weight"}
SET_COLOUR = text("UPDATE job SET colour = '#0b7a75'")
INDEXES = text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_job_colour')")


@pytest.fixture(scope="module")
def following(tmp_path_factory: pytest.TempPathFactory) -> NextVersion:
    return make_next_version(tmp_path_factory.mktemp("next"))


async def tables_of(database: Database) -> dict[str, set[str]]:
    def read(connection: Connection) -> dict[str, set[str]]:
        inspector = inspect(connection)
        return {name: {each["name"] for each in inspector.get_columns(name)} for name in inspector.get_table_names()}

    async with database.reads.connect() as connection:
        return await connection.run_sync(read)


def dropped(before: dict[str, set[str]], after: dict[str, set[str]]) -> set[str]:
    """Return the tables and columns that are missing, as a migration declares them."""
    columns = {f"{table}.{each}" for table, columns in after.items() for each in before[table] - columns}
    return columns | (before.keys() - after.keys())


async def two_jobs(database: Database, world: World) -> None:
    ask = Ask(database)
    for key in ("first", "second"):
        await ask.create_job(world.contributor, world, jobKey=key)


async def test_this_version_serves_what_the_next_one_migrated_and_back(
    following: NextVersion, database: Database, database_url: str
) -> None:
    before, stored = await tables_of(database), await revisions_of(database)
    upgraded = await following.run("db", "upgrade", url=database_url)
    checked = await following.run("db", "check", url=database_url)

    assert (upgraded.code, upgraded.stdout, upgraded.stderr) == (0, f"The database is at revision {NEWEST}.\n", "")
    assert checked.stdout == "The database is up to date.\n"
    between = await tables_of(database)
    revisions = await revisions_of(database)
    assert revisions == Revisions(NEWEST, head(), head())
    assert revisions.obstacle is None

    downgraded = await following.run("db", "downgrade", head(), url=database_url)

    assert (downgraded.code, downgraded.stdout) == (0, f"The database is at revision {head()}.\n")
    assert await revisions_of(database) == stored
    assert await tables_of(database) == before
    assert dropped(between, before) == DECLARED  # otherwise a downgrade could lose data without a word


@ON_SQLITE
async def test_pending_migrations_are_shown_and_not_run(
    following: NextVersion, database: Database, database_url: str
) -> None:
    shown = await following.run("db", "upgrade", "--dry-run", url=database_url)
    status = json.loads((await following.run("db", "status", "--json", url=database_url)).stdout)

    assert [line.split()[0] for line in shown.stdout.splitlines()] == ["REVISION", *REVISIONS]
    assert status | {"pending": len(status["pending"])} == {
        "current": head(),
        "head": NEWEST,
        "compatibleFrom": (await revisions_of(database)).compatible_from,
        "obstacle": f"The database is at revision {head()}, this version needs {NEWEST}",
        "pending": len(REVISIONS),
    }
    description = "Jobs have a colour and a weight, and there are labels."
    assert status["pending"][0] == {"revision": REVISIONS[0], "description": description}
    assert (await revisions_of(database)).current == head()


async def test_a_downgrade_that_loses_data_is_refused_and_lists_it(
    following: NextVersion, database: Database, database_url: str, world: World
) -> None:
    await two_jobs(database, world)
    await following.run("db", "upgrade", url=database_url)
    async with database.writes.begin() as connection:
        await connection.execute(SET_COLOUR)
        await connection.execute(text("INSERT INTO label (id, name) VALUES ('LB1', 'urgent')"))

    refused = await following.run("db", "downgrade", head(), url=database_url)

    assert refused.code == 1
    assert [line.split() for line in refused.stdout.splitlines()] == [
        ["TABLE", "COLUMN", "ROWS", "LOST"],
        ["label", "all", "1"],
        ["job", "colour", "2"],
    ]
    assert refused.stderr == "Error: Data would be lost, so nothing was changed: use --yes to delete it\n"
    assert (await revisions_of(database)).current == NEWEST
    forced = await following.run("db", "downgrade", head(), "--yes", url=database_url)
    assert forced.code == 0
    assert (await revisions_of(database)).current == head()


@ON_POSTGRESQL
async def test_a_script_does_what_an_upgrade_does(
    following: NextVersion, database: Database, database_url: str
) -> None:
    script = await following.run("db", "upgrade", "--sql", url=database_url)
    async with connected(database_url) as connection:
        for name in await timeouts(connection):
            await connection.execute(f"SET {name} = '5s'")  # as a role may have it
        for statement in statements(script.stdout):
            await connection.execute(statement)
        lifted = await timeouts(connection)

    assert set(lifted.values()) == {"0"}
    assert await revisions_of(database) == Revisions(NEWEST, head(), head())
    assert (await following.run("db", "check", url=database_url)).stdout == "The database is up to date.\n"


def statements(script: str) -> list[str]:
    """Split a script into statements, which a concurrent index has to be sent alone as."""
    return [each for each in script.split(";\n") if each.strip()]


@ON_POSTGRESQL
async def test_an_invalid_index_is_built_again(
    following: NextVersion, database: Database, database_url: str, world: World
) -> None:
    await two_jobs(database, world)
    async with connected(database_url) as connection:
        with pytest.raises(Exception, match="could not create unique index"):
            await connection.execute("CREATE UNIQUE INDEX CONCURRENTLY ix_job_colour ON job (organization_id)")
    assert not await is_valid(database)

    await following.run("db", "upgrade", url=database_url)

    assert await is_valid(database)


async def is_valid(database: Database) -> bool:
    async with database.reads.connect() as connection:
        return bool((await connection.execute(INDEXES)).scalar_one())


@ON_POSTGRESQL
async def test_a_migration_that_waits_for_a_lock_names_the_session_that_holds_it(
    following: NextVersion, database: Database, database_url: str
) -> None:
    async with database.writes.connect() as other:
        await other.execute(text("SET LOCAL application_name = 'report'"))
        await other.execute(text("LOCK TABLE job IN ACCESS SHARE MODE"))
        pid = await other.scalar(text("SELECT pg_backend_pid()"))
        async with following.running("db", "upgrade", url=database_url) as upgrading:
            held = await line_of_stderr(upgrading)
            tried_again = await line_of_stderr(upgrading)
            await other.rollback()
            await upgrading.wait()

    started = r"its query started at \d\d:\d\d:\d\dZ"
    assert re.fullmatch(
        rf"The migration waits for a lock that is held by process {pid} \(report, {started}\)\.\n", held
    )
    assert tried_again == "The migration gave up after 2s. It is tried again in 1 s.\n"
    assert (await revisions_of(database)).current == NEWEST


async def line_of_stderr(process: Process) -> str:
    assert process.stderr
    async with asyncio.timeout(PATIENCE):
        return (await process.stderr.readline()).decode()
