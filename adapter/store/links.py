"""Signed links by which one partner sees and answers one referral: of the address only its digest is kept, of the code
only its blind index."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import sqlalchemy as sa

from adapter.store.database import Tx
from adapter.store.tables import links

TRIES = 5
"""Wrong codes in a row after which a link rests."""
REST = timedelta(minutes=15)
MOST_TRIES = 25
"""Wrong codes in all after which it opens no more."""
DIGITS = 8

_c = links.c
_b = sa.bindparam

# Statements
INSERT = sa.insert(links)
BY_DIGEST = sa.select(links).where(_c.digest == _b("of_digest"))
BY_DIGEST_LOCKED = BY_DIGEST.with_for_update()
OF_CASE = sa.select(links).where(_c.case_id == _b("of_case")).order_by(_c.id)
TRIED = sa.update(links).where(_c.id == _b("link_id")).values(tries=_b("so_often"), locked_until=_b("until"))
REVOKE = (
    sa.update(links)
    .where(_c.id == _b("link_id"), _c.case_id == _b("of_case"), _c.revoked_at.is_(None))
    .values(revoked_at=_b("now"))
)


@dataclass(frozen=True, slots=True)
class Link:
    """One link: whose, to which referral, until when; `tries`: wrong codes since it last opened."""

    id: int
    case_id: str
    partner: str
    path: str
    by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    tries: int
    locked_until: datetime | None

    def opens(self, now: datetime) -> bool:
        """May it be tried now?"""
        rests = self.locked_until is not None and now < self.locked_until
        return self.revoked_at is None and now < self.expires_at and not rests and self.tries < MOST_TRIES


def new(
    tx: Tx, case_id: str, partner: str, path: str, *, by: str, now: datetime, expires_at: datetime
) -> tuple[str, str]:
    """A new link: its secret address and its code, the only time that either can be read."""
    token = secrets.token_urlsafe(32)
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    digest = _digest(token)
    told = orjson.dumps([path, by, _code_index(tx, digest, code).hex()])
    values = {
        "digest": digest, "case_id": case_id, "partner": partner, "created_at": now, "expires_at": expires_at,
        "tries": 0, "sealed": tx.seal.close(told, table="links", column="sealed", row=digest.hex()),
    }  # fmt: skip
    tx.connection.execute(INSERT, values)
    return token, code


def find(tx: Tx, token: str) -> Link | None:
    """The link of this address, whatever has become of it; None for any other address."""
    row = tx.connection.execute(BY_DIGEST, {"of_digest": _digest(token)}).one_or_none()
    return None if row is None else _link(tx, row)[0]


def tried(tx: Tx, token: str, code: str, *, now: datetime) -> Link | None:
    """The link, if it may be tried now and this is its code. A wrong code counts, and after some the link rests."""
    digest = _digest(token)
    row = tx.connection.execute(BY_DIGEST_LOCKED, {"of_digest": digest}).one_or_none()
    given = _code_index(tx, digest, code)
    if row is None:
        return None
    link, index = _link(tx, row)
    right = hmac.compare_digest(index, given)
    if not link.opens(now):
        return None
    tries = 0 if right else link.tries + 1
    until = now + REST if tries and tries % TRIES == 0 else None
    tx.connection.execute(TRIED, {"link_id": link.id, "so_often": tries, "until": until})
    return link if right else None


def revoke(tx: Tx, case_id: str, link_id: int, *, now: datetime) -> bool:
    """It opens nothing from now on. False: this case has none of that number in force."""
    return tx.connection.execute(REVOKE, {"link_id": link_id, "of_case": case_id, "now": now}).rowcount == 1


def of_case(tx: Tx, case_id: str) -> list[Link]:
    """Every link of a case, those that are over too."""
    return [_link(tx, row)[0] for row in tx.connection.execute(OF_CASE, {"of_case": case_id})]


def _link(tx: Tx, row: sa.Row[tuple[object, ...]]) -> tuple[Link, bytes]:
    values = row._asdict()
    told = orjson.loads(tx.seal.open(values["sealed"], table="links", column="sealed", row=values["digest"].hex()))
    plain = {name: value for name, value in values.items() if name not in ("sealed", "digest")}
    return Link(path=told[0], by=told[1], **plain), bytes.fromhex(told[2])


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _code_index(tx: Tx, digest: bytes, code: str) -> bytes:
    digits = "".join(c for c in code if c in "0123456789")
    return tx.seal.index("links.code", f"{digest.hex()} {digits}")
