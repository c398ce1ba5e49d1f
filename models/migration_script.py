"""The SQL of pending migrations, for those who review it or run it by themselves."""

from collections.abc import Sequence
from io import StringIO

from alembic import command
from alembic.script import Script

from mainsheet.models.database import LIFT_TRANSACTION_TIMEOUT
from mainsheet.models.errors import MainsheetError
from mainsheet.models.revisions import compatible_from, config

# Indexes are built outside of transactions: the role's timeouts would end them, and leave indexes that aren't valid.
BEGINNING = f"""\
-- Run this with `psql --set ON_ERROR_STOP=1`: nothing may be executed after a statement that failed.

SET statement_timeout = 0;

SET lock_timeout = 0;

{LIFT_TRANSACTION_TIMEOUT};

"""


class NoScript(MainsheetError):
    """A migration may read rows or tables, so that its statements depend on them."""

    def __init__(self, revision: str) -> None:
        super().__init__(f"There is no script for migration {revision}: run `mainsheet db upgrade`")


def script(pending: Sequence[Script]) -> str:
    """Return the SQL of these migrations for PostgreSQL, each in a transaction. Raises `NoScript`.

    Only migrations that an older version can serve have one.
    """
    for each in pending:
        if compatible_from(each.revision) == each.revision:
            raise NoScript(each.revision)
    return "".join([BEGINNING if pending else "", *map(sql_of, pending)])


def sql_of(migration: Script) -> str:
    """Return the SQL of a migration whose statements don't depend on rows or tables."""
    alembic = config()
    alembic.output_buffer = StringIO()
    command.upgrade(alembic, f"{migration.down_revision}:{migration.revision}", sql=True)
    return alembic.output_buffer.getvalue()
