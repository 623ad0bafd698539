"""Let the latest holding of a directory resource be found at once, through however many shares a partner has it."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_holdings_urn", "holdings")
    op.create_index("ix_holdings_urn_saved", "holdings", ["urn", "saved_at", "share_id"])
