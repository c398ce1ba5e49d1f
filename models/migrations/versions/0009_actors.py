"""Members and service accounts are actors: one table for both.

Emails are unique in each organization, no longer across organizations. The columns that refer to the author of a change
are called `actor_id`, and `api_token` is `access_token`, as clients call it. Processes of release 0.1.0 don't find these
tables: stop them before the upgrade.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.String(length=20)
MOMENT = sa.DateTime(timezone=True)
NAME = sa.String(length=255).with_variant(sa.String(length=255, collation="C"), "postgresql")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
IS_SERVICE_ACCOUNT = sa.text("kind = 'SERVICE_ACCOUNT'")
OF_ADMIN, OF_OTHERS = '\'["READ", "WRITE", "ADMIN"]\'', '\'["READ", "WRITE"]\''  # scopes of tokens of 0.1.0
RENAMED = ("pk_{}", "fk_{}_organization_id", "uq_{}_organization_id_id", "ck_{}_email_lower", "ck_{}_organizationrole")
# From PostgreSQL 18 on.
NAMED_NOT_NULL = (
    "SELECT conname FROM pg_constraint WHERE conrelid = 'actor'::regclass AND conname LIKE 'member%not_null'"
)
OF_MEMBER = "id, organization_id, name, email, organization_role"


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        rebuild_member()
    else:
        alter_member()
    create_indexes()
    access_token()
    idempotency_record()
    team_member()


def alter_member() -> None:
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with pending checks can't be altered
    op.rename_table("member", "actor")
    for name in RENAMED:
        op.execute(f"ALTER TABLE actor RENAME CONSTRAINT {name.format('member')} TO {name.format('actor')}")
    for name in op.get_bind().scalars(sa.text(NAMED_NOT_NULL)).all():
        op.execute(f"ALTER TABLE actor RENAME CONSTRAINT {name} TO {name.replace('member', 'actor')}")
    op.drop_constraint("uq_member_email", "actor")
    op.drop_index("ix_member_organization_name")
    for column in added():
        op.add_column("actor", column)
    for name in ("kind", "status", "revision"):
        op.alter_column("actor", name, server_default=None)
    op.alter_column("actor", "email", nullable=True)
    op.create_check_constraint(op.f("ck_actor_email_of_member"), "actor", "(kind = 'MEMBER') = (email IS NOT NULL)")
    op.create_unique_constraint(op.f("uq_actor_organization_id_email"), "actor", ["organization_id", "email"])
    name = op.f("uq_actor_organization_id_external_id")
    op.create_unique_constraint(name, "actor", ["organization_id", "external_id"])


def added() -> list[sa.Column[object]]:
    return [
        sa.Column("kind", one_of("actorkind", "MEMBER", "SERVICE_ACCOUNT"), nullable=False, server_default="MEMBER"),
        sa.Column("status", one_of("actorstatus", "ACTIVE", "DISABLED"), nullable=False, server_default="ACTIVE"),
        sa.Column("revision", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("external_id", NAME, nullable=True),
        sa.Column("managed_by", NAME, nullable=True),
    ]


def rebuild_member() -> None:
    """Make the table anew: SQLite can't alter constraints. The renaming changes the keys that refer to it."""
    op.rename_table("member", "actor")
    keep("actor")
    op.create_table(
        "actor",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("kind", one_of("actorkind", "MEMBER", "SERVICE_ACCOUNT"), nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("email", NAME, nullable=True),
        sa.Column("organization_role", one_of("organizationrole", "MEMBER", "AUDITOR", "ADMIN"), nullable=False),
        sa.Column("status", one_of("actorstatus", "ACTIVE", "DISABLED"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("external_id", NAME, nullable=True),
        sa.Column("managed_by", NAME, nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_actor_email_lower")),
        sa.CheckConstraint("(kind = 'MEMBER') = (email IS NOT NULL)", name=op.f("ck_actor_email_of_member")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_actor_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actor")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_actor_organization_id_id")),
        sa.UniqueConstraint("organization_id", "email", name=op.f("uq_actor_organization_id_email")),
        sa.UniqueConstraint("organization_id", "external_id", name=op.f("uq_actor_organization_id_external_id")),
    )
    restore(f"actor ({OF_MEMBER}, kind, status, revision)", f"{OF_MEMBER}, 'MEMBER', 'ACTIVE', 1")


def create_indexes() -> None:
    op.create_index("ix_actor_organization_name", "actor", ["organization_id", "kind", "name", "id"])
    op.create_index("ix_actor_email", "actor", ["email"])
    op.create_index(
        "uq_actor_service_account_name",
        "actor",
        ["organization_id", "name"],
        unique=True,
        sqlite_where=IS_SERVICE_ACCOUNT,
        postgresql_where=IS_SERVICE_ACCOUNT,
    )


def access_token() -> None:
    keep("api_token")
    op.create_table(
        "access_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by_id", ID, nullable=True),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        of_actor("access_token", "actor_id", ondelete="CASCADE"),
        of_actor("access_token", "created_by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_access_token_digest")),
    )
    op.create_index("ix_access_token_actor", "access_token", ["organization_id", "actor_id"])
    kept = sa.text("revoked_at IS NULL")
    of_expiry = ["organization_id", "expires_at", "actor_id"]
    op.create_index("ix_access_token_expiry", "access_token", of_expiry, postgresql_where=kept, sqlite_where=kept)
    json = "CAST({} AS JSONB)" if op.get_bind().dialect.name == "postgresql" else "{}"
    own = "SELECT 1 FROM actor WHERE actor.id = old.member_id AND actor.organization_role = 'ADMIN'"
    scopes = f"CASE WHEN EXISTS ({own}) THEN {json.format(OF_ADMIN)} ELSE {json.format(OF_OTHERS)} END"
    same = "id, organization_id, name, digest, created_at, expires_at, last_used_at, revoked_at"
    restore(f"access_token (actor_id, scopes, {same})", f"member_id, {scopes}, {same}")


def idempotency_record() -> None:
    keep("idempotency_record")
    op.create_table(
        "idempotency_record",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("input_digest", sa.String(length=64), nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        of_actor("idempotency_record", "actor_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("actor_id", "key", name=op.f("pk_idempotency_record")),
    )
    op.create_index(op.f("ix_idempotency_record_created_at"), "idempotency_record", ["created_at"])
    same = "organization_id, key, input_digest, answer, created_at"
    restore(f"idempotency_record (actor_id, {same})", f"member_id, {same}")


def team_member() -> None:
    keep("team_member")
    op.create_table(
        "team_member",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("role", one_of("teamrole", "VIEWER", "CONTRIBUTOR", "ADMIN"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "team_id"],
            ["team.organization_id", "team.id"],
            name=op.f("fk_team_member_organization_id_team_id"),
            ondelete="CASCADE",
        ),
        of_actor("team_member", "actor_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("team_id", "actor_id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_actor", "team_member", ["actor_id", "team_id", "role"])
    restore("team_member (organization_id, team_id, actor_id, role)", "organization_id, team_id, member_id, role")


def of_actor(table: str, column: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_organization_id_{column}")
    return sa.ForeignKeyConstraint(
        ["organization_id", column], ["actor.organization_id", "actor.id"], name, ondelete=ondelete
    )


def keep(table: str) -> None:
    """Move the rows of a small table to `old`, so that the table can be made anew with other names."""
    op.execute(f"CREATE TABLE old AS SELECT * FROM {table}")  # noqa: S608 our own text
    op.drop_table(table)


def restore(into: str, columns: str) -> None:
    op.execute(f"INSERT INTO {into} SELECT {columns} FROM old")  # noqa: S608 our own text
    op.drop_table("old")
