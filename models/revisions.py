"""Revisions: those of this package's migrations, the one that a database has, and whether the two fit.

A migration may declare `compatible_from`, the oldest revision whose version can serve a database after it. The database
stores the value of its last migration. So an older version serves a newer database if its own revision isn't older
than that.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.database import Database
from mainsheet.models.errors import MainsheetError
from mainsheet.models.schema_compatibility import SchemaCompatibility

TABLE = SchemaCompatibility.__tablename__
NUMBER = re.compile(r"\d{4}")
STORES_COMPATIBILITY = "0021"  # the first revision that has the table


class ForeignDatabase(MainsheetError):
    """Another application migrated the database."""

    def __init__(self, revision: str) -> None:
        super().__init__(f"The database is of another application: its revision {revision!r} is none of Mainsheet's")


@dataclass(frozen=True)
class Revisions:
    """The database's revision, the oldest one that can serve it, and this package's. Revisions are numbered.

    `current` is None for a database without tables, `compatible_from` is None before `STORES_COMPATIBILITY`. Raises
    `ForeignDatabase`.
    """

    current: str | None
    compatible_from: str | None
    head: str

    def __post_init__(self) -> None:
        if self.current is not None and not NUMBER.fullmatch(self.current):
            raise ForeignDatabase(self.current)

    @property
    def is_newer(self) -> bool:
        return self.current is not None and self.current > self.head

    @property
    def can_be_served(self) -> bool:
        is_compatible = self.compatible_from is not None and self.compatible_from <= self.head
        return self.current == self.head or (self.is_newer and is_compatible)

    @property
    def position(self) -> str:
        if self.current is None:
            return "The database has no tables yet"
        newer = f", newer than this version's {self.head}" if self.is_newer else ""
        return f"The database is at revision {self.current}{newer}"

    @property
    def obstacle(self) -> str | None:
        """Return why this version can't serve the database, or None."""
        if self.can_be_served:
            return None
        is_older = self.current is not None and not self.is_newer
        return f"{self.position}, this version needs {self.head}" if is_older else self.position


async def revisions_of(database: Database) -> Revisions:
    async with database.reads.connect() as connection:
        return await revisions(connection)


async def revisions(connection: AsyncConnection) -> Revisions:
    """Read the revisions of the connection's database. Raises `ForeignDatabase`."""
    return await connection.run_sync(read_revisions)


def read_revisions(connection: Connection) -> Revisions:
    current = MigrationContext.configure(connection).get_current_revision()
    if current == head():  # the usual case needs no other statement
        return Revisions(current, compatible_from(head()), head())
    is_stored = inspect(connection).has_table(TABLE)
    stored = connection.scalar(select(SchemaCompatibility.compatible_from)) if is_stored else None
    return Revisions(current, stored, head())


def config(connection: Connection | None = None) -> Config:
    """Configure Alembic without a file, so that it runs from an installed wheel."""
    alembic = Config()
    alembic.set_main_option("script_location", "mainsheet.models:migrations")
    alembic.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    alembic.attributes["connection"] = connection
    return alembic


@cache
def migrations() -> dict[str, Script]:
    """Return this package's migrations by revision, the oldest first."""
    newest_first = list(ScriptDirectory.from_config(config()).walk_revisions())
    return {each.revision: each for each in reversed(newest_first)}


def head() -> str:
    return next(reversed(migrations()))


def compatible_from(revision: str) -> str:
    """Return the oldest revision whose version can serve a database at this one: by default, itself."""
    return str(getattr(migrations()[revision].module, "compatible_from", revision))


def store_compatibility(*, ctx: MigrationContext, step: Any, **_: Any) -> None:
    """Store the value of the revision that the database is at after a step. Alembic calls this in its transaction."""
    (revision,) = step.destination_revision_ids or (None,)
    if revision is not None and revision >= STORES_COMPATIBILITY:
        ctx.execute(update(SchemaCompatibility).values(compatible_from=compatible_from(revision)))
