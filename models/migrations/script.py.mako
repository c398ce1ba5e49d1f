"""${message[0].upper() + message[1:]}."""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = "${up_revision}"
down_revision = ${'None' if down_revision is None else '"' + down_revision + '"'}
branch_labels = None
depends_on = None
compatible_from = "${up_revision}"  # the oldest revision whose version can serve the database afterwards


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
