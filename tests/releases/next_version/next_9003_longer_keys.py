"""The region of a cluster may be longer. SQLite doesn't limit it."""

from alembic import op

revision = "9003"
down_revision = "9002"
branch_labels = None
depends_on = None
compatible_from = "HEAD"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE cluster ALTER COLUMN region TYPE VARCHAR(500) COLLATE "C"')


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE cluster ALTER COLUMN region TYPE VARCHAR(255) COLLATE "C"')
