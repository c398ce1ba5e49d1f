"""`mainsheet db backup` and `db restore`, on SQLite and PostgreSQL."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click import ClickException
from sqlalchemy import make_url, select, text

from mainsheet.models.database import Database
from mainsheet.models.database_url import DatabaseUrl
from mainsheet.models.revisions import head
from mainsheet.models.tables import Base
from mainsheet.server.commands.postgresql import dump
from testbed.ask import Ask
from testbed.databases import execute, make_newer, opened, postgres_database
from testbed.postgres import program
from testbed.world import World
from tests.releases.kept import restore_postgresql, restore_sqlite
from tests.server.commands import invoke, mainsheet, serving
from tests.server.test_cli import refused

PATH = f"{program('pg_dump').parent}:{os.environ['PATH']}"  # the programs must not be older than the server
RENAME = 'mutation { updateJob(input: {jobId: "%s", name: "%s"}) { userErrors { code } } }'
EVENTS = "query ($after: String) { events(after: $after) { nodes { action } pageInfo { endCursor } } }"
# Each change of a job adds 1 to its revision, and an event.
REVISION_AND_EVENTS = "SELECT max(job.revision), count(event.id) FROM job JOIN event ON event.job_id = job.id"


@pytest.fixture
async def empty_url(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """An empty database of the same kind as the test's other one; a SQLite file isn't there yet."""
    other: str = request.getfixturevalue("demo_url" if "demo_url" in request.fixturenames else "database_url")
    if other.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/restored.sqlite3"
        return
    async with postgres_database(request.getfixturevalue("postgres_server")) as url:
        yield url


def content(url: str) -> dict[str, list[Any]]:
    """Return the rows of all tables, except for the state of the feed, which a restore changes."""

    async def read() -> dict[str, list[Any]]:
        async with opened(url) as database, database.reads.connect() as connection:
            return {
                name: sorted(map(repr, (await connection.execute(select(table))).all()))
                for name, table in Base.metadata.tables.items()
                if name != "feed"
            }

    return asyncio.run(read())


def test_a_restored_database_equals_the_copied_one(demo_url: str, empty_url: str, tmp_path: Path) -> None:
    before = content(demo_url)

    copied = invoke("db", "backup", str(tmp_path / "copy"), PATH=PATH, MAINSHEET_DATABASE_URL=demo_url)
    restored = invoke("db", "restore", str(tmp_path / "copy"), PATH=PATH, MAINSHEET_DATABASE_URL=empty_url)

    assert (copied.returncode, copied.stdout) == (0, f"The database is copied to {tmp_path}/copy.\n")
    assert (restored.returncode, restored.stdout) == (0, f"The database is restored from {tmp_path}/copy.\n")
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert content(empty_url) == before
    assert invoke("db", "check", MAINSHEET_DATABASE_URL=empty_url).returncode == 0
    assert not list(tmp_path.glob(".*"))


def test_what_would_be_lost_is_refused(demo_url: str, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    own = {"PATH": PATH, "MAINSHEET_DATABASE_URL": demo_url}
    assert invoke("db", "backup", str(file), **own).returncode == 0

    assert f"{file} exists already" in refused(invoke("db", "backup", str(file), **own))
    has_data = "has data: replace it with --force" if "sqlite" in demo_url else "has tables already: restore into a new"
    assert has_data in refused(invoke("db", "restore", str(file), **own))
    assert invoke("db", "backup", str(file), "--force", **own).returncode == 0
    assert f"{tmp_path}/no of copy doesn't exist" in refused(invoke("db", "backup", f"{tmp_path}/no/copy", **own))


def test_what_is_no_regular_file_is_not_overwritten(sqlite_demo_url: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    said = refused(invoke("db", "backup", f"{tmp_path}/pipe", "--force", MAINSHEET_DATABASE_URL=sqlite_demo_url))

    assert said == f"{tmp_path}/pipe isn't a regular file: choose another name"
    assert (tmp_path / "pipe").is_fifo()


def test_a_file_that_is_no_backup_is_refused(demo_url: str, empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("nonsense")

    said = refused(invoke("db", "restore", str(tmp_path / "file"), PATH=PATH, MAINSHEET_DATABASE_URL=empty_url))

    assert "file is not a database" in said if "sqlite" in demo_url else "input file" in said
    assert not (tmp_path / "restored.sqlite3").exists()


def test_a_backup_of_a_newer_version_is_refused(demo_url: str, empty_url: str, tmp_path: Path) -> None:
    async def migrate() -> None:
        async with opened(demo_url) as database:
            await make_newer(database, compatible_from="9999")

    asyncio.run(migrate())
    file = str(tmp_path / "copy")
    assert invoke("db", "backup", file, PATH=PATH, MAINSHEET_DATABASE_URL=demo_url).returncode == 0

    said = refused(invoke("db", "restore", file, PATH=PATH, MAINSHEET_DATABASE_URL=empty_url))

    assert said == f"The database is at revision 9999, newer than this version's {head()}: update Mainsheet"
    nothing = "There is no database" if "sqlite" in demo_url else "The database has no tables yet"
    assert nothing in refused(invoke("db", "check", MAINSHEET_DATABASE_URL=empty_url))


def test_a_restored_database_of_an_older_version_can_be_upgraded(demo_url: str, empty_url: str, tmp_path: Path) -> None:
    file = tmp_path / "copy"
    if demo_url.startswith("sqlite"):
        restore_sqlite("0.1.0", file)
    else:
        restore_postgresql("0.1.0", empty_url)
        assert invoke("db", "backup", str(file), PATH=PATH, MAINSHEET_DATABASE_URL=empty_url).returncode == 0
        asyncio.run(execute(empty_url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"))

    restored = invoke("db", "restore", str(file), PATH=PATH, MAINSHEET_DATABASE_URL=empty_url)

    assert "It is of an older version: run `mainsheet db upgrade" in restored.stdout
    assert invoke("db", "upgrade", MAINSHEET_DATABASE_URL=empty_url).returncode == 0
    assert invoke("db", "check", MAINSHEET_DATABASE_URL=empty_url).returncode == 0


def test_without_the_programs_of_postgresql_one_line_says_so(postgres_url: str, tmp_path: Path) -> None:
    said = refused(invoke("db", "backup", f"{tmp_path}/copy", PATH="", MAINSHEET_DATABASE_URL=postgres_url))

    assert said == "There is no pg_dump: install the client programs of PostgreSQL"
    assert list(tmp_path.iterdir()) == []


def test_a_terminated_backup_leaves_no_file(postgres_url: str, tmp_path: Path) -> None:
    """A program in the place of pg_dump terminates the command that waits for it."""
    program, folder = tmp_path / "bin/pg_dump", tmp_path / "copies"
    for each in (program.parent, folder):
        each.mkdir()
    program.write_text("#!/bin/sh\nkill -TERM $PPID\nexec sleep 3600\n")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"

    stopped = mainsheet("db", "backup", f"{folder}/copy", PATH=path, MAINSHEET_DATABASE_URL=postgres_url)

    assert (stopped.returncode, stopped.stderr.strip()) == (1, "Aborted!")
    assert list(folder.iterdir()) == []


def test_the_programs_get_no_password_as_an_argument(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the place of pg_dump writes down what it gets; nothing else shows it."""
    url = DatabaseUrl.parse("postgres://ada:p%40ss@one,two:5433/jobs?sslmode=require&keepalives=1")
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$PGPASSWORD" "$@" >&2\nexit 1\n')
    program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ClickException) as failed:
        dump(url, tmp_path / "copy")

    said = failed.value.message.split()
    assert said[0] == "p@ss"
    primary = "target_session_attrs=read-write"  # of several hosts
    assert said[-1] == f"--dbname=postgresql://***@one,two:5433/jobs?{primary}&sslmode=require"


