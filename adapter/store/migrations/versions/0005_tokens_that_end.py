"""Let tokens end by themselves and permit a share only, and remember which signed statements were shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A token that was given out before has no end, and permits all that its role may do.
    op.add_column("tokens", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column("tokens", sa.Column("scopes", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "statements",
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number_index", name="pk_statements"),
    )
