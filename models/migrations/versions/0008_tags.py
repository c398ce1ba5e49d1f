"""Jobs have tags."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    tag = sa.String(63).with_variant(sa.String(63, collation="C"), "postgresql")
    op.create_table(
        "job_tag",
        sa.Column("organization_id", sa.String(20), nullable=False),
        sa.Column("job_id", sa.String(20), nullable=False),
        sa.Column("tag", tag, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["job.organization_id", "job.id"],
            name=op.f("fk_job_tag_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "tag", name=op.f("pk_job_tag")),
    )
    op.create_index("ix_job_tag_organization_tag", "job_tag", ["organization_id", "tag", "job_id"])
