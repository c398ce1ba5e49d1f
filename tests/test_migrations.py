"""Migrations create the tables of the models on both databases, also if they run concurrently or repeatedly."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from subprocess import PIPE

import pytest
from alembic.config import Config
from asyncpg import QueryCanceledError  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from mainsheet.models import migrate, migration_locks
from mainsheet.models.database import Database
from mainsheet.models.migrate import SEARCHED, drift, upgrade
from mainsheet.models.migration_locks import NoLock, Watch, only_process, run_with_retries
from mainsheet.models.migration_steps import NewerDatabase, Step, upgrade_steps
from mainsheet.models.revisions import Revisions, compatible_from, head, migrations, revisions_of
from mainsheet.models.tables import Base
from testbed.databases import connected, make_newer, opened, postgres_database
from testbed.world import make_organization
from tests.server.commands import PATIENCE

UPGRADE = """
import asyncio, sys
from mainsheet.models.database import Database
from mainsheet.models.migrate import upgrade

async def main():
    database = Database.open(sys.argv[1])
    await upgrade(database)
    await database.close()

sys.stdin.readline()  # all start together
asyncio.run(main())
"""
PROCESSES = 4
END_LOCK = """
SELECT pg_terminate_backend(pid, 60000) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
WHERE locktype = 'advisory' AND datname = current_database()
"""

# All relevant objects of a PostgreSQL schema, one line each.
CATALOG = """
SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, character_maximum_length, is_nullable)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
"""


@pytest.fixture
async def empty_url(database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database of the same kind as `database`."""
    if database.is_sqlite:
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    else:
        async with postgres_database(request.getfixturevalue("postgres_server")) as url:
            yield url


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Database]:
    async with opened(empty_url) as database:
        yield database


async def test_an_upgraded_database_equals_the_models(empty: Database) -> None:
    await upgrade(empty)

    assert await drift(empty) == []


async def test_an_upgrade_creates_all_columns_and_constraints(database: Database, empty: Database) -> None:
    async with empty.writes.begin() as connection:
        await connection.run_sync(create_all)

    made, said = await described(database), await described(empty)
    assert made - said == set()
    assert said - made == set()
    assert any("uq_job_version_one_draft" in line for line in made)
    assert any("fk_job_current_version" in line for line in made)


def create_all(connection: Connection) -> None:
    """Create a copy of the tables, because SQLAlchemy omits foreign keys that were added by ALTER once."""
    copy = MetaData(naming_convention=Base.metadata.naming_convention)
    for table in Base.metadata.tables.values():
        table.to_metadata(copy)
    copy.create_all(connection)


async def test_differences_from_the_models_are_described(database: Database) -> None:
    async with database.writes.begin() as connection:
        await connection.execute(text("DROP INDEX ix_job_created_by"))
        await connection.execute(text("ALTER TABLE cluster ADD COLUMN colour VARCHAR(7)"))
        await connection.execute(text("DROP TABLE idempotency_record"))

    assert set(await drift(database)) == {
        "The database lacks the index ix_job_created_by of job.",
        "The models don't know the column colour of cluster.",
        "The database lacks the table idempotency_record.",
        "The database lacks the index ix_idempotency_record_created_at of idempotency_record.",
    }


@pytest.mark.parametrize("table", SEARCHED)
async def test_a_missing_search_index_is_described(database: Database, table: str) -> None:
    async with database.writes.begin() as connection:
        index = f"TRIGGER {table}_search_update" if database.is_sqlite else f"INDEX ix_{table}_search"
        await connection.execute(text(f"DROP {index}"))

    assert await drift(database) == ["The database lacks the index of searches."]


async def test_an_index_whose_building_was_ended_is_described(postgres_url: str) -> None:
    async with opened(postgres_url) as database, connected(postgres_url) as writer, connected(postgres_url) as builder:
        definition = await builder.fetchval("SELECT pg_get_indexdef('ix_job_created_by'::regclass)")
        await builder.execute("DROP INDEX ix_job_created_by; SET statement_timeout = 100")
        async with writer.transaction():
            await writer.execute("UPDATE job SET name = name")
            with pytest.raises(QueryCanceledError):
                await builder.execute(definition.replace("INDEX", "INDEX CONCURRENTLY", 1))

        (sentence,) = await drift(database)
        assert sentence.startswith("The index ix_job_created_by of job isn't valid")

        await builder.execute("SET statement_timeout = 0")
        await builder.execute(sentence[sentence.index("REINDEX") : -1])
        assert await drift(database) == []


async def test_an_empty_database_has_pending_migrations(empty: Database) -> None:
    revisions = await revisions_of(empty)

    assert (revisions.current, revisions.compatible_from) == (None, None)
    sentences = await drift(empty)
    assert sentences[0] == f"The database is at revision None, the models at {head()}."
    assert "The database lacks the table job." in sentences


async def test_migrations_that_share_a_step_share_a_transaction(empty: Database) -> None:
    """An index that is built concurrently would commit the migrations before it."""
    shared = upgrade_steps(await revisions_of(empty))[0]

    async with empty.writes.connect() as connection:
        await connection.begin()
        await connection.run_sync(shared.run)
        await connection.rollback()

    assert (await revisions_of(empty)).current is None


