"""The timeline of PostgreSQL by which a server recognizes that the database lost its newest events (decision 26)."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feed", sa.Column("timeline", sa.Integer(), nullable=True))
