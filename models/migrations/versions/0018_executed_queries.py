"""A run keeps the revisions and texts of the saved queries that it executes."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.String(20)
NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "saved_query_revision",
        sa.Column("saved_query_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("sql", sa.String(8191), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name=op.f("fk_saved_query_revision_organization_id")
        ),
        sa.PrimaryKeyConstraint("saved_query_id", "revision", name=op.f("pk_saved_query_revision")),
    )
    op.create_index("ix_saved_query_revision_organization", "saved_query_revision", ["organization_id"])
    op.create_table(
        "executed_query",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("saved_query_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "run_id"],
            ["job_run.organization_id", "job_run.id"],
            name=op.f("fk_executed_query_organization_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["saved_query_id", "revision"],
            ["saved_query_revision.saved_query_id", "saved_query_revision.revision"],
            name=op.f("fk_executed_query_saved_query_id_revision"),
        ),
        sa.PrimaryKeyConstraint("run_id", "attempt", "position", name=op.f("pk_executed_query")),
    )
    op.create_index("ix_executed_query_revision", "executed_query", ["saved_query_id", "revision"])
