"""Find runs by the time of the schedule. A list of those to come read all runs of the organization."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_job_run_organization_scheduled",
        "job_run",
        ["organization_id", "scheduled_for"],
        postgresql_where=sa.text("scheduled_for IS NOT NULL"),
        sqlite_where=sa.text("scheduled_for IS NOT NULL"),
    )
