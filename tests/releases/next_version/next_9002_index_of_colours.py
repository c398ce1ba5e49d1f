"""Jobs can be sorted by colour."""

from mainsheet.models.migrations.concurrent_index import create_index, drop_index

revision = "9002"
down_revision = "9001"
branch_labels = None
depends_on = None
compatible_from = "HEAD"


def upgrade() -> None:
    create_index("ix_job_colour", "job", ["colour"])


def downgrade() -> None:
    drop_index("ix_job_colour", "job")
