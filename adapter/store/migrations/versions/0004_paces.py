"""Keep how each partner is called at present: its circuit breaker and its pace."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("failed", sa.JSON(), nullable=False),
        sa.Column("open_since", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("trying", NUMBER),
        sa.Column("try_at", INSTANT),
        sa.Column("next_at", INSTANT),
        sa.Column("spacing", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("partner", name="pk_paces"),
    )
