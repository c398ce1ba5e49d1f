"""Find where the events of a day begin and end in the feed. A page of a time range read all events before it."""

import sqlalchemy as sa
from alembic import op

from mainsheet.models.migrations.concurrent_index import create_index, drop_index

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None
compatible_from = "0029"

DAY = "CAST(timezone('UTC', occurred_at) AS date)"
# True for all events. PostgreSQL uses the index only for statements with this condition, not to read the feed.
FOR_DAYS = "position <> ''"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        columns = ["organization_id", sa.text(DAY), "position", "occurred_at"]
        create_index("ix_event_search_day", "event", columns, postgresql_where=sa.text(FOR_DAYS))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        drop_index("ix_event_search_day", "event")
