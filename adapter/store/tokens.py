"""Who may call: bearer tokens, of which only the digest is kept.

A token is 32 random bytes, so that its plain SHA-256 tells nothing and can be looked up at once.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

import sqlalchemy as sa

from adapter.errors import Problem, Refused
from adapter.store.database import Tx
from adapter.store.tables import statements, tokens

Role = Literal["source", "coordinator", "privacy", "engineer", "admin", "partner"]
PREFIX = "csp_"

_c = tokens.c

# Statements
INSERT = sa.insert(tokens)
FIND = sa.select(_c.id, _c.role, _c.partner, _c.label, _c.source, _c.scopes).where(
    _c.digest == sa.bindparam("digest"),
    _c.revoked_at.is_(None),
    sa.or_(_c.expires_at.is_(None), _c.expires_at > sa.bindparam("now")),
)
FORGET = sa.delete(tokens).where(_c.expires_at <= sa.bindparam("now"))
FORGET_STATEMENTS = sa.delete(statements).where(statements.c.until <= sa.bindparam("now"))
REVOKE = (
    sa.update(tokens)
    .where(_c.id == sa.bindparam("token_id"), _c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"))
)
LISTED = (
    sa.select(_c.id, _c.role, _c.partner, _c.label, _c.created_at, _c.revoked_at, _c.source)
    .where(_c.expires_at.is_(None))
    .order_by(_c.id)
)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: its role, for the role partner which partner it is, and for the role source which system, if said.

    `scopes`: what a partner's token permits, where it does not permit all (core/scopes.py).
    """

    id: int
    role: str
    partner: str
    label: str
    source: str = field(default="", kw_only=True)
    scopes: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Issued(Principal):
    """A token that was given out, without the token."""

    created_at: datetime
    revoked_at: datetime | None


def new(tx: Tx, *, role: str, partner: str = "", label: str = "", source: str = "", now: datetime) -> str:
    """Give out a token: the only time that it can be read. Refused: an unknown role, a partner missing or too much.

    `source`: for the role source, which of the settings' sources it is; empty where the instance has but one.
    """
    if role not in get_args(Role):
        raise Refused("There is no such role.", [Problem("/role", f"must be one of {', '.join(get_args(Role))}")])
    if (role == "partner") != bool(partner):
        raise Refused(
            "The role does not fit.", [Problem("/partner", "must be given for the role partner, and for no other")]
        )
    if source and role != "source":
        raise Refused("The role does not fit.", [Problem("/source", "may be given for the role source only")])
    token = PREFIX + secrets.token_urlsafe(32)
    values = {"digest": _digest(token), "role": role, "partner": partner, "label": label, "created_at": now}
    values["source"] = source
    tx.connection.execute(INSERT, values)
    return token


def lend(tx: Tx, *, partner: str, scopes: str, until: datetime, now: datetime) -> str:
    """Give out a token of the role partner that ends by itself; those that have ended are forgotten."""
    tx.connection.execute(FORGET, {"now": now})
    token = PREFIX + secrets.token_urlsafe(32)
    values = {"digest": _digest(token), "role": "partner", "partner": partner, "label": "", "created_at": now}
    tx.connection.execute(INSERT, {**values, "expires_at": until, "scopes": scopes})
    return token


def first_shown(tx: Tx, partner: str, number: str, *, until: datetime, now: datetime) -> bool:
    """Is a signed statement of this number shown for the first time? Numbers are kept until nobody may show them."""
    tx.connection.execute(FORGET_STATEMENTS, {"now": now})
    values = {"number_index": tx.seal.index(f"statements {partner}", number), "until": until}
    return tx.connection.execute(tx.insert_absent(statements).returning(statements.c.until), values).first() is not None


def find(tx: Tx, token: str, *, now: datetime) -> Principal | None:
    """Whose token this is; None if it was never given out, is revoked, or has ended."""
    row = tx.connection.execute(FIND, {"digest": _digest(token), "now": now}).one_or_none()
    return None if row is None else Principal(**row._asdict())


def revoke(tx: Tx, token_id: int, now: datetime) -> bool:
    """The token opens nothing from now on. False if there is none in force."""
    return tx.connection.execute(REVOKE, {"token_id": token_id, "now": now}).rowcount == 1


def listed(tx: Tx) -> list[Issued]:
    """Every token that was given out, the revoked too."""
    return [Issued(**row._asdict()) for row in tx.connection.execute(LISTED)]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
