"""Runs are made, claimed, reported and cancelled through the API.

A run's cluster is that of its version. SQLite makes the table anew, as it can't add columns that are required.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# name → type on SQLite, type on PostgreSQL if it is another one, and the value of rows that exist
REQUIRED = {
    "cluster_id": ("VARCHAR(20)", "", "(SELECT v.cluster_id FROM job_version v WHERE {0})"),
    "attempt": ("INTEGER", "", "CASE WHEN started_at IS NULL THEN 0 ELSE 1 END"),
    "retries": ("INTEGER", "", "0"),
    "lost_claims": ("INTEGER", "", "0"),
    "parameters": ("JSON", "JSONB", "'[]'"),
}
OF_RUN = "v.job_id = job_run.job_id AND v.number = job_run.version_number"
OPTIONAL = {
    "message": ("VARCHAR(1023)", ""),
    "triggered_by_id": ("VARCHAR(20)", ""),
    "progress_percent": ("INTEGER", ""),
    "error_code": ("VARCHAR(255)", 'VARCHAR(255) COLLATE "C"'),
    "error_message": ("VARCHAR(1023)", ""),
    "log_url": ("VARCHAR(1023)", ""),
    "scheduled_for": ("DATETIME", "TIMESTAMPTZ"),
    "available_at": ("DATETIME", "TIMESTAMPTZ"),
    "cancel_requested_at": ("DATETIME", "TIMESTAMPTZ"),
    "cancel_requested_by_id": ("VARCHAR(20)", ""),
}
CONSTRAINTS = {
    "uq_job_run_organization_id_id": "UNIQUE (organization_id, id)",
    "uq_job_run_job_id_scheduled_for": "UNIQUE (job_id, scheduled_for)",
    **{
        f"fk_job_run_organization_id_{column}": f"FOREIGN KEY(organization_id, {column})"
        f" REFERENCES {table} (organization_id, id)"
        for column, table in (
            ("cluster_id", "cluster"),
            ("triggered_by_id", "actor"),
            ("cancel_requested_by_id", "actor"),
        )
    },
}
INDEXES = {
    "version_created": ("job_id", "version_number", "created_at", "id"),
    "cluster_created": ("cluster_id", "created_at", "id"),
    "organization_created": ("organization_id", "created_at", "id"),
    "organization_status": ("organization_id", "status", "created_at", "id"),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
    else:
        alter()
    op.execute("UPDATE job_run SET available_at = created_at WHERE status = 'READY'")
    for name, columns in INDEXES.items():
        op.create_index(f"ix_job_run_{name}", "job_run", columns)
    is_ready = sa.text("status = 'READY'")
    ready = ["cluster_id", "available_at", "id"]
    op.create_index("ix_job_run_ready", "job_run", ready, postgresql_where=is_ready, sqlite_where=is_ready)
    create_lease()
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("ANALYZE job_run")  # among indexes with statistics, SQLite prefers one without


def alter() -> None:
    added = {name: types[1] or types[0] for name, types in (REQUIRED | OPTIONAL).items()}
    op.execute("ALTER TABLE job_run " + ", ".join(f"ADD COLUMN {name} {type_}" for name, type_ in added.items()))
    values = ", ".join(f"{name} = {value.format(OF_RUN)}" for name, (_, _, value) in REQUIRED.items())
    op.execute(f"UPDATE job_run SET {values}")  # noqa: S608 our own text
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks can't be altered
    changes = [f"ALTER COLUMN {name} SET NOT NULL" for name in REQUIRED]
    changes += [f"ADD CONSTRAINT {name} {rule}" for name, rule in CONSTRAINTS.items()]
    op.execute(f"ALTER TABLE job_run {', '.join(changes)}")


def rebuild() -> None:
    connection = op.get_bind()
    (stored,) = connection.scalars(sa.text("SELECT sql FROM sqlite_master WHERE name = 'job_run' AND type = 'table'"))
    old = ", ".join(each["name"] for each in sa.inspect(connection).get_columns("job_run"))
    op.execute(extended(stored))
    values = ", ".join(value.format(OF_RUN) for _, _, value in REQUIRED.values())
    op.execute(f"INSERT INTO new_job_run ({old}, {', '.join(REQUIRED)}) SELECT {old}, {values} FROM job_run")  # noqa: S608 our own text
    op.drop_table("job_run")
    op.rename_table("new_job_run", "job_run")
    op.create_index("ix_job_run_job_created", "job_run", ["job_id", "created_at", "id"])


def extended(stored: str) -> str:
    """Return the statement that creates the table with the new columns and constraints, under another name."""
    required = [f"{name} {type_} NOT NULL" for name, (type_, _, _) in REQUIRED.items()]
    columns = [*required, *(f"{name} {type_}" for name, (type_, _) in OPTIONAL.items())]
    constraints = "".join(f", \n\tCONSTRAINT {name} {rule}" for name, rule in CONSTRAINTS.items())
    begun = "CREATE TABLE new_job_run (" + "".join(f"\n\t{each}, " for each in columns)
    return re.sub(r"\s*\)\s*$", f"{constraints}\n)", re.sub(r'^CREATE TABLE "?job_run"? \(', begun, stored))


def create_lease() -> None:
    op.create_table(
        "run_lease",
        sa.Column("run_id", sa.String(20), nullable=False),
        sa.Column("organization_id", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_reported", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "run_id"],
            ["job_run.organization_id", "job_run.id"],
            name=op.f("fk_run_lease_organization_id_run_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run_lease")),
        postgresql_with={"fillfactor": 50},
    )
