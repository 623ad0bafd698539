"""Let a share remember since when it gathers edits, and what its partner holds, so that what takes back is known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("gathering_since", sa.DateTime(timezone=True)))
    op.add_column("shares", sa.Column("sealed_sight", sa.LargeBinary()))
