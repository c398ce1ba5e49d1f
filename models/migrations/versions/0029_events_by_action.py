"""Find events by their action. A page of rare ones, or of none, read the whole feed."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_event_action", "event", ["organization_id", "action", "position", "id"])
