"""The index of jobs by their last change knows their creation too.

A list with `filter.updatedSince` takes all that has changed and sorts it, by creation if nothing else is asked: from
the
index alone, no job is read for it. The index is the one that was there, so a write costs what it did.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEX = "ix_job_organization_updated"


def upgrade() -> None:
    op.drop_index(INDEX, table_name="job")
    op.create_index(INDEX, "job", ["organization_id", "updated_at", "id", "created_at"])
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute(f"ANALYZE {INDEX}")  # among indexes that are known, one that isn't seems the best of all