def test_a_passphrase_is_refused(tmp_path: Path) -> None:
    url = DatabaseUrl.parse("postgresql://ada@one/jobs?sslkey=/key&sslpassword=secret")

    with pytest.raises(ClickException, match="has an sslpassword, which all users could read") as failed:
        dump(url, tmp_path / "copy")

    assert "secret" not in failed.value.message
    assert list(tmp_path.iterdir()) == []


def test_pg_dump_takes_a_socket_and_options(postgres_url: str, tmp_path: Path) -> None:
    parts = make_url(postgres_url)
    options = quote("-c search_path=public -c application_name=ours")
    url = f"postgresql:///{parts.database}?host={parts.query['host']}&user={parts.username}&options={options}"

    copied = invoke("db", "backup", f"{tmp_path}/copy", PATH=PATH, MAINSHEET_DATABASE_URL=url)

    assert (copied.returncode, copied.stderr) == (0, "")
    assert (tmp_path / "copy").stat().st_size > 0


@pytest.mark.parametrize("name", ["PGSERVICE", "PGHOSTADDR"])
def test_pg_dump_reads_the_database_that_the_server_uses(postgres_url: str, tmp_path: Path, name: str) -> None:
    """The server's driver doesn't know these variables of libpq."""
    copied = invoke("db", "backup", f"{tmp_path}/copy", PATH=PATH, MAINSHEET_DATABASE_URL=postgres_url, **{name: "no"})

    assert (copied.returncode, copied.stderr) == (0, "")


def test_a_file_that_cannot_be_written_is_named(database_url: str, tmp_path: Path) -> None:
    own = {"PATH": PATH, "MAINSHEET_DATABASE_URL": database_url}

    hidden = refused(invoke("db", "backup", f"{tmp_path}/{'x' * 250}", **own))  # its temporary name is longer
    too_long = refused(invoke("db", "backup", f"{tmp_path}/{'x' * 300}", **own))

    for said in (hidden, too_long):
        assert said.startswith(f"{tmp_path}/")
        assert said.endswith(": File name too long")


