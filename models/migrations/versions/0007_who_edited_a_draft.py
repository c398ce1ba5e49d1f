"""Store who edited a draft last and when, and when a job's current version last changed.

The values of existing rows come from the jobs' events. Processes of release 0.1.0 that still run beside a PostgreSQL
that was upgraded don't set the new columns, so all of them can be null.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLE = "job_version"
CHECK = "ck_job_version_edited"
EDITED = "(edited_at IS NULL) = (edited_by_id IS NULL)"
EDITOR = "fk_job_version_organization_id_edited_by_id"
CONSTRAINTS = (
    f"CONSTRAINT {CHECK} CHECK ({EDITED}), CONSTRAINT {EDITOR} FOREIGN KEY(organization_id, edited_by_id)"
    " REFERENCES member (organization_id, id)"
)
OF_TABLE = "SELECT sql FROM sqlite_master WHERE tbl_name = 'job_version' AND type = :type AND sql IS NOT NULL"
SET_EDITED = """UPDATE job_version SET (edited_at, edited_by_id) = (SELECT occurred_at, actor_id FROM job_event
  WHERE job_event.job_id = job_version.job_id AND sequence = (SELECT max(sequence) FROM job_event edit
    WHERE edit.job_id = job_version.job_id AND to_version = number AND action = 'DRAFT_UPDATED'))"""
SET_ACTIVATED = """UPDATE job SET activated_at = (SELECT occurred_at FROM job_event
  WHERE job_event.job_id = job.id AND sequence = (SELECT max(sequence) FROM job_event move
    WHERE move.job_id = job.id AND action IN ('DRAFT_PUBLISHED', 'VERSION_CREATED', 'VERSION_ACTIVATED')))"""


def upgrade() -> None:
    at = sa.DateTime(timezone=True)
    op.add_column("job", sa.Column("activated_at", at, nullable=True))
    op.add_column(TABLE, sa.Column("edited_at", at, nullable=True))
    op.add_column(TABLE, sa.Column("edited_by_id", sa.String(20), nullable=True))
    op.execute(SET_EDITED)
    op.execute(SET_ACTIVATED)
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
    else:
        constrain()


def constrain() -> None:
    columns = ["organization_id", "edited_by_id"]
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks can't be altered
    op.create_check_constraint(op.f(CHECK), TABLE, EDITED)
    op.create_foreign_key(op.f(EDITOR), TABLE, "member", columns, ["organization_id", "id"])


def rebuild() -> None:
    """Make the table anew from its own text, with more constraints: SQLite can't add them."""
    connection = op.get_bind()
    (table,) = connection.scalars(sa.text(OF_TABLE), {"type": "table"})
    indexes = connection.scalars(sa.text(OF_TABLE), {"type": "index"}).all()
    name, columns = table.split("(", 1)
    name = name.replace(TABLE, "new_version")
    connection.exec_driver_sql(f"{name}({columns.rstrip().removesuffix(')')}, {CONSTRAINTS})")
    connection.exec_driver_sql(f"INSERT INTO new_version SELECT * FROM {TABLE}")  # noqa: S608 our own text
    connection.exec_driver_sql(f"DROP TABLE {TABLE}")
    connection.exec_driver_sql(f"ALTER TABLE new_version RENAME TO {TABLE}")
    for index in indexes:
        connection.exec_driver_sql(index)
    if sa.inspect(connection).has_table("sqlite_stat1"):
        connection.exec_driver_sql(f"ANALYZE {TABLE}")  # dropping the table removed its statistics
