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
from adapter.store.tables import tokens

Role = Literal["source", "coordinator", "privacy", "engineer", "admin", "partner"]
PREFIX = "csp_"

_c = tokens.c

# Statements
INSERT = sa.insert(tokens)
FIND = sa.select(_c.id, _c.role, _c.partner, _c.label, _c.source).where(
    _c.digest == sa.bindparam("digest"), _c.revoked_at.is_(None)
)
REVOKE = (
    sa.update(tokens)
    .where(_c.id == sa.bindparam("token_id"), _c.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"))
)
LISTED = sa.select(_c.id, _c.role, _c.partner, _c.label, _c.created_at, _c.revoked_at, _c.source).order_by(_c.id)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls: its role, for the role partner which partner it is, and for the role source which system, if said."""

    id: int
    role: str
    partner: str
    label: str
    source: str = field(default="", kw_only=True)


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


def find(tx: Tx, token: str) -> Principal | None:
    """Whose token this is; None if it was never given out, or is revoked."""
    row = tx.connection.execute(FIND, {"digest": _digest(token)}).one_or_none()
    return None if row is None else Principal(**row._asdict())


def revoke(tx: Tx, token_id: int, now: datetime) -> bool:
    """The token opens nothing from now on. False if there is none in force."""
    return tx.connection.execute(REVOKE, {"token_id": token_id, "now": now}).rowcount == 1


def listed(tx: Tx) -> list[Issued]:
    """Every token that was given out, the revoked too."""
    return [Issued(**row._asdict()) for row in tx.connection.execute(LISTED)]


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
