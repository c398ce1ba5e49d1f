"""Find the grants that an actor made.

PostgreSQL looked through the grants of all organizations for each actor that was deleted with its organization.
"""

from mainsheet.models.migrations.concurrent_index import create_index, drop_index

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_index("ix_job_team_granted_by", "job_team", ["granted_by_id"])


def downgrade() -> None:
    drop_index("ix_job_team_granted_by", "job_team")
