"""Keep our subscriptions at partners' servers, theirs at our /fhir, and what their servers tell us to look at."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for name in ("lease_until", "asked_at", "whole_at"):
        op.add_column("polls", sa.Column(name, INSTANT))
    op.add_column("polls", sa.Column("sealed_hint", sa.LargeBinary()))
    op.create_table(
        "subscribed",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary()),
        sa.Column("other_digest", sa.LargeBinary()),
        sa.Column("ends", INSTANT),
        sa.Column("since", INSTANT),
        sa.Column("due", INSTANT),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("heard_at", INSTANT),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("missed_at", INSTANT),
        sa.PrimaryKeyConstraint("partner", name="pk_subscribed"),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("ends", INSTANT),
        sa.Column("due", INSTANT),
        sa.Column("lease_until", INSTANT),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("said_at", INSTANT),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_subscriptions"),
    )
    op.create_index("ix_subscriptions_partner", "subscriptions", ["partner"])
    op.create_index("ix_subscriptions_due", "subscriptions", ["due"])
    op.create_table(
        "subscription_events",
        sa.Column("subscription", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("accounted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription"], ["subscriptions.id"], name="fk_subscription_events_subscription_subscriptions"
        ),
        sa.PrimaryKeyConstraint("subscription", "number", name="pk_subscription_events"),
    )
