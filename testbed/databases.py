"""Fresh databases: copies of a migrated template, which may contain the demo."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]  # has no stubs
from sqlalchemy import make_url, text

from mainsheet.demo import seed_demo
from mainsheet.models.database import Database
from mainsheet.models.migrate import upgrade


async def migrated(url: str) -> str:
    async with opened(url) as database:
        await upgrade(database)
    return url


async def seeded(url: str) -> str:
    """Add the demo to a migrated database."""
    async with opened(url) as database:
        await seed_demo(database)
    return url


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    try:
        yield database
    finally:
        await database.close()


async def make_newer(database: Database, compatible_from: str) -> None:
    """Let the database look as if a newer version had migrated it, for versions from this revision on."""
    async with database.writes.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        stored = text("UPDATE schema_compatibility SET compatible_from = :revision")
        await connection.execute(stored, {"revision": compatible_from})


@asynccontextmanager
async def connected(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    url = make_url(postgres_url)
    host = url.host or url.query.get("host")
    connection = await asyncpg.connect(
        host=host, port=url.port, user=url.username, password=url.password, database=url.database
    )
    try:
        yield connection
    finally:
        await connection.close()


async def execute(server: str, statement: str) -> None:
    """Run one statement outside of a transaction, as CREATE DATABASE requires."""
    async with connected(server) as connection:
        await connection.execute(statement)


@asynccontextmanager
async def postgres_database(server: str, template: str = "template0") -> AsyncIterator[str]:
    """Yield the URL of a copy of the template. Copying its files takes half the time of copying by the log."""
    name = f"mainsheet_{uuid4().hex[:12]}"
    await execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def sqlite_database(folder: Path, template: Path) -> str:
    """Copy the template to a file that only its owner can read, as commands create it. Return its URL."""
    path = Path(shutil.copy(template, folder / f"{uuid4().hex[:12]}.sqlite3"))
    path.chmod(0o600)
    return f"sqlite:///{path}"
