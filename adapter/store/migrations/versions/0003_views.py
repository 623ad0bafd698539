"""Let partners read their views: how far each is the one of its case now, and what stands in it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "views",
        sa.Column("share_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("case_version", sa.Integer(), nullable=False),
        sa.Column("until", INSTANT),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name="fk_views_share_id"),
        sa.PrimaryKeyConstraint("share_id", name="pk_views"),
    )
    op.create_table(
        "view_resources",
        sa.Column("share_id", NUMBER, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name="fk_view_resources_share_id"),
        sa.PrimaryKeyConstraint("share_id", "type", "id", name="pk_view_resources"),
    )
    op.create_index("ix_view_resources_id", "view_resources", ["id"])
