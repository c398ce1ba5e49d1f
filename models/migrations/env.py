"""Alembic's way in. `mainsheet.models.migrate` brings the connection, in a transaction that it commits itself."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from mainsheet.models.base import UtcDateTime
from mainsheet.models.migrate import OPTIONS


def independent(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write migrations that need no module of ours: the models change, a migration doesn't."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, JSON):
        autogenerate.imports.add("from sqlalchemy.dialects.postgresql import JSONB")
        return 'sa.JSON().with_variant(JSONB(), "postgresql")'
    return False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=independent,
    **OPTIONS,
)
with context.begin_transaction():
    context.run_migrations()
