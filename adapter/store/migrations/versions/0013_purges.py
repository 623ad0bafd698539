"""Keep what partners answer to our requests to purge."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "purges",
        sa.Column("share_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("urn", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name="fk_purges_share_id_shares"),
        sa.PrimaryKeyConstraint("share_id", name="pk_purges"),
        sa.UniqueConstraint("urn", name="uq_purges_urn"),
    )
    op.create_index("ix_purges_open_asked_at", "purges", ["open", "asked_at"])
    op.create_index("ix_purges_value", "purges", ["value"])
