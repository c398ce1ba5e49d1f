"""Webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.String(20)
MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
POSITION = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
NAME = sa.String(255).with_variant(sa.String(255, collation="C"), "postgresql")
PENDING = sa.text("status = 'PENDING'")


def upgrade() -> None:
    create_webhook()
    create_secret()
    create_delivery()
    create_lease()


def of_webhook(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "webhook_id"],
        ["webhook.organization_id", "webhook.id"],
        name=op.f(f"fk_{table}_organization_id_webhook_id"),
        ondelete="CASCADE",
    )


def create_webhook() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("url", sa.String(1023), nullable=False),
        sa.Column("description", sa.String(1023), nullable=True),
        sa.Column("filter", JSON, nullable=True),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(1023), nullable=True),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("read_position", POSITION, nullable=False),
        sa.Column("read_id", ID, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by_id", ID, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organization.id"], name=op.f("fk_webhook_organization_id")),
        sa.ForeignKeyConstraint(
            ["organization_id", "created_by_id"],
            ["actor.organization_id", "actor.id"],
            name=op.f("fk_webhook_organization_id_created_by_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
        sa.UniqueConstraint("organization_id", "id", name=op.f("uq_webhook_organization_id_id")),
    )
    op.create_index("ix_webhook_organization", "webhook", ["organization_id", "id"])


def create_secret() -> None:
    op.create_table(
        "webhook_secret",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        of_webhook("webhook_secret"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_secret")),
    )
    op.create_index("ix_webhook_secret_webhook", "webhook_secret", ["webhook_id", "id"])


def create_delivery() -> None:
    statuses = sa.CheckConstraint(
        "status IN ('PENDING', 'SUCCEEDED', 'FAILED')", name=op.f("ck_webhook_delivery_webhookdeliverystatus")
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("organization_id", ID, nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        sa.Column("position", POSITION, nullable=False),
        sa.Column("order_key", ID, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("is_requested", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(255), nullable=True),
        sa.Column("next_attempt_at", MOMENT, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        statuses,
        of_webhook("webhook_delivery"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index("ix_webhook_delivery_webhook", "webhook_delivery", ["webhook_id", "position", "id"])
    op.create_index("ix_webhook_delivery_at", "webhook_delivery", ["at"])
    op.create_index(
        "ix_webhook_delivery_pending",
        "webhook_delivery",
        ["webhook_id", "order_key", "position"],
        postgresql_where=PENDING,
        sqlite_where=PENDING,
    )


def create_lease() -> None:
    op.create_table(
        "webhook_lease",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("holder", NAME, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_webhook_lease_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_lease")),
        postgresql_with={"fillfactor": 50},
    )
    op.execute("INSERT INTO webhook_lease (id, holder, expires_at) VALUES (1, '', '2000-01-01 00:00:00.000000')")
