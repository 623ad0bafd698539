"""Keep what partners have sent that a person has not decided on, and by which names a child may be known elsewhere."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inbox_items",
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_inbox_items_case_id_cases"),
        sa.PrimaryKeyConstraint("position", name="pk_inbox_items"),
        sa.UniqueConstraint("id", name="uq_inbox_items_id"),
        sa.UniqueConstraint("partner", "subject_index", name="uq_inbox_items_partner_subject_index"),
    )
    op.create_index("ix_inbox_items_case_id", "inbox_items", ["case_id"])
    op.create_index("ix_inbox_items_stale_position", "inbox_items", ["stale", "position"])
    op.create_table(
        "case_names",
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("name_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_case_names_case_id_cases"),
        sa.PrimaryKeyConstraint("name_index", "case_id", name="pk_case_names"),
    )
    op.create_index("ix_case_names_case_id", "case_names", ["case_id"])
