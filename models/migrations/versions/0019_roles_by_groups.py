"""A member keeps which roles the groups of a JWT gave, and when it was issued."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("actor", sa.Column("groups_as_of", sa.DateTime(timezone=True), nullable=True))
    op.add_column("actor", sa.Column("groups_digest", sa.String(64), nullable=True))
