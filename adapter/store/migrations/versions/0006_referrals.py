"""Keep what has become of each referral, when each partner is asked for answers, and the links by which some answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "referrals",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("urn", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_referrals_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_referrals"),
        sa.UniqueConstraint("urn", name="uq_referrals_urn"),
    )
    op.create_index("ix_referrals_case_id", "referrals", ["case_id"])
    op.create_index("ix_referrals_partner_open", "referrals", ["partner", "open"])
    op.create_index("ix_referrals_value", "referrals", ["value"])
    op.create_index("ix_referrals_request", "referrals", ["request"])
    op.create_table(
        "polls",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("due", INSTANT),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("partner", name="pk_polls"),
    )
    op.create_table(
        "links",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", INSTANT),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_links_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("digest", name="uq_links_digest"),
    )
    op.create_index("ix_links_case_id", "links", ["case_id"])
