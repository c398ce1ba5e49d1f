"""Jobs have a colour and a weight, and there are labels.

What was there stays as it is for the version before.
"""

import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = "HEAD"
branch_labels = None
depends_on = None
compatible_from = "HEAD"
downgrade_drops = ("label", "job.colour", "job.weight")


def upgrade() -> None:
    op.add_column("job", sa.Column("colour", sa.String(7), nullable=True))
    op.add_column("job", sa.Column("weight", sa.Integer(), server_default="1", nullable=False))
    op.create_table(
        "label",
        sa.Column("id", sa.String(20), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label")),
    )


def downgrade() -> None:
    op.drop_table("label")
    op.drop_column("job", "weight")
    op.drop_column("job", "colour")
