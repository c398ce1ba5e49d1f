"""Teams, clusters and saved queries can be changed by clients.

Names become unique in the organization: of several rows with the same name, all but the first get their id appended.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.String(length=20)
MOMENT = sa.DateTime(timezone=True)
NAME = sa.String(length=255).with_variant(sa.String(length=255, collation="C"), "postgresql")
STATUSES = "status IN ('PENDING', 'PROVISIONING', 'ACTIVE', 'FAILED', 'DESTROYED')"
MANAGED = (("revision", sa.Integer()), ("external_id", NAME), ("managed_by", NAME))
AUTHORED = (("created_at", MOMENT), ("created_by_id", ID), ("updated_at", MOMENT), ("updated_by_id", ID))


def upgrade() -> None:
    op.execute("SET CONSTRAINTS ALL IMMEDIATE") if op.get_bind().dialect.name == "postgresql" else None
    for table in ("team", "cluster"):
        prepare(table, *MANAGED)
        checks = (sa.CheckConstraint(STATUSES, name=op.f("ck_cluster_clusterstatus")),) if table == "cluster" else ()
        with op.batch_alter_table(table, table_args=checks) as batch:
            batch.alter_column("revision", existing_type=sa.Integer(), nullable=False)
            if table == "cluster":
                batch.alter_column("region", existing_type=NAME, nullable=True)
            batch.create_unique_constraint(op.f(f"uq_{table}_organization_id_name"), ["organization_id", "name"])
            name = op.f(f"uq_{table}_organization_id_external_id")
            batch.create_unique_constraint(name, ["organization_id", "external_id"])
    saved_query()


def saved_query() -> None:
    prepare("saved_query", ("revision", sa.Integer()), ("team_id", ID), *AUTHORED)
    with op.batch_alter_table("saved_query") as batch:
        batch.alter_column("text", new_column_name="sql")
        batch.alter_column("revision", existing_type=sa.Integer(), nullable=False)
        batch.create_unique_constraint(op.f("uq_saved_query_organization_id_name"), ["organization_id", "name"])
        for column, table in (("team_id", "team"), ("created_by_id", "actor"), ("updated_by_id", "actor")):
            name = op.f(f"fk_saved_query_organization_id_{column}")
            batch.create_foreign_key(name, table, ["organization_id", column], ["organization_id", "id"])
    name_not_null()
    op.create_index("ix_saved_query_team", "saved_query", ["team_id"])


def name_not_null() -> None:
    """Rename the constraint as the column was. It has a name from PostgreSQL 18 on."""
    if op.get_bind().dialect.name == "postgresql":
        named = "SELECT conname FROM pg_constraint WHERE conname = 'saved_query_text_not_null'"
        for name in op.get_bind().scalars(sa.text(named)).all():
            op.execute(f"ALTER TABLE saved_query RENAME CONSTRAINT {name} TO saved_query_sql_not_null")


def prepare(table: str, *columns: tuple[str, Any]) -> None:
    for name, type_ in columns:
        op.add_column(table, sa.Column(name, type_, nullable=True))
    op.execute(f"UPDATE {table} SET revision = 1")  # noqa: S608 our own text
    first = (
        "SELECT min(same.id) FROM {0} same WHERE same.organization_id = {0}.organization_id AND same.name = {0}.name"
    )
    op.execute(
        f"UPDATE {table} SET name = substr(name, 1, 230) || ' ' || id WHERE id <> ({first.format(table)})"  # noqa: S608
    )
