"""A grant has the time when its job was created, so that an index has each team's jobs in the order of lists.

A foreign key keeps it equal to the job's. It refers to the index of an organization's jobs by time, now unique.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ID = sa.String(length=20)
MOMENT = sa.DateTime(timezone=True)
JOB_CREATED_AT = "SELECT created_at FROM job WHERE job.id = {}.job_id"
COLUMNS = "organization_id, job_id, team_id, granted_at, granted_by_id"
OF_JOB = ("organization_id", "job_created_at", "job_id"), ("organization_id", "created_at", "id")
FOREIGN_KEY = "fk_job_team_organization_id_job_created_at_job_id"


def upgrade() -> None:
    op.drop_index("ix_job_organization_created", "job")
    op.create_index("ix_job_organization_created", "job", ["organization_id", "created_at", "id"], unique=True)
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
    else:
        alter()
    op.create_index("ix_job_team_team", "job_team", ["team_id", "job_created_at", "job_id"])
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("ANALYZE job")  # among indexes with statistics, SQLite prefers one without
        op.execute("ANALYZE job_team")


def alter() -> None:
    op.drop_index("ix_job_team_team", "job_team")
    op.add_column("job_team", sa.Column("job_created_at", MOMENT, nullable=True))
    op.execute(f"UPDATE job_team SET job_created_at = ({JOB_CREATED_AT.format('job_team')})")  # noqa: S608 our own text
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks can't be altered
    op.alter_column("job_team", "job_created_at", nullable=False)
    op.drop_constraint("fk_job_team_organization_id_job_id", "job_team", type_="foreignkey")
    op.create_foreign_key(FOREIGN_KEY, "job_team", "job", *map(list, OF_JOB), ondelete="CASCADE")


def rebuild() -> None:
    op.execute(f"CREATE TABLE old AS SELECT {COLUMNS} FROM job_team")  # noqa: S608 our own text
    op.drop_table("job_team")
    op.create_table(
        "job_team",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("granted_by_id", ID, nullable=False),
        sa.Column("job_created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(OF_JOB[0], [f"job.{each}" for each in OF_JOB[1]], FOREIGN_KEY, ondelete="CASCADE"),
        reference("team_id", "team"),
        reference("granted_by_id", "actor"),
        sa.PrimaryKeyConstraint("job_id", "team_id", name="pk_job_team"),
    )
    op.create_index("ix_job_team_granted_by", "job_team", ["granted_by_id"])
    values = f"{COLUMNS}, ({JOB_CREATED_AT.format('old')})"
    op.execute(f"INSERT INTO job_team ({COLUMNS}, job_created_at) SELECT {values} FROM old")  # noqa: S608 our own text
    op.drop_table("old")


def reference(column: str, table: str) -> sa.ForeignKeyConstraint:
    name, own = f"fk_job_team_organization_id_{column}", ["organization_id", column]
    return sa.ForeignKeyConstraint(own, [f"{table}.organization_id", f"{table}.id"], name)
