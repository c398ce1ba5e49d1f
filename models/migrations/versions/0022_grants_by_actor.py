"""Find the grants that an actor made.

PostgreSQL looked through the grants of all organizations for each actor that was deleted with its organization.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_job_team_granted_by", "job_team", ["granted_by_id"])
