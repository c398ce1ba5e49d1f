"""The tables of the first release."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.String(length=20)
MOMENT = sa.DateTime(timezone=True)
NAME = sa.String(length=255).with_variant(sa.String(length=255, collation="C"), "postgresql")
JOB_KEY = sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def upgrade() -> None:
    organization()
    cluster()
    member()
    saved_query()
    team()
    api_token()
    idempotency_record()
    job()
    job_event()
    team_member()
    job_team()
    job_version()
    job_run()
    job_version_dependency()
    job_version_query()
    if op.get_bind().dialect.name == "postgresql":
        current_version()
        search_on_postgresql()
    else:
        search_on_sqlite()


def organization() -> None:
    op.create_table(
        "organization",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("name", name=op.f("uq_organization_name")),
    )


def cluster() -> None:
    op.create_table(
        "cluster",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("region", NAME, nullable=False),
        sa.Column(
            "status",
            one_of("clusterstatus", "PENDING", "PROVISIONING", "ACTIVE", "FAILED", "DESTROYED"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_cluster_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_cluster_organization_id_id")),
    )
    op.create_index("ix_cluster_organization_name", "cluster", ["organization_id", "name", "id"], unique=True)


def member() -> None:
    op.create_table(
        "member",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("email", NAME, nullable=False),
        sa.Column("organization_role", one_of("organizationrole", "MEMBER", "AUDITOR", "ADMIN"), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_member_email_lower")),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_member_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("email", name=op.f("uq_member_email")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_member_organization_id_id")),
    )
    op.create_index("ix_member_organization_name", "member", ["organization_id", "name", "id"])


def saved_query() -> None:
    op.create_table(
        "saved_query",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("text", sa.String(length=8191), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_saved_query_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_query")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_saved_query_organization_id_id")),
    )
    op.create_index("ix_saved_query_organization_name", "saved_query", ["organization_id", "name", "id"], unique=True)


def team() -> None:
    op.create_table(
        "team",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("description", sa.String(length=1023), nullable=True),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_team_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_team_organization_id_id")),
    )
    op.create_index("ix_team_organization_name", "team", ["organization_id", "name", "id"], unique=True)


def api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("name", NAME, nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("last_used_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "member_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_api_token_organization_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    op.create_index("ix_api_token_member", "api_token", ["organization_id", "member_id"])


def idempotency_record() -> None:
    op.create_table(
        "idempotency_record",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("key", NAME, nullable=False),
        sa.Column("input_digest", sa.String(length=64), nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "member_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_idempotency_record_organization_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("member_id", "key", name=op.f("pk_idempotency_record")),
    )
    op.create_index(op.f("ix_idempotency_record_created_at"), "idempotency_record", ["created_at"])


def job() -> None:
    op.create_table(
        "job",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_key", JOB_KEY, nullable=False),
        sa.Column("name", NAME, nullable=False),
        sa.Column("description", sa.String(length=1023), nullable=True),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("status", one_of("jobstatus", "ACTIVE", "PAUSED"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("current_number", sa.Integer(), nullable=False),
        sa.Column("current_cluster_id", ID, nullable=False),
        sa.Column("is_scheduled", sa.Boolean(), nullable=False),
        sa.Column("last_number", sa.Integer(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by_id", ID, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("updated_by_id", ID, nullable=False),
        sa.CheckConstraint("current_number BETWEEN 1 AND last_number", name=op.f("ck_job_current_number")),
        sa.ForeignKeyConstraint(
            ["current_cluster_id", "id", "current_number"],
            ["job_version.cluster_id", "job_version.job_id", "job_version.number"],
            name="fk_job_current_version",
            initially="DEFERRED",
            deferrable=True,
            use_alter=True,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_job_organization_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "updated_by_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_job_organization_id_updated_by_id"),
        ),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_job_organization_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_job_organization_id_id")),
        sa.UniqueConstraint("organization_id", "job_key", name=op.f("uq_job_organization_id_job_key")),
    )
    op.create_index("ix_job_created_by", "job", ["created_by_id"])
    op.create_index("ix_job_current_cluster", "job", ["current_cluster_id", "created_at", "id"])
    op.create_index("ix_job_organization_created", "job", ["organization_id", "created_at", "id"])
    op.create_index("ix_job_organization_scheduled", "job", ["organization_id", "is_scheduled", "created_at", "id"])
    op.create_index("ix_job_organization_status", "job", ["organization_id", "status", "created_at", "id"])
    op.create_index("ix_job_organization_updated", "job", ["organization_id", "updated_at", "id"])


def job_event() -> None:
    op.create_table(
        "job_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("job_key", sa.String(length=100), nullable=False),
        sa.Column(
            "action",
            one_of(
                "jobaction",
                "JOB_CREATED",
                "JOB_UPDATED",
                "JOB_DELETED",
                "DRAFT_CREATED",
                "DRAFT_UPDATED",
                "DRAFT_DISCARDED",
                "DRAFT_PUBLISHED",
                "VERSION_CREATED",
                "VERSION_ACTIVATED",
                "TEAMS_ADDED",
                "TEAM_REMOVED",
            ),
            nullable=False,
        ),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("occurred_at", MOMENT, nullable=False),
        sa.Column("from_version", sa.Integer(), nullable=True),
        sa.Column("to_version", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=1023), nullable=True),
        sa.Column("changes", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "actor_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_job_event_organization_id_actor_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_event")),
        sa.UniqueConstraint("job_id", "sequence", name=op.f("uq_job_event_job_id_sequence")),
    )
    op.create_index("ix_job_event_organization", "job_event", ["organization_id", "id"])


def team_member() -> None:
    op.create_table(
        "team_member",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("role", one_of("teamrole", "VIEWER", "CONTRIBUTOR", "ADMIN"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "member_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_team_member_organization_id_member_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "team_id"],
            ["team.organization_id", "team.id"],
            name=op.f("fk_team_member_organization_id_team_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("team_id", "member_id", name=op.f("pk_team_member")),
    )
    op.create_index("ix_team_member_member", "team_member", ["member_id", "team_id", "role"])


def job_team() -> None:
    op.create_table(
        "job_team",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("team_id", ID, nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("granted_by_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "granted_by_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_job_team_organization_id_granted_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["job.organization_id", "job.id"],
            name=op.f("fk_job_team_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "team_id"],
            ["team.organization_id", "team.id"],
            name=op.f("fk_job_team_organization_id_team_id"),
        ),
        sa.PrimaryKeyConstraint("job_id", "team_id", name=op.f("pk_job_team")),
    )
    op.create_index("ix_job_team_team", "job_team", ["team_id", "job_id"])


def job_version() -> None:
    op.create_table(
        "job_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", one_of("versionstatus", "DRAFT", "PUBLISHED"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("based_on_number", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=1023), nullable=True),
        sa.Column("cluster_id", ID, nullable=False),
        sa.Column(
            "source_kind",
            one_of("sourcekind", "SAVED_QUERIES", "SQL_SNAPSHOT", "PYTHON_WHEEL", "PYTHON_FILE"),
            nullable=False,
        ),
        sa.Column("source", JSON, nullable=False),
        sa.Column("cron", sa.String(length=100), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("concurrency_policy", one_of("concurrencypolicy", "SKIP", "ALLOW", "REPLACE"), nullable=True),
        sa.Column("max_concurrent_runs", sa.Integer(), nullable=True),
        sa.Column(
            "missed_schedule_policy",
            one_of("missedschedulepolicy", "SKIP", "RUN_ONCE", "RUN_ALL"),
            nullable=True,
        ),
        sa.Column("execution_mode", one_of("executionmode", "STANDALONE", "CLUSTER"), nullable=False),
        sa.Column("driver_instance_type", NAME, nullable=True),
        sa.Column("executor_instance_type", NAME, nullable=True),
        sa.Column("executor_count", sa.Integer(), nullable=True),
        sa.Column("environment", JSON, nullable=False),
        sa.Column("max_retries", sa.Integer(), nullable=False),
        sa.Column("retry_delay_seconds", sa.Integer(), nullable=False),
        sa.Column("timeout_seconds", sa.Integer(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by_id", ID, nullable=False),
        sa.Column("published_at", MOMENT, nullable=True),
        sa.Column("published_by_id", ID, nullable=True),
        sa.CheckConstraint(
            "(status = 'PUBLISHED') = (published_at IS NOT NULL) AND (published_at IS NULL) = (published_by_id IS NULL)",
            name=op.f("ck_job_version_published"),
        ),
        sa.CheckConstraint(
            "(cron IS NULL) = (timezone IS NULL) AND (cron IS NULL) = (concurrency_policy IS NULL) AND (cron IS NULL) = (missed_schedule_policy IS NULL)",
            name=op.f("ck_job_version_schedule"),
        ),
        sa.CheckConstraint(
            "CASE WHEN concurrency_policy = 'ALLOW' THEN coalesce(max_concurrent_runs, 0) >= 1 ELSE max_concurrent_runs IS NULL END",
            name=op.f("ck_job_version_concurrent_runs"),
        ),
        sa.CheckConstraint("max_retries BETWEEN 0 AND 10", name=op.f("ck_job_version_max_retries")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_job_version_number")),
        sa.ForeignKeyConstraint(
            ["organization_id", "cluster_id"],
            ["cluster.organization_id", "cluster.id"],
            name=op.f("fk_job_version_organization_id_cluster_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_job_version_organization_id_created_by_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["job.organization_id", "job.id"],
            name=op.f("fk_job_version_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "published_by_id"],
            ["member.organization_id", "member.id"],
            name=op.f("fk_job_version_organization_id_published_by_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_version")),
        sa.UniqueConstraint("cluster_id", "job_id", "number", name=op.f("uq_job_version_cluster_id_job_id_number")),
        sa.UniqueConstraint("job_id", "number", name=op.f("uq_job_version_job_id_number")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_job_version_organization_id_id")),
    )
    op.create_index(
        "uq_job_version_one_draft",
        "job_version",
        ["job_id"],
        unique=True,
        postgresql_where=sa.text("status = 'DRAFT'"),
        sqlite_where=sa.text("status = 'DRAFT'"),
    )


def job_run() -> None:
    op.create_table(
        "job_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            one_of("jobrunstatus", "PENDING", "READY", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "SKIPPED"),
            nullable=False,
        ),
        sa.Column("trigger", one_of("runtrigger", "MANUAL", "SCHEDULE"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id", "version_number"],
            ["job_version.job_id", "job_version.number"],
            name=op.f("fk_job_run_job_id_version_number"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "job_id"],
            ["job.organization_id", "job.id"],
            name=op.f("fk_job_run_organization_id_job_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_run")),
    )
    op.create_index("ix_job_run_job_created", "job_run", ["job_id", "created_at", "id"])


def job_version_dependency() -> None:
    op.create_table(
        "job_version_dependency",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("depends_on_id", ID, nullable=True),
        sa.Column(
            "condition",
            one_of("dependencycondition", "ON_SUCCESS", "ON_COMPLETION", "ON_FAILURE"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["depends_on_id"],
            ["job.id"],
            name="fk_job_version_dependency_depends_on_id_job",
            ondelete="SET NULL",
        ),
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
        sa.PrimaryKeyConstraint("version_id", "position", name=op.f("pk_job_version_dependency")),
    )
    op.create_index("ix_job_version_dependency_depends_on", "job_version_dependency", ["depends_on_id", "version_id"])


def job_version_query() -> None:
    op.create_table(
        "job_version_query",
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("version_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("query_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "query_id"],
            ["saved_query.organization_id", "saved_query.id"],
            name=op.f("fk_job_version_query_organization_id_query_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "version_id"],
            ["job_version.organization_id", "job_version.id"],
            name=op.f("fk_job_version_query_organization_id_version_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "position", name=op.f("pk_job_version_query")),
    )
    op.create_index("ix_job_version_query_query", "job_version_query", ["query_id"])


def current_version() -> None:
    """On SQLite the table of the jobs has this key from the start; PostgreSQL wants the other table first."""
    op.create_foreign_key(
        "fk_job_current_version",
        "job",
        "job_version",
        ["current_cluster_id", "id", "current_number"],
        ["cluster_id", "job_id", "number"],
        initially="DEFERRED",
        deferrable=True,
    )


def search_on_postgresql() -> None:
    """Index what begins at each character, without an extension. By its cost, only the index is ever to call it."""
    op.execute("""
        CREATE FUNCTION search_grams(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000
        RETURN array_to_tsvector(ARRAY(SELECT substr($1, start, 3) FROM generate_series(1, length($1)) AS start))
    """)
    op.execute("CREATE INDEX ix_job_search ON job USING gin (search_grams(search_text)) WITH (fastupdate = off)")


def search_on_sqlite() -> None:
    """Index three characters in a row, with line breaks after the last: FTS5 has nothing shorter.

    Its rows are numbered by a table of ours, as VACUUM may number those of `job` anew. To rebuild the table of the
    jobs is to lose these triggers: a migration that does so has to make them again.
    """
    op.execute("CREATE TABLE job_search_row (number INTEGER PRIMARY KEY, job_id VARCHAR(20) NOT NULL UNIQUE)")
    op.execute("""
        CREATE VIRTUAL TABLE job_search USING fts5(
            text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1'
        )
    """)
    op.execute("CREATE VIRTUAL TABLE job_search_terms USING fts5vocab(job_search, row)")
    added = f"INSERT INTO job_search (rowid, text) SELECT number, {searched('new')};"
    gone = f"INSERT INTO job_search (job_search, rowid, text) SELECT 'delete', number, {searched('old')};"
    trigger("insert", "AFTER INSERT ON job", "INSERT INTO job_search_row (job_id) VALUES (new.id);" + added)  # noqa: S608
    changed = "AFTER UPDATE OF search_text ON job WHEN old.search_text <> new.search_text"
    trigger("update", changed, gone + added)
    trigger("delete", "AFTER DELETE ON job", gone + "DELETE FROM job_search_row WHERE job_id = old.id;")  # noqa: S608


def trigger(name: str, when: str, body: str) -> None:
    op.execute(f"CREATE TRIGGER job_search_{name} {when} BEGIN {body} END")


def searched(row: str) -> str:
    return f"{row}.search_text || char(10, 10) FROM job_search_row WHERE job_id = {row}.id"
