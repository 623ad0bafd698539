"""The subscription that we keep at each partner's server: one row a partner, worked on by one worker at a time.

Of the secret that its server shows us only digests are kept: of the one in force, and of the one before it or after.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from adapter.core.subscriptions.notices import Found
from adapter.store.claiming import longest_due
from adapter.store.database import Tx
from adapter.store.tables import Instant, subscribed

_c = subscribed.c
_b = sa.bindparam
_NOW = _b("now", type_=Instant)
UNWANTED = "unwanted"
_WELL: dict[str, object] = {"troubled_at": None, "alarmed": False}
"""That it works, or nobody waits for it to: trouble that comes later is trouble of its own."""

# Statements
OF_PARTNER = sa.select(subscribed).where(_c.partner == _b("of_partner"))
LOCKED = OF_PARTNER.with_for_update()
STATE = sa.select(_c.state).where(_c.partner == _b("of_partner"))
LISTED = sa.select(subscribed).order_by(_c.partner)
CLAIM = (
    sa.update(subscribed)
    .where(_c.partner == longest_due(_c.partner, _c.due, _c.partner.in_(_b("among", expanding=True))))
    .values(fence=_c.fence + 1, due=_b("until", type_=Instant))
    .returning(subscribed)
)
_MINE = sa.and_(_c.partner == _b("of_partner"), _c.fence == _b("held_fence"))
CHANGE = sa.update(subscribed).where(_MINE)
FORGET = sa.delete(subscribed).where(_MINE)
COUNT = sa.update(subscribed).where(_c.partner == _b("of_partner"))


@dataclass(frozen=True, slots=True)
class Subscribed:
    """How ours stands at one partner. `state`: "" (none yet), requested, active, unsupported, unreachable, unwanted;
    `id`: there;
    `seen`: events of which we know; `missed`: how often some were not told to us, the last time at `missed_at`."""

    partner: str
    address: str
    id: str
    state: str
    detail: str
    ends: datetime | None
    since: datetime | None
    due: datetime | None
    fence: int
    attempts: int
    seen: int
    heard_at: datetime | None
    missed: int
    missed_at: datetime | None
    troubled_at: datetime | None = None
    """Since when it has not worked; through every state that it was in meanwhile."""
    alarmed: bool = False


def ensure(tx: Tx, partner: str, address: str, *, now: datetime) -> None:
    """There is a row for this partner, due now where it is new."""
    row = {
        "partner": partner, "address": address, "id": "", "state": "", "detail": "", "due": now, "fence": 0,
        "attempts": 0, "seen": 0, "missed": 0,
    }  # fmt: skip
    tx.connection.execute(tx.insert_absent(subscribed), row)


def claim(tx: Tx, *, among: Collection[str], now: datetime, lease: timedelta) -> Subscribed | None:
    """Take the one among these partners that has been due longest; None if none is."""
    row = tx.connection.execute(CLAIM, {"now": now, "until": now + lease, "among": list(among)}).one_or_none()
    return None if row is None else _read(row)


def expect(tx: Tx, held: Subscribed, secret: str) -> bool:
    """Before its server is told a new secret: from now on that one opens too, and the one in force still does. False:
    another worker has taken the row."""
    return _change(tx, held, other_digest=digest(secret))


def settle(
    tx: Tx,
    held: Subscribed,
    *,
    id: str,  # noqa: A002  FHIR's word
    state: str,
    detail: str = "",
    ends: datetime | None,
    attempts: int,
    due: datetime,
    now: datetime,
    written: bool = False,
    begun: bool = False,
) -> bool:
    """How it stands now, and when it is looked at again. `written`: its server has the new secret; `begun`: it was made
    anew, and counts from nothing. False: another worker has taken it meanwhile; then nothing changes."""
    more: dict[str, object] = {"seen": 0} if begun else {}
    if written:
        more |= {"digest": _c.other_digest, "other_digest": _c.digest}
    elif state == "active":
        more["other_digest"] = None
    if state in ("active", UNWANTED):
        more |= _WELL
    elif held.troubled_at is None:
        more["troubled_at"] = now
    since = held.since if state == held.state and not written else now
    return _change(
        tx, held, id=id, state=state, detail=detail, ends=ends, since=since, attempts=attempts, due=due, **more,
    )  # fmt: skip


def forget(tx: Tx, held: Subscribed) -> None:
    """There is none there any more, and none is wanted."""
    tx.connection.execute(FORGET, {"of_partner": held.partner, "held_fence": held.fence})


def is_shown(tx: Tx, partner: str, secret: str) -> bool:
    """Is this a secret that the server of this partner was given?"""
    row = tx.connection.execute(OF_PARTNER, {"of_partner": partner}).one_or_none()
    known = (row.digest, row.other_digest) if row is not None else (None, None)
    current, other = (hmac.compare_digest(each or b"", digest(secret)) for each in known)
    return current or other


def held(tx: Tx, partner: str) -> Subscribed | None:
    """The row of this partner, kept from others until the transaction ends."""
    row = tx.connection.execute(LOCKED, {"of_partner": partner}).one_or_none()
    return None if row is None else _read(row)


def count(tx: Tx, before: Subscribed, seen: int, found: Found, *, look_at: datetime | None, now: datetime) -> None:
    """So many events are known of now. `look_at`: when it is looked at, at the latest."""
    values: dict[str, object] = {"seen": seen, "heard_at": now}
    if found == "missed":
        values |= {"missed": before.missed + 1, "missed_at": now}
    if look_at is not None and (before.due is None or look_at < before.due):
        values["due"] = look_at
    tx.connection.execute(COUNT.values(values), {"of_partner": before.partner})


def unwanted(tx: Tx, partner: str, *, now: datetime) -> None:
    """Its file asks for none any more: it is taken away now."""
    tx.connection.execute(COUNT.values(state=UNWANTED, due=now, **_WELL), {"of_partner": partner})


def elsewhere(tx: Tx, partner: str, address: str, *, now: datetime) -> None:
    """Its file names another address: one is made there now."""
    tx.connection.execute(COUNT.values(address=address, id="", state="", due=now, **_WELL), {"of_partner": partner})


def state(tx: Tx, partner: str) -> str:
    """How ours stands at this partner; "" where there is none."""
    return tx.connection.scalar(STATE, {"of_partner": partner}) or ""


def listed(tx: Tx) -> dict[str, Subscribed]:
    """How ours stand, by partner."""
    return {row.partner: _read(row) for row in tx.connection.execute(LISTED)}


def digest(secret: str) -> bytes:
    """What is kept of a secret: it is 32 random bytes, so that its plain SHA-256 tells nothing."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _change(tx: Tx, held: Subscribed, **values: object) -> bool:
    key = {"of_partner": held.partner, "held_fence": held.fence}
    return tx.connection.execute(CHANGE.values(values), key).rowcount == 1


def _read(row: sa.Row[tuple[object, ...]]) -> Subscribed:
    values = row._asdict()
    return Subscribed(**{name: value for name, value in values.items() if name not in ("digest", "other_digest")})
