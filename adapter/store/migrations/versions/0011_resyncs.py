"""Keep how far a look at all that a partner holds has come, so that it can be stopped and resumed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "resyncs",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("after_share", number, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("partner", name="pk_resyncs"),
    )
