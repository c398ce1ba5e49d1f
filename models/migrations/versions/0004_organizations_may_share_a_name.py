"""Organizations may have the same name: a refusal would tell an administrator of one about another."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("organization") as organization:
        organization.drop_constraint("uq_organization_name", type_="unique")
