"""Dependencies have ids, and stay when the job that they refer to is deleted.

Until now a foreign key removed the job from all versions that depended on it. Now the row of a deleted job stays in
`deleted_job`, with its key and teams, and dependencies refer to that. Where release 0.1.0 removed a job already, the
dependency refers to a deleted job without a key: one for each job and rank among a version's lost dependencies, so that
versions that lost the same ones agree.

Processes of release 0.1.0 that still run beside a PostgreSQL that was upgraded:

- read everything as before; a dependency on a deleted job is one without a job;
- can add dependencies: the database makes their ids;
- can't delete a job on which others depend: the deletion fails, and nothing is lost;
- still lose dependencies on deleted jobs when they copy a version, and those on hidden jobs when they replace the
  list; where their change of a list would overwrite the row of a deleted one, it fails.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.String(20)
TABLE = "job_version_dependency"
ONE_JOB = "(depends_on_id IS NULL) <> (deleted_job_id IS NULL)"
# The time of an id is its version's: positions 3 to 11.
NEW_ID = {
    "postgresql": "'JD' || substr(version_id, 3, 9) || upper(substr(md5(gen_random_uuid()::text), 1, 9))",
    "sqlite": "'JD' || substr(version_id, 3, 9) || substr(hex(randomblob(5)), 1, 9)",
}
DEFAULT_ID = "'JD' || upper(substr(md5(gen_random_uuid()::text), 1, 18))"


def upgrade() -> None:
    create_deleted_job()
    create_deleted_job_team()
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
    else:
        alter()
    create_indexes()


def create_deleted_job() -> None:
    key = sa.String(100).with_variant(sa.String(100, collation="C"), "postgresql")
    op.create_table(
        "deleted_job",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_key", key, nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_deleted_job_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deleted_job")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_deleted_job_organization_id_id")),
    )


def create_deleted_job_team() -> None:
    op.create_table(
        "deleted_job_team",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("deleted_job_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "deleted_job_id"],
            ["deleted_job.organization_id", "deleted_job.id"],
            name=op.f("fk_deleted_job_team_organization_id_deleted_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "team_id"],
            ["team.organization_id", "team.id"],
            name=op.f("fk_deleted_job_team_organization_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("deleted_job_id", "team_id", name=op.f("pk_deleted_job_team")),
    )
    op.create_index("ix_deleted_job_team_team", "deleted_job_team", ["team_id"])


def alter() -> None:
    op.add_column(TABLE, sa.Column("id", ID, nullable=True))
    op.add_column(TABLE, sa.Column("deleted_job_id", ID, nullable=True))
    op.execute(f"UPDATE {TABLE} SET id = {NEW_ID['postgresql']}")  # noqa: S608 our own text
    remember_lost()
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks can't be altered
    op.drop_constraint("fk_job_version_dependency_depends_on_id_job", TABLE)
    op.drop_constraint("pk_job_version_dependency", TABLE)
    op.alter_column(TABLE, "id", nullable=False, server_default=sa.text(DEFAULT_ID))
    op.create_primary_key("pk_job_version_dependency", TABLE, ["id"])
    op.create_check_constraint(op.f("ck_job_version_dependency_one_job"), TABLE, ONE_JOB)
    op.create_foreign_key(
        "fk_job_version_dependency_deleted_job",
        TABLE,
        "deleted_job",
        ["organization_id", "deleted_job_id"],
        ["organization_id", "id"],
    )


def rebuild() -> None:
    """Make the table anew: SQLite can't alter constraints."""
    op.add_column(TABLE, sa.Column("deleted_job_id", ID, nullable=True))
    remember_lost()
    op.drop_index("ix_job_version_dependency_depends_on", TABLE)
    op.rename_table(TABLE, "old_dependency")
    create_on_sqlite()
    columns = "organization_id, version_id, position, depends_on_id, deleted_job_id, condition"
    op.execute(f"INSERT INTO {TABLE} (id, {columns}) SELECT {NEW_ID['sqlite']}, {columns} FROM old_dependency")  # noqa: S608
    op.drop_table("old_dependency")


def create_on_sqlite() -> None:
    conditions = ("ON_SUCCESS", "ON_COMPLETION", "ON_FAILURE")
    condition = sa.Enum(*conditions, name="dependencycondition", native_enum=False, create_constraint=True, length=20)
    op.create_table(
        TABLE,
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("depends_on_id", ID, nullable=True),
        sa.Column("deleted_job_id", ID, nullable=True),
        sa.Column("condition", condition, nullable=False),
        sa.CheckConstraint(ONE_JOB, name=op.f("ck_job_version_dependency_one_job")),
        sa.ForeignKeyConstraint(
            ["organization_id", "depends_on_id"],
            ["job.organization_id", "job.id"],
            name="fk_job_version_dependency_tenant",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "version_id"],
            ["job_version.organization_id", "job_version.id"],
            name=op.f("fk_job_version_dependency_organization_id_version_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "deleted_job_id"],
            ["deleted_job.organization_id", "deleted_job.id"],
            name="fk_job_version_dependency_deleted_job",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_version_dependency")),
    )


def remember_lost() -> None:
    """Let each dependency without a job refer to a deleted job whose key isn't known."""
    connection = op.get_bind()
    place = "row_number() OVER (PARTITION BY version_id ORDER BY position)"
    lost = connection.execute(
        sa.text(
            f"SELECT d.organization_id, d.version_id, d.position, v.job_id, {place} AS place"  # noqa: S608 our own text
            f" FROM {TABLE} d JOIN job_version v ON v.id = d.version_id WHERE d.depends_on_id IS NULL"
        )
    ).all()
    if not lost:
        return
    ids = {(row.organization_id, row.job_id, row.place): "JB" + secrets.token_hex(9).upper() for row in lost}
    connection.execute(
        sa.text("INSERT INTO deleted_job (id, organization_id) VALUES (:id, :organization_id)"),
        [{"id": new, "organization_id": organization_id} for (organization_id, _, _), new in ids.items()],
    )
    connection.execute(
        sa.text(f"UPDATE {TABLE} SET deleted_job_id = :id WHERE version_id = :version_id AND position = :position"),  # noqa: S608
        [
            {
                "id": ids[row.organization_id, row.job_id, row.place],
                "version_id": row.version_id,
                "position": row.position,
            }
            for row in lost
        ],
    )


def create_indexes() -> None:
    op.create_index("ix_job_version_dependency_version", TABLE, ["version_id", "position"])
    op.create_index("ix_job_version_dependency_deleted_job", TABLE, ["deleted_job_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_job_version_dependency_depends_on", TABLE, ["depends_on_id", "version_id"])
        if sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
            op.execute(f"ANALYZE {TABLE}")  # among indexes with statistics, SQLite prefers one without