def test_a_restore_on_sqlite_needs_force_and_keeps_the_old_database(sqlite_demo_url: str, tmp_path: Path) -> None:
    file, path = tmp_path / "copy", Path(sqlite_demo_url.removeprefix("sqlite:///"))
    own = {"MAINSHEET_DATABASE_URL": sqlite_demo_url}
    assert invoke("db", "backup", str(file), **own).returncode == 0
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE organization SET name = 'changed' WHERE name = 'harbor'")

    assert "has data: replace it with --force, which keeps it" in refused(invoke("db", "restore", str(file), **own))
    assert "is the database itself" in refused(invoke("db", "restore", str(path), "--force", **own))
    restored = invoke("db", "restore", str(file), "--force", **own)

    assert f"The database that was there before is now {path}.old-1." in restored.stdout
    assert "changed" in organizations(Path(f"{path}.old-1"))
    assert "changed" not in organizations(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_empty_database_is_replaced_without_force(sqlite_demo_url: str, sqlite_url: str, tmp_path: Path) -> None:
    assert invoke("db", "backup", f"{tmp_path}/copy", MAINSHEET_DATABASE_URL=sqlite_demo_url).returncode == 0

    assert invoke("db", "restore", f"{tmp_path}/copy", MAINSHEET_DATABASE_URL=sqlite_url).returncode == 0

    assert "harbor" in organizations(Path(sqlite_url.removeprefix("sqlite:///")))
    assert not list(tmp_path.glob("*.old-*"))


def test_a_served_database_is_not_replaced(sqlite_demo_url: str, tmp_path: Path) -> None:
    own = {"MAINSHEET_DATABASE_URL": sqlite_demo_url}
    with serving(environment=own) as server:
        assert invoke("db", "backup", f"{tmp_path}/copy", **own).returncode == 0
        said = refused(invoke("db", "restore", f"{tmp_path}/copy", "--force", **own))

    assert f"is in use by process {server.process.pid}" in said


async def test_new_events_after_a_restore_follow_the_lost_ones(
    ask: Ask, world: World, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    """The restored database doesn't have the lost events; a reader that has their cursors must miss no new one."""
    job_id = await ask.create_job(world.contributor, world)
    own = {"PATH": PATH, "MAINSHEET_DATABASE_URL": database_url}
    assert (await asyncio.to_thread(mainsheet, "db", "backup", f"{tmp_path}/copy", **own)).returncode == 0
    await ask(world.contributor, RENAME % (job_id, "Lost"))
    if not ask.database.is_sqlite:
        await make_lost_events_of_an_older_cluster(ask.database)
    cursor = (await ask(world.contributor, EVENTS))["events"]["pageInfo"]["endCursor"]
    own["MAINSHEET_DATABASE_URL"] = empty_url
    assert (await asyncio.to_thread(mainsheet, "db", "restore", f"{tmp_path}/copy", **own)).returncode == 0

    async with opened(empty_url) as restored:
        again = Ask(restored)
        for name in ("One", "Two"):
            await again(world.contributor, RENAME % (job_id, name))
        found = await again(world.contributor, EVENTS, after=cursor)

    assert [each["action"] for each in found["events"]["nodes"]] == ["JOB_UPDATED", "JOB_UPDATED"]


async def make_lost_events_of_an_older_cluster(database: Database) -> None:
    """Let the events have transactions that this cluster hasn't reached, and be read nevertheless."""
    async with database.writes.begin() as connection:
        await connection.execute(text("UPDATE event SET transaction_id = 1000000000 WHERE action = 'JOB_UPDATED'"))
        await connection.execute(text("UPDATE feed SET epoch = epoch + 1"))


def organizations(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM organization")}


async def test_mutations_go_on_during_a_backup(
    ask: Ask, world: World, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    job_id = await ask.create_job(world.contributor, world)
    running = asyncio.create_task(
        asyncio.to_thread(mainsheet, "db", "backup", f"{tmp_path}/copy", PATH=PATH, MAINSHEET_DATABASE_URL=database_url)
    )
    renamed = 0
    while not running.done():
        renamed += 1
        await ask(world.contributor, RENAME % (job_id, f"Name {renamed}"))
    assert (await running).returncode == 0, (await running).stderr

    restored = await asyncio.to_thread(
        mainsheet, "db", "restore", f"{tmp_path}/copy", PATH=PATH, MAINSHEET_DATABASE_URL=empty_url
    )

    assert restored.returncode == 0, restored.stderr
    async with opened(empty_url) as copy, copy.reads.connect() as connection:
        revision, events = (await connection.execute(text(REVISION_AND_EVENTS))).one()
    assert revision == events
    assert 1 <= revision <= renamed + 1
