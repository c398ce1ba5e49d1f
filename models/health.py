"""Whether a database can be served: it accepts changes, and has a revision that this package can serve."""

import os

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from mainsheet.models.revisions import revisions

IS_READ_ONLY = text("SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool")
READ_ONLY = "The database is read-only."


async def why_unusable(connection: AsyncConnection) -> str | None:
    """Return the reason why a server can't work with the database, or `None`. Raises the driver's errors."""
    obstacle = (await revisions(connection)).obstacle
    is_read_only = await _is_read_only(connection)
    await connection.rollback()  # so that the connection sees later changes
    if obstacle:
        return f"{obstacle}."
    return READ_ONLY if is_read_only else None


async def _is_read_only(connection: AsyncConnection) -> bool:
    if connection.dialect.name == "sqlite":
        return not os.access(str(connection.engine.url.database), os.W_OK)
    return bool(await connection.scalar(IS_READ_ONLY))
