"""Organizations have a revision, so that an administrator can't overwrite another one's change without seeing it."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organization", sa.Column("revision", sa.Integer(), nullable=False, server_default="1"))
