"""Alembic's entry point. `mainsheet.models.migrate` passes the connection and commits its transaction."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON

from mainsheet.models.base import UtcDateTime
from mainsheet.models.migrate import OPTIONS


def independent(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Render our types without imports of our modules: models change, migrations must not."""
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
