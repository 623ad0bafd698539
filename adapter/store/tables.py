"""The shape of the database on one page: every table, its indexes, and how times are kept.

Columns named `sealed…` hold envelopes of seal.py, columns named `…_index` blind indexes; the rest is in clear, and
holds nothing that a record says. Each table's statements stand in the module of its name. What changes here needs a
migration; a test compares the two on both databases.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """A moment: timezone-aware and in UTC in Python; `timestamptz` on PostgreSQL, UTC text that sorts on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a moment without a time zone cannot be kept")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only in a column that is exactly INTEGER PRIMARY KEY.
Number = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# One row: the proof that the keys in use are those that this database was written with.
keystones = Table(
    "keystones",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("root_index", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("position", Number, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("number_index", LargeBinary, nullable=False, unique=True),
    Column("sealed_number", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("sealed_body", LargeBinary, nullable=False),
    Column("sealed_kept", LargeBinary, nullable=False),
    Column("saved_at", Instant, nullable=False),
    Column("deleted", Boolean, nullable=False),
)

shares = Table(
    "shares",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case_id", String(32), ForeignKey("cases.id"), nullable=False),
    Column("partner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("held", Boolean, nullable=False),  # its partner is paused: nobody starts work on it
    Column("due", Instant),
    Column("turn", Instant),  # when a worker may claim it: due, or the end of its lease; none while held or stopped
    Column("marked", Integer, nullable=False),  # how often it was marked due,
    Column("taken", Integer, nullable=False),  # and how often of these the last claim has seen
    Column("fence", Integer, nullable=False),
    Column("worker", Text, nullable=False),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("refused", Text, nullable=False),
    Column("alarms", JSON, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("equal_at", Instant),  # when the partner last held what it should
    Column("gathering_since", Instant),  # the first change that waits for others to go with it
    Column("sealed_sight", LargeBinary),  # what the partner holds, leaf by leaf, as hashes
    UniqueConstraint("case_id", "partner"),
    Index("ix_shares_turn_id", "turn", "id"),
    Index("ix_shares_partner_state", "partner", "state"),
    Index("ix_shares_state_id", "state", "id"),
)

pauses = Table(
    "pauses",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("since", Instant, nullable=False),
)

# What a partner's server can do: of codes and counts of its CapabilityStatement, nothing of any case.
abilities = Table(
    "abilities",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("told", JSON),
    Column("read_at", Instant),
    Column("asked_at", Instant, nullable=False),
)

# Children that a person must find among a partner's: the ids that the partner gave, sealed, and no more of anybody.
matches = Table(
    "matches",
    metadata,
    Column("share_id", Number, ForeignKey("shares.id"), primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("saved_at", Instant, nullable=False),
)

# How a partner is called at present (core/pace.py); none for one that is called as it comes.
paces = Table(
    "paces",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("failed", JSON, nullable=False),  # numbers of shares
    Column("open_since", Instant),
    Column("closed_at", Instant),
    Column("tries", Integer, nullable=False),
    Column("trying", Number),
    Column("try_at", Instant),
    Column("next_at", Instant),
    Column("spacing", Float, nullable=False),
)

# What people are still to be told of; of what has been told, when.
alerts = Table(
    "alerts",
    metadata,
    Column("way", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("happened", Integer, nullable=False),
    Column("shares", JSON, nullable=False),  # their numbers
    Column("outcome", Text, nullable=False),
    Column("since", Instant),
    Column("due", Instant),
    Column("told_at", Instant),
    Column("attempts", Integer, nullable=False),
    PrimaryKeyConstraint("way", "kind", "partner"),
)

resyncs = Table(
    "resyncs",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("after_share", Number, nullable=False),
    Column("since", Instant, nullable=False),
)

holdings = Table(
    "holdings",
    metadata,
    Column("share_id", Number, ForeignKey("shares.id"), nullable=False),
    Column("urn", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("id", Text, nullable=False),  # empty, as the two that follow: what they held is sealed
    Column("version", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("directory", Boolean, nullable=False),
    Column("ours", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("saved_at", Instant, nullable=False),
    PrimaryKeyConstraint("share_id", "urn"),
    Index("ix_holdings_urn_saved", "urn", "saved_at", "share_id"),
)

# How far the view that a partner may read here (partner files, `reads`) is the one of its case now.
views = Table(
    "views",
    metadata,
    Column("share_id", Number, ForeignKey("shares.id"), primary_key=True, autoincrement=False),
    Column("case_version", Integer, nullable=False),
    Column("until", Instant),  # when a consent begins or ends next
    Column("fault", Text, nullable=False),  # why nothing of the case is served: a check, the last look
)

# What of a case stands there, and which version the partner has been told of. Ids are our identifiers: they are opaque.
view_resources = Table(
    "view_resources",
    metadata,
    Column("share_id", Number, ForeignKey("shares.id"), nullable=False),
    Column("type", Text, nullable=False),
    Column("id", String(64), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("told", Integer, nullable=False),
    PrimaryKeyConstraint("share_id", "type", "id"),
    Index("ix_view_resources_id", "id"),
)

disclosures = Table(
    "disclosures",
    metadata,
    Column("case_id", String(32), ForeignKey("cases.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("partner", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    PrimaryKeyConstraint("case_id", "seq"),
    Index("ix_disclosures_case_id_partner_at", "case_id", "partner", "at"),
)

# The last line of each case's disclosures, witnessed with the keys: where the next one goes, and that none was cut off.
chains = Table(
    "chains",
    metadata,
    Column("case_id", String(32), ForeignKey("cases.id"), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("witness", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Number, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("partner", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("source", Text, nullable=False, server_default=""),
    Column("expires_at", Instant),
    Column("scopes", Text, nullable=False, server_default=""),  # empty: all that its role may do
)

# Numbers of signed statements that partners' systems have shown, until they would be too old anyway.
statements = Table(
    "statements",
    metadata,
    Column("number_index", LargeBinary, primary_key=True),
    Column("until", Instant, nullable=False),
)

# An id that a partner chose may tell something (a name, a chart number): it is found by index, and read from the body.
resources = Table(
    "resources",
    metadata,
    Column("position", Number, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("partner", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("id_index", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("deleted", Boolean, nullable=False),
    UniqueConstraint("partner", "type", "id_index"),
    Index("ix_resources_partner_updated", "partner", "updated"),
)

resource_versions = Table(
    "resource_versions",
    metadata,
    Column("key", String(32), ForeignKey("resources.key"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated", Instant, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    PrimaryKeyConstraint("key", "version"),
)

resource_terms = Table(
    "resource_terms",
    metadata,
    Column("key", String(32), nullable=False),
    Column("term_index", LargeBinary, nullable=False),
    PrimaryKeyConstraint("term_index", "key"),
    ForeignKeyConstraint(["key"], ["resources.key"]),
    Index("ix_resource_terms_key", "key"),
)

# A referral that was sent to a partner. What has become of it is sealed; `open` tells no more than that an answer may
# still come. `urn` is its Task's, opaque and the partner's own.
referrals = Table(
    "referrals",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case_id", String(32), ForeignKey("cases.id"), nullable=False),
    Column("partner", Text, nullable=False),
    Column("urn", Text, nullable=False, unique=True),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),  # our identifiers of the Task, and of the ServiceRequest that it is about
    Column("request", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_referrals_case_id", "case_id"),
    Index("ix_referrals_partner_open", "partner", "open"),
    Index("ix_referrals_value", "value"),
    Index("ix_referrals_request", "request"),
)

# When each partner is next asked for answers, and from which moment of its own clock on.
polls = Table(
    "polls",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("due", Instant),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("since", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("lease_until", Instant),  # while a worker is at it
    Column("asked_at", Instant),
    Column("whole_at", Instant),  # when it was last asked for all that waits
    Column("sealed_hint", LargeBinary),  # what its server has told since: ids that the partner gave
    # Of a round that the partner's pace has cut off: behind which of our identifiers it goes on, and the earliest of
    # the partner's times so far.
    Column("place", Text, nullable=False, server_default=""),
    Column("earliest", Text, nullable=False, server_default=""),
)

# The subscription that we keep at a partner's server: of what its server shows us only digests.
subscribed = Table(
    "subscribed",
    metadata,
    Column("partner", Text, primary_key=True),
    Column("address", Text, nullable=False),
    Column("id", Text, nullable=False),  # there; empty: there is none that we know of
    Column("state", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", LargeBinary),
    Column("other_digest", LargeBinary),  # of the secret before this one, or of the one that is being made known
    Column("ends", Instant),
    Column("since", Instant),  # in this state
    Column("due", Instant),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Column("heard_at", Instant),
    Column("missed", Integer, nullable=False),  # how often a number was
    Column("missed_at", Instant),
    Column("troubled_at", Instant),  # since when it has not worked
    Column("alarmed", Boolean, nullable=False, server_default=false()),  # people have been told of that
)

# Partners' subscriptions at our /fhir, and what of their worlds has changed for each. The resource is sealed: its
# headers are secrets.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("partner", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("topic", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("number", BigInteger, nullable=False),  # of the last event,
    Column("told", BigInteger, nullable=False),  # and of the last one that was taken
    Column("ends", Instant),
    Column("due", Instant),
    Column("lease_until", Instant),  # while a worker is at it
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("said_at", Instant),  # when its endpoint last took something
    Column("updated_at", Instant, nullable=False),
    Column("troubled_at", Instant),  # since when it has been in error, whatever its partner tried meanwhile
    Column("alarmed", Boolean, nullable=False, server_default=false()),  # people have been told of that
    Index("ix_subscriptions_partner", "partner"),
    Index("ix_subscriptions_due", "due"),
)

subscription_events = Table(
    "subscription_events",
    metadata,
    Column("subscription", String(36), ForeignKey("subscriptions.id"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # type and id
    Column("accounted", Boolean, nullable=False),
    PrimaryKeyConstraint("subscription", "number"),
)

# What has become of our request to a partner that it purge what was taken back: its Task's names, opaque and the
# partner's own, and its answer, sealed; `open` tells no more than that one may still come.
purges = Table(
    "purges",
    metadata,
    Column("share_id", Number, ForeignKey("shares.id"), primary_key=True, autoincrement=False),
    Column("urn", Text, nullable=False, unique=True),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_purges_open_asked_at", "open", "asked_at"),
    Index("ix_purges_value", "value"),
)

# What the case system is to be told. `number` comes after the row: in the order in which rows were seen by everybody.
notices = Table(
    "notices",
    metadata,
    Column("id", Number, primary_key=True),
    Column("number", Number, unique=True),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
)

# One row, once there is a notice: the last number that was given, up to which one was told, when it is tried again.
telling = Table(
    "telling",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("numbered", Number, nullable=False),
    Column("told", Number, nullable=False),
    Column("due", Instant),
    Column("attempts", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("fence", Integer, nullable=False),
    Column("stopped", Boolean, nullable=False),
)

# A signed link by which one partner sees and answers one referral, for who has no server.
links = Table(
    "links",
    metadata,
    Column("id", Number, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("case_id", String(32), ForeignKey("cases.id"), nullable=False),
    Column("partner", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("tries", Integer, nullable=False),
    Column("locked_until", Instant),
    Index("ix_links_case_id", "case_id"),
)

# What one partner says of one child of its own; "" stands for what it says of none. What people decided is sealed.
inbox_items = Table(
    "inbox_items",
    metadata,
    Column("position", Number, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("partner", Text, nullable=False),
    Column("subject_index", LargeBinary, nullable=False),
    Column("case_id", String(32), ForeignKey("cases.id")),
    Column("state", Text, nullable=False),
    Column("stale", Boolean, nullable=False),  # the partner has written since it was last looked at
    Column("version", Integer, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("partner", "subject_index"),
    Index("ix_inbox_items_case_id", "case_id"),
    Index("ix_inbox_items_stale_position", "stale", "position"),
)

# By which names the child of a case may be known elsewhere: each name under a blind index.
case_names = Table(
    "case_names",
    metadata,
    Column("case_id", String(32), ForeignKey("cases.id"), nullable=False),
    Column("name_index", LargeBinary, nullable=False),
    PrimaryKeyConstraint("name_index", "case_id"),
    Index("ix_case_names_case_id", "case_id"),
)
