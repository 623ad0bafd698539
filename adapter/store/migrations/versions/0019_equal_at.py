"""Keep when each partner last held what it should: what is taken back later, no date that had passed by then took."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from adapter.store.tables import Instant

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("shares", sa.Column("equal_at", Instant))