async def test_an_upgrade_of_an_upgraded_database_keeps_its_rows(database: Database) -> None:
    async with AsyncSession(database.writes) as session, session.begin():
        await make_organization(session, name="harbor")

    await upgrade(database)

    async with database.reads.connect() as connection:
        assert await connection.scalar(text("SELECT name FROM organization")) == "harbor"


async def test_foreign_keys_are_enforced_after_an_upgrade(database: Database) -> None:
    await upgrade(database)

    orphan = text(
        "INSERT INTO cluster (id, organization_id, name, status, revision) VALUES ('CL1', 'OR1', 'a', 'ACTIVE', 1)"
    )
    with pytest.raises(IntegrityError):
        async with database.writes.begin() as connection:
            await connection.execute(orphan)


async def test_concurrent_upgrades_all_succeed(empty: Database, empty_url: str) -> None:
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", UPGRADE, empty_url, stdin=PIPE, stderr=PIPE)
        for _ in range(PROCESSES)
    ]

    ends = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))

    assert [stderr for _, stderr in ends] == [b""] * PROCESSES
    assert {process.returncode for process in processes} == {0}
    assert await drift(empty) == []


async def test_an_upgrade_and_one_that_waits_for_it_block_no_concurrent_index(postgres_url: str) -> None:
    """Such an index waits for the end of all transactions that have a snapshot."""
    reported = asyncio.Queue[str]()
    async with opened(postgres_url) as database, connected(postgres_url) as builder, asyncio.timeout(PATIENCE):
        async with only_process(database, reported.put_nowait):
            waiting = asyncio.ensure_future(upgrade(database, reported.put_nowait))
            assert await reported.get() == "Another process migrates the database. Waiting for it."
            await builder.execute("CREATE INDEX CONCURRENTLY ix_of_another ON team (name)")
            assert not waiting.done()
        assert await waiting == head()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_migration_without_its_lock_fails_after_some_attempts(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_locks, "ATTEMPTS", 3)
    monkeypatch.setattr(migration_locks, "LONGEST_PAUSE_SECONDS", 0)
    reported = list[str]()

    def lock(connection: Connection) -> None:
        connection.execute(text("SET LOCAL lock_timeout = '1ms'"))
        connection.execute(text("LOCK TABLE job"))

    async with database.writes.connect() as other, database.writes.connect() as connection:
        await other.execute(text("LOCK TABLE job IN ACCESS SHARE MODE"))
        with pytest.raises(NoLock, match=r"in 3 attempts\. The migrations before it are kept\. Run it again"):
            await run_with_retries(connection, lock, Watch(database, reported.append))

    assert [each for each in reported if "tried again" in each] == [
        "The migration gave up after 2s. It is tried again in 0 s."
    ] * 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_a_process_whose_lock_is_lost_runs_no_further_step(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = list[str]()

    def lose_lock(config: Config, to: str) -> None:
        run.append(to)
        config.attributes["connection"].execute(text(END_LOCK))

    monkeypatch.setattr(migrate, "upgrade_steps", lambda _: [Step(lose_lock, "first"), Step(lose_lock, "second")])
    with pytest.raises(DBAPIError):
        await upgrade(database)

    assert run == ["first"]


@pytest.mark.parametrize("oldest", ["9999", "0000"])
async def test_a_database_of_a_newer_version_is_left_unchanged(database: Database, oldest: str) -> None:
    await make_newer(database, oldest)

    if oldest > head():
        with pytest.raises(NewerDatabase, match=f"revision 9999, newer than this version's {head()}: update Mainsheet"):
            await upgrade(database)
    else:
        assert await upgrade(database) == "9999"

    assert await revisions_of(database) == Revisions("9999", oldest, head())
    assert await drift(database) == [f"The database is at revision 9999, the models at {head()}."]


async def test_an_upgrade_stores_the_oldest_revision_that_can_serve_it(empty: Database) -> None:
    await upgrade(empty)

    async with empty.reads.connect() as connection:
        stored = await connection.scalar(text("SELECT compatible_from FROM schema_compatibility"))
    assert stored == compatible_from(head())


def test_migrations_are_numbered_in_their_order() -> None:
    assert list(migrations()) == [f"{number:04}" for number in range(1, len(migrations()) + 1)]


async def described(database: Database) -> set[str]:
    """Return a description of the database, without Alembic's table and the search index."""
    async with database.reads.connect() as connection:
        if database.is_sqlite:
            rows = await connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"))
            lines = {each for sql in rows for each in _sqlite_lines(sql)}
        else:
            lines = set(await connection.scalars(text(CATALOG)))
    return {line for line in lines if "alembic" not in line and "_search" not in line}


def _sqlite_lines(sql: str) -> list[str]:
    """Return a description of each column and constraint of a table, in any order."""
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    head, body = re.sub(r"[\s\"]+", " ", sql).split("(", 1)
    return [f"{head} {part}" for part in _parts(body.rstrip().removesuffix(")"))]


def _parts(body: str) -> list[str]:
    """Split at the commas that are in no parentheses."""
    parts, depth = [""], 0
    for character in body:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [each.strip() for each in parts]
