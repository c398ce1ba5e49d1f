"""Find events by the teams that had access to their job. A page of a team's events read the feed until it was full.

SQLite can't index the items of an array.
"""

from alembic import op

from mainsheet.models.migrations.concurrent_index import create_index, drop_index

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
compatible_from = "0029"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        create_index("ix_event_search_teams", "event", ["team_ids"], postgresql_using="gin")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        drop_index("ix_event_search_teams", "event")
