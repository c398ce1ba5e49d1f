"""The newest deleted event is stored for each organization.

One position for all of them refused each organization that had no event left, and each new one.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LENGTH = 36


def upgrade() -> None:
    position = sa.String(LENGTH).with_variant(sa.String(LENGTH, collation="C"), "postgresql")
    op.add_column("organization", sa.Column("events_expired_to", position, server_default="0" * LENGTH, nullable=False))
    op.execute("UPDATE organization SET events_expired_to = (SELECT expired_to FROM feed)")
    op.execute("ALTER TABLE feed DROP COLUMN expired_to")
