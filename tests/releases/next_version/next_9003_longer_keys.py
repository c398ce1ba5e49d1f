"""The key of a job may be longer. SQLite doesn't limit it."""

from alembic import op

revision = "9003"
down_revision = "9002"
branch_labels = None
depends_on = None
compatible_from = "HEAD"


WIDEN = """-- squawk-ignore changing-column-type
ALTER TABLE job ALTER COLUMN job_key TYPE VARCHAR(200) COLLATE "C"
"""  # rewrites nothing


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(WIDEN)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute('ALTER TABLE job ALTER COLUMN job_key TYPE VARCHAR(100) COLLATE "C"')
