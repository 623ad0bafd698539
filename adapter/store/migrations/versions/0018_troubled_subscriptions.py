"""Keep since when a subscription has not worked, ours at a partner or a partner's here, and whether people know."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from adapter.store.tables import Instant

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# What is in trouble when the database is upgraded has been since its state was last changed, as far as that is known.
BEGIN = (
    "UPDATE subscribed SET troubled_at = since WHERE state NOT IN ('', 'active', 'unwanted')",
    "UPDATE subscriptions SET troubled_at = updated_at WHERE status = 'error'",
)


def upgrade() -> None:
    for table in ("subscribed", "subscriptions"):
        op.add_column(table, sa.Column("troubled_at", Instant))
        op.add_column(table, sa.Column("alarmed", sa.Boolean(), nullable=False, server_default=sa.false()))
    for statement in BEGIN:
        op.execute(statement)
