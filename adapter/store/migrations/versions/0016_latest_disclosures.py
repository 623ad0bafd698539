"""Find the latest lines about one partner in the account of a case, however long that has become."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_disclosures_case_id_partner_at", "disclosures", ["case_id", "partner", "at"])
