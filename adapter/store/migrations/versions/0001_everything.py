"""Create everything: the whole database as of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

APPEND_ONLY = "disclosures are append-only"
SQLITE_TRIGGERS = tuple(
    f"CREATE TRIGGER disclosures_no_{verb} BEFORE {verb} ON disclosures BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
    for verb in ("update", "delete")
)
POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION disclosures_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$",
    "CREATE TRIGGER disclosures_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON disclosures "
    "FOR EACH STATEMENT EXECUTE FUNCTION disclosures_append_only()",
)


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_number", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed_body", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_kept", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_cases"),
        sa.UniqueConstraint("id", name="uq_cases_id"),
        sa.UniqueConstraint("number_index", name="uq_cases_number_index"),
    )
    op.create_table(
        "keystones",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_keystones"),
    )
    op.create_table(
        "pauses",
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("partner", name="pk_pauses"),
    )
    op.create_table(
        "resources",
        sa.Column("position", NUMBER, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("id_index", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated", INSTANT, nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_resources"),
        sa.UniqueConstraint("key", name="uq_resources_key"),
        sa.UniqueConstraint("partner", "type", "id_index", name="uq_resources_partner_type_id_index"),
    )
    op.create_index("ix_resources_partner_updated", "resources", ["partner", "updated"])
    op.create_table(
        "tokens",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )
    op.create_table(
        "chains",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("witness", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_chains_case_id"),
        sa.PrimaryKeyConstraint("case_id", name="pk_chains"),
    )
    op.create_table(
        "disclosures",
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_disclosures_case_id"),
        sa.PrimaryKeyConstraint("case_id", "seq", name="pk_disclosures"),
    )
    op.create_table(
        "resource_terms",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("term_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["resources.key"], name="fk_resource_terms_key"),
        sa.PrimaryKeyConstraint("term_index", "key", name="pk_resource_terms"),
    )
    op.create_index("ix_resource_terms_key", "resource_terms", ["key"])
    op.create_table(
        "resource_versions",
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated", INSTANT, nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key"], ["resources.key"], name="fk_resource_versions_key"),
        sa.PrimaryKeyConstraint("key", "version", name="pk_resource_versions"),
    )
    op.create_table(
        "shares",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("partner", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("due", INSTANT),
        sa.Column("turn", INSTANT),
        sa.Column("marked", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("lease_until", INSTANT),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failing_since", INSTANT),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("refused", sa.Text(), nullable=False),
        sa.Column("alarms", sa.JSON(), nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name="fk_shares_case_id"),
        sa.PrimaryKeyConstraint("id", name="pk_shares"),
        sa.UniqueConstraint("case_id", "partner", name="uq_shares_case_id_partner"),
    )
    op.create_index("ix_shares_partner_state", "shares", ["partner", "state"])
    op.create_index("ix_shares_state_id", "shares", ["state", "id"])
    op.create_index("ix_shares_turn_id", "shares", ["turn", "id"])
    op.create_table(
        "holdings",
        sa.Column("share_id", NUMBER, nullable=False),
        sa.Column("urn", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("directory", sa.Boolean(), nullable=False),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["share_id"], ["shares.id"], name="fk_holdings_share_id"),
        sa.PrimaryKeyConstraint("share_id", "urn", name="pk_holdings"),
    )
    op.create_index("ix_holdings_urn", "holdings", ["urn"])

    for trigger in SQLITE_TRIGGERS if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_TRIGGERS:
        op.execute(trigger)
