"""Alembic's entry point. `mainsheet.models.migrate` passes the connection."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from mainsheet.models.base import UtcDateTime
from mainsheet.models.migrate import OPTIONS
from mainsheet.models.migration_locks import LOCK_TIMEOUT


def independent(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Render our types without imports of our modules: models change, migrations must not."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


def configure() -> None:
    """Configure a migration of the connection's database, or, without a connection, its script for PostgreSQL."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        dialect_name=connection.dialect.name if connection else "postgresql",
        render_as_batch=connection is not None and connection.dialect.name == "sqlite",
        render_item=independent,
        literal_binds=connection is None,
        **OPTIONS,
    )


def limit_waits() -> None:
    """Let the transaction wait shortly for locks. Its statements may take long, unlike those of a server."""
    context.execute("SET LOCAL statement_timeout = 0")
    context.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")


configure()
with context.begin_transaction():
    if context.get_context().dialect.name == "postgresql":
        limit_waits()
    context.run_migrations()
