"""Let a token say which source system it was given to: what that system puts is labelled with topics, or is not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A token that was given out before names none: the instance's own setting stays true of it.
    op.add_column("tokens", sa.Column("source", sa.Text(), nullable=False, server_default=""))
