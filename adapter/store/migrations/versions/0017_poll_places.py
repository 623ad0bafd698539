"""Keep how far a round of asking a partner for answers has come, where its pace has cut it off."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("place", "earliest"):
        op.add_column("polls", sa.Column(name, sa.Text(), nullable=False, server_default=""))
