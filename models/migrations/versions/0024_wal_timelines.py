"""Timelines of PostgreSQL's write-ahead log, with the keys that sign positions in them."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wal_timeline",
        sa.Column("number", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("system_identifier", sa.BigInteger(), nullable=False),
        sa.Column("timeline", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_wal_timeline")),
    )
