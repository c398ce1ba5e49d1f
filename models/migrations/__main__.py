"""Drafts a migration from the models: `python -m mainsheet.models.migrations 0002 "jobs have an owner"`.

Edit the draft by hand. It comes from a comparison with SQLite but has to run on both databases, and a rebuilt table
has to keep its CHECK constraints and the predicates of its indexes. `tests/test_migrations.py` compares the result
with the models on both databases.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection

from mainsheet.models.database import Database
from mainsheet.models.migrate import upgrade
from mainsheet.models.revisions import config


async def draft(revision: str, message: str, url: str) -> None:
    database = Database.open(url)
    try:
        await upgrade(database)
        async with database.reads.connect() as connection:
            await connection.run_sync(write, revision, message)
    finally:
        await database.close()


def write(connection: Connection, revision: str, message: str) -> None:
    command.revision(config(connection), message, autogenerate=True, rev_id=revision)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(draft(sys.argv[1], sys.argv[2], f"sqlite:///{Path(folder, 'scratch.sqlite3')}"))
