"""Runs that 0.1.0 left running get a lease, so that they can end.

A worker that still runs one may report on it, as its first attempt. Otherwise the server takes the run back when the
lease expires.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

HOURS = 6
EXPIRES_AT = {
    "postgresql": f"now() + interval '{HOURS} hours'",
    "sqlite": f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '+{HOURS} hours')",
}
WITHOUT_LEASE = "status = 'RUNNING' AND id NOT IN (SELECT run_id FROM run_lease)"


def upgrade() -> None:
    op.execute(f"UPDATE job_run SET attempt = 1 WHERE attempt = 0 AND {WITHOUT_LEASE}")  # noqa: S608 our own text
    expires_at = EXPIRES_AT[op.get_bind().dialect.name]
    op.execute(
        "INSERT INTO run_lease (run_id, organization_id, attempt, expires_at, has_reported)"  # noqa: S608 our own text
        f" SELECT id, organization_id, attempt, {expires_at}, true FROM job_run WHERE {WITHOUT_LEASE}"
    )
