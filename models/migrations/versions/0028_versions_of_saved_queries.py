"""List the versions that run a saved query in the order of an index. All of them were read for each page."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_job_version_query_query", "job_version_query")
    op.create_index("ix_job_version_query_query", "job_version_query", ["query_id", "version_id"])
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("ANALYZE job_version_query")  # among indexes with statistics, SQLite prefers one without
