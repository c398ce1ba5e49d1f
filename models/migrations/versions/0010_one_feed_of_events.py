"""One table of events for all objects, in one order, in place of the history of jobs.

The order of the feed is the epoch, the transaction and the number (decision 26). On PostgreSQL, a trigger sets the
first two, so that no writer can set them wrongly, and wakes the readers. On SQLite, which has one writer, the number
alone is the order.

Old events get the epoch 1 and the transaction 0, which is before all new ones, and the teams that have access to the
job at the upgrade: the teams at the time of the event weren't stored.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.String(20)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DIGITS = {"epoch": 4, "transaction_id": 16, "number": 16}
JSON = sa.JSON(none_as_null=True).with_variant(sa.dialects.postgresql.JSONB(none_as_null=True), "postgresql")

# A transaction's number alone isn't the order of a subject's events: a transaction may get its number and then wait for
# the subject's lock, held by one with a higher number. The higher number of an earlier event is taken over then. No
# reader has passed it, since readers stop below the oldest transaction that still runs.
SET_POSITION = """CREATE FUNCTION event_set_position() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.epoch := (SELECT epoch FROM feed);
  NEW.transaction_id := greatest(
    pg_current_xact_id()::text::bigint,
    (SELECT transaction_id FROM event WHERE subject_id = NEW.subject_id AND epoch = NEW.epoch
     ORDER BY position DESC LIMIT 1),
    (SELECT transaction_id FROM event WHERE job_id = NEW.job_id AND epoch = NEW.epoch ORDER BY number DESC LIMIT 1));
  RETURN NEW;
END $$"""
ON_ROW = "CREATE TRIGGER event_position BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION event_set_position()"
WAKE = """CREATE FUNCTION event_wake_readers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('mainsheet_events', '');
  RETURN NULL;
END $$"""
ON_STATEMENT = (
    "CREATE TRIGGER event_wake AFTER INSERT ON event FOR EACH STATEMENT EXECUTE FUNCTION event_wake_readers()"
)
# A clock that was set back must not change the order of a job's events.
OLD_EVENTS = """SELECT 'EV' || substr(id, 3), organization_id,
  CASE action WHEN 'TEAMS_ADDED' THEN 'TEAMS_ADDED_TO_JOB' WHEN 'TEAM_REMOVED' THEN 'TEAM_REMOVED_FROM_JOB' ELSE action END,
  actor_id, occurred_at, job_id, job_key, job_id, {teams}, from_version, to_version, message, changes
  FROM (SELECT *, max(occurred_at) OVER (PARTITION BY job_id ORDER BY sequence) AS ordered_at FROM job_event) AS old
  ORDER BY ordered_at, job_id, sequence"""
COLUMNS = """id, organization_id, action, actor_id, occurred_at, subject_id, subject_label, job_id, team_ids,
  from_version_number, to_version_number, message, changes"""
TEAMS = {
    "postgresql": "(SELECT coalesce(jsonb_agg(team_id), '[]') FROM job_team WHERE job_team.job_id = old.job_id)",
    "sqlite": "(SELECT json_group_array(team_id) FROM job_team WHERE job_team.job_id = old.job_id)",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    create_feed()
    create_event()
    old_events = OLD_EVENTS.format(teams=TEAMS[dialect])
    op.execute(f"INSERT INTO event ({COLUMNS}) {old_events}")
    create_indexes()
    op.drop_table("job_event")
    if dialect == "postgresql":
        for statement in (SET_POSITION, ON_ROW, WAKE, ON_STATEMENT):
            op.execute(statement)
    elif sa.inspect(op.get_bind()).has_table("sqlite_stat1"):
        op.execute("ANALYZE event")  # among indexes with statistics, SQLite prefers one without


def create_feed() -> None:
    op.create_table(
        "feed",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expired_to", sorted_text(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_feed_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed")),
    )
    op.execute(f"INSERT INTO feed (id, epoch, expired_to) VALUES (1, 1, '{'0' * sum(DIGITS.values())}')")  # noqa: S608


def create_event() -> None:
    position = " || ".join(map(padded, DIGITS))
    op.create_table(
        "event",
        sa.Column("number", BIG, sa.Identity(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("transaction_id", BIG, server_default=sa.text("0"), nullable=False),
        sa.Column("position", sorted_text(), sa.Computed(position, persisted=True), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("subject_label", sa.String(255), nullable=False),
        sa.Column("job_id", ID, nullable=True),
        sa.Column("team_ids", JSON, nullable=False),
        sa.Column("only_for_id", ID, nullable=True),
        sa.Column("from_version_number", sa.Integer(), nullable=True),
        sa.Column("to_version_number", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(1023), nullable=True),
        sa.Column("changes", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "actor_id"],
            ["actor.organization_id", "actor.id"],
            name=op.f("fk_event_organization_id_actor_id"),
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )


def sorted_text() -> sa.types.TypeEngine[str]:
    length = sum(DIGITS.values())
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def padded(column: str) -> str:
    digits = f"CAST({column} AS TEXT)"
    return f"substr('{'0' * DIGITS[column]}' || {digits}, length({digits}) + 1)"


def create_indexes() -> None:
    op.create_index("ix_event_id", "event", ["id"], unique=True)
    op.create_index("ix_event_organization", "event", ["organization_id", "position", "id"])
    op.create_index("ix_event_job", "event", ["job_id", "number", "id"])
    op.create_index("ix_event_subject", "event", ["subject_id", "position", "id"])
    op.create_index("ix_event_actor", "event", ["actor_id", "position", "id"])
    some = sa.text("only_for_id IS NOT NULL")
    op.create_index("ix_event_only_for", "event", ["only_for_id"], postgresql_where=some, sqlite_where=some)
