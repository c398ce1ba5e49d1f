"""The index of ready runs begins with the job, so that claims find each job's first run without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_run_ready", "job_run")
    is_ready = sa.text("status = 'READY'")
    columns = ["cluster_id", "job_id", "available_at", "id"]
    op.create_index("ix_job_run_ready", "job_run", columns, postgresql_where=is_ready, sqlite_where=is_ready)
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("ANALYZE job_run")  # among indexes with statistics, SQLite prefers one without
