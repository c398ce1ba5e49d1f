"""Jobs have the kind of their source and their latest run, and indexes to filter and sort by them.

SQLite makes the table of jobs anew, as it can't add columns that are required. Its triggers, which keep the search
index, belong to the table and are created again.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KIND = "(current_source_kind IN ('SAVED_QUERIES', 'SQL_SNAPSHOT', 'PYTHON_WHEEL', 'PYTHON_FILE'))"
STATUS = "(latest_run_status IN ('PENDING', 'READY', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'SKIPPED'))"
COLUMNS = (
    "current_source_kind VARCHAR(20) NOT NULL",
    "latest_run_at DATETIME NOT NULL",
    "latest_run_status VARCHAR(20)",
)
CONSTRAINTS = {"ck_job_sourcekind": KIND, "ck_job_jobrunstatus": STATUS}
INDEXES = {
    "name": ("organization_id", "name", "id"),
    "source_kind": ("organization_id", "current_source_kind", "created_at", "id"),
    "latest_run": ("organization_id", "latest_run_at", "id"),
    "latest_run_status": ("organization_id", "latest_run_status", "created_at", "id"),
}
NEVER_RAN = {"postgresql": "timestamptz '1970-01-01 00:00Z'", "sqlite": "'1970-01-01 00:00:00.000000'"}
SOURCE_KIND = "SELECT source_kind FROM job_version v WHERE v.job_id = job.id AND v.number = job.current_number"
LATEST = "SELECT {} FROM job_run r WHERE r.job_id = job.id ORDER BY r.created_at DESC, r.id DESC LIMIT 1"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
    else:
        alter()
    for name, columns in INDEXES.items():
        op.create_index(f"ix_job_organization_{name}", "job", columns)
    op.create_index("ix_job_updated_by", "job", ["updated_by_id"])
    if op.get_bind().dialect.name == "sqlite" and sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("ANALYZE job")  # among indexes with statistics, SQLite prefers one without


def alter() -> None:
    op.execute("""
        ALTER TABLE job ADD COLUMN current_source_kind varchar(20), ADD COLUMN latest_run_at timestamptz,
            ADD COLUMN latest_run_status varchar(20)
    """)
    kind, at, status = values("postgresql")
    op.execute(f"UPDATE job SET current_source_kind = {kind}, latest_run_at = {at}, latest_run_status = {status}")  # noqa: S608 our own text
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks can't be altered
    op.execute(
        "ALTER TABLE job ALTER COLUMN current_source_kind SET NOT NULL, ALTER COLUMN latest_run_at SET NOT NULL"
        + "".join(f", ADD CONSTRAINT {name} CHECK {condition}" for name, condition in CONSTRAINTS.items())
    )


def rebuild() -> None:
    connection = op.get_bind()
    kept = connection.scalars(
        sa.text("SELECT sql FROM sqlite_master WHERE tbl_name = 'job' AND type IN ('index', 'trigger') AND sql <> ''")
    ).all()
    columns = ", ".join(each["name"] for each in sa.inspect(connection).get_columns("job"))
    (stored,) = connection.scalars(sa.text("SELECT sql FROM sqlite_master WHERE name = 'job' AND type = 'table'"))
    op.execute(extended(stored))
    op.execute(
        f"INSERT INTO new_job ({columns}, current_source_kind, latest_run_at, latest_run_status)"  # noqa: S608 our own text
        f" SELECT {columns}, {', '.join(values('sqlite'))} FROM job"
    )
    op.drop_table("job")
    op.rename_table("new_job", "job")
    for each in kept:
        op.execute(each)


def extended(stored: str) -> str:
    """Return the statement that creates the table with the new columns and constraints, under another name."""
    columns = "".join(f"\n\t{each}, " for each in COLUMNS)
    constraints = "".join(f", \n\tCONSTRAINT {name} CHECK {condition}" for name, condition in CONSTRAINTS.items())
    begun = re.sub(r'^CREATE TABLE "?job"? \(', f"CREATE TABLE new_job ({columns}", stored)
    return re.sub(r"\s*\)\s*$", f"{constraints}\n)", begun)


def values(dialect: str) -> tuple[str, str, str]:
    """Return the SQL expressions of the new columns' values."""
    at = f"coalesce(({LATEST.format('created_at')}), {NEVER_RAN[dialect]})"
    return f"({SOURCE_KIND})", at, f"({LATEST.format('status')})"
