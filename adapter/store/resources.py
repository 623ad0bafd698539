"""What partners wrote to our /fhir: each partner a world of its own, and every version kept.

Bodies and ids are sealed; what can be searched for is a term (parameter and value) under a blind index that differs
from partner to partner and from type to type, so that equal values do not show as equal (exchange.md, *What comes in*).
"""

# ruff: noqa: A002  `type` and `id` are FHIR's own words for what they name here

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from adapter.core.fhir.search import REFERS, index
from adapter.core.strict_json import canonical, dump, load
from adapter.errors import Conflict, PreconditionFailed
from adapter.store import subscriptions
from adapter.store.database import Tx
from adapter.store.tables import resource_terms, resource_versions, resources

Criteria = Sequence[tuple[str, Sequence[str]]]
Indexed = Mapping[str, Sequence[str]]

_r, _v, _t = resources.c, resource_versions.c, resource_terms.c
_b = sa.bindparam
_TERMS = 10_000  # that are asked for at once: databases take no longer lists
_HASH = 32  # bytes of SHA-256 before the JSON under one seal

# Statements
ALONE = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(_b("world"))))
FIND = sa.select(resources).where(_r.partner == _b("of_partner"), _r.type == _b("of_type"), _r.id_index == _b("index"))
FIND_LOCKED = FIND.with_for_update()
NEXT_VERSION = (
    sa.update(resources)
    .where(_r.key == _b("of_key"))
    .values(version=_b("new_version"), updated=_b("now"), deleted=_b("gone"))
)
KEEP_VERSION = sa.insert(resource_versions)
REWORD = (
    sa.update(resource_versions)
    .where(_v.key == _b("of_key"), _v.version == _b("of_version"))
    .values(sealed=_b("closed"))
)
KEEP_TERMS = sa.insert(resource_terms)
TERMS = sa.select(_t.term_index).where(_t.key == _b("of_key"))
FORGET_SOME = sa.delete(resource_terms).where(_t.key == _b("of_key"), _t.term_index.in_(_b("terms", expanding=True)))
FORGET_TERMS = sa.delete(resource_terms).where(_t.key == _b("of_key"))
VERSIONS = sa.select(_r.partner, _r.type, resource_versions).join(resources, _r.key == _v.key)
VERSION = VERSIONS.where(_v.key == _b("of_key"), _v.version == _b("of_version"))
HISTORY = VERSIONS.where(_v.key == _b("of_key")).order_by(_v.version.desc())
FORGET_EARLIER = sa.delete(resource_versions).where(
    _v.key == _b("of_key"), _v.version < sa.select(_r.version).where(_r.key == _b("of_key")).scalar_subquery()
)
CURRENT = VERSIONS.where(_v.version == _r.version)
OF_PARTNER = CURRENT.where(_r.partner == _b("of_partner"))
LATEST = OF_PARTNER.order_by(_r.updated.desc(), _r.position.desc()).limit(_b("limit"))
POSITION = sa.select(_r.position).where(
    _r.partner == _b("of_partner"), _r.type == _b("of_type"), _r.id_index == _b("index")
)


@dataclass(frozen=True, slots=True)
class Received:
    """One version of a resource as a partner wrote it; `body` is {} where it was deleted. `hash`: see `create`."""

    partner: str
    type: str
    id: str
    version: int
    updated: datetime
    deleted: bool
    body: dict[str, Any]
    hash: str = ""


def alone(tx: Tx, partner: str) -> None:
    """Keep others who ask for this out of the partner's world: to search, and to create if nothing is found."""
    if tx.connection.dialect.name == "postgresql":  # on SQLite whoever writes is alone
        tx.connection.execute(ALONE, {"world": f"resources of {partner}"})


def create(
    tx: Tx,
    partner: str,
    type: str,
    body: dict[str, Any],
    *,
    id: str,
    now: datetime,
    indexed: Indexed,
    sent: bytes | None = None,
) -> Received:
    """Keep a new resource as version 1. Conflict: there is one of that id already, or was.

    `sent` are the bytes as they came; their SHA-256 is kept (of the body's canonical JSON, where left out).
    """
    row = _new_row(tx, partner, type, id, now)
    if row is None:
        raise Conflict("There is a resource of that type and id already.")
    return _keep(tx, row, id, 1, body, now=now, indexed=indexed, sent=sent)


def update(
    tx: Tx,
    partner: str,
    type: str,
    id: str,
    body: dict[str, Any],
    *,
    now: datetime,
    indexed: Indexed,
    sent: bytes | None = None,
    if_version: int | None = None,
) -> Received:
    """Keep a new version; the first, where there is none. PreconditionFailed: the current one is not `if_version`."""
    found = _find(tx, partner, type, id)
    if if_version is not None and (found is None or found.deleted or found.version != if_version):
        raise PreconditionFailed("The current version is another one.")
    if found is None and (created := _new_row(tx, partner, type, id, now)) is not None:
        return _keep(tx, created, id, 1, body, now=now, indexed=indexed, sent=sent)
    row = found or _find(tx, partner, type, id)
    if row is None:
        raise Conflict("The resource is being written by someone else.")
    return _keep(tx, row, id, row.version + 1, body, now=now, indexed=indexed, sent=sent)


def amend(
    tx: Tx, partner: str, type: str, id: str, body: dict[str, Any], *, now: datetime, gone: Indexed, come: Indexed
) -> Received:
    """Keep a new version of what a partner wrote, changed by us: it stays found by all that it was, but for the terms
    that are `gone`, and by those that have `come`. LookupError: it is not there."""
    row = _find(tx, partner, type, id)
    if row is None or row.deleted:
        raise LookupError("a resource that is to be amended is not there")
    values = {"of_key": row.key, "terms": _terms_of(tx, row, gone)}
    if values["terms"]:
        tx.connection.execute(FORGET_SOME, values)
    made = _next(tx, row, id, row.version + 1, body, now=now, sent=None)
    there = set(tx.connection.scalars(TERMS, {"of_key": row.key}))
    if terms := [term for term in _terms_of(tx, row, come) if term not in there]:
        tx.connection.execute(KEEP_TERMS, [{"key": row.key, "term_index": term} for term in terms])
    return made


def reword(tx: Tx, partner: str, type: str, id: str, version: int, body: dict[str, Any]) -> None:
    """Let an earlier version say no more than this: words of ours were in it that may be read no longer."""
    row = _find(tx, partner, type, id)
    kept = _version(tx, row.key, version) if row is not None else None
    if row is None or kept is None or kept.deleted:
        raise LookupError("a version that is to be reworded is not there")
    values = {"of_key": row.key, "of_version": version, "closed": _closed(tx, row.key, version, kept.hash, id, body)}
    tx.connection.execute(REWORD, values)


def delete(
    tx: Tx,
    partner: str,
    type: str,
    id: str,
    *,
    now: datetime,
    if_version: int | None = None,
) -> Received | None:
    """Mark it deleted, as a version of its own. None if there is none, or it is deleted already."""
    row = _find(tx, partner, type, id)
    if row is None or row.deleted:
        return None
    if if_version is not None and row.version != if_version:
        raise PreconditionFailed("The current version is another one.")
    return _keep(tx, row, id, row.version + 1, None, now=now, indexed={}, sent=None)


def forget_earlier(tx: Tx, partner: str, type: str, id: str) -> None:
    """Keep the current version alone."""
    row = _find(tx, partner, type, id)
    if row is not None:
        tx.connection.execute(FORGET_EARLIER, {"of_key": row.key})


def read(tx: Tx, partner: str, type: str, id: str) -> Received | None:
    """The current version, `deleted` where that is its state; None if there never was one."""
    row = tx.connection.execute(FIND, _place(tx, partner, type, id)).one_or_none()
    return None if row is None else _version(tx, row.key, row.version)


def version(tx: Tx, partner: str, type: str, id: str, version: int) -> Received | None:
    """That version, or None."""
    row = tx.connection.execute(FIND, _place(tx, partner, type, id)).one_or_none()
    return None if row is None else _version(tx, row.key, version)


def history(tx: Tx, partner: str, type: str, id: str) -> list[Received]:
    """Every version, the latest first."""
    row = tx.connection.execute(FIND, _place(tx, partner, type, id)).one_or_none()
    if row is None:
        return []
    return [_received(tx, found) for found in tx.connection.execute(HISTORY, {"of_key": row.key})]


def search(
    tx: Tx,
    partner: str,
    type: str,
    criteria: Criteria,
    *,
    limit: int,
    after: str | None = None,
    also: str = "",
) -> list[Received]:
    """Up to `limit` resources that meet every criterion by any of its values, as created, behind the id `after`.

    A criterion's parameter is one of those given as `indexed`, or `_id`. Deleted resources are never found. `also`: a
    second world in which is searched.
    """
    worlds = [partner, also] if also else [partner]
    statement = CURRENT.where(_meets(tx, worlds, type, criteria)).order_by(_r.position).limit(limit)
    if after is not None:
        places = [tx.connection.scalar(POSITION, _place(tx, world, type, after)) for world in worlds]
        statement = statement.where(_r.position > max((place for place in places if place), default=0))
    return [_received(tx, row) for row in tx.connection.execute(statement)]


def referring(tx: Tx, partner: str, types: Iterable[str], names: Iterable[str], *, limit: int) -> list[Received]:
    """Up to `limit` resources of these types that refer to any of these `Type/id`, as created."""
    targets = list(names)
    terms = [_term(tx, partner, type_, REFERS, name) for type_ in types for name in targets]
    found: dict[str, Received] = {}
    for start in range(0, len(terms), _TERMS):
        there = _r.key.in_(sa.select(_t.key).where(_t.term_index.in_(terms[start : start + _TERMS])))
        statement = OF_PARTNER.where(_r.deleted.is_(False), there).order_by(_r.position).limit(limit)
        rows = tx.connection.execute(statement, {"of_partner": partner})
        found |= {row.key: _received(tx, row) for row in rows if row.key not in found}
    return list(found.values())[:limit]


def count(tx: Tx, partner: str, type: str, criteria: Criteria = (), *, also: str = "") -> int:
    """How many `search` would find without a limit."""
    worlds = [partner, also] if also else [partner]
    statement = sa.select(sa.func.count()).select_from(resources).where(_meets(tx, worlds, type, criteria))
    return tx.connection.execute(statement).scalar_one()


def latest(tx: Tx, partner: str, *, limit: int = 50) -> list[Received]:
    """What the partner wrote or deleted last, of any type, the latest first."""
    rows = tx.connection.execute(LATEST, {"of_partner": partner, "limit": limit})
    return [_received(tx, row) for row in rows]


def every(tx: Tx, partner: str, *, after: int, limit: int) -> list[tuple[int, Received]]:
    """Up to `limit` resources of a world that are there, each with its position, behind a position."""
    statement = (
        sa.select(_r.partner, _r.type, _r.position, resource_versions)
        .join(resources, _r.key == _v.key)
        .where(_v.version == _r.version, _r.partner == partner, _r.deleted.is_(False), _r.position > after)
        .order_by(_r.position)
        .limit(limit)
    )
    return [(row.position, _received(tx, row)) for row in tx.connection.execute(statement)]


def find_by(tx: Tx, kept: Received, param: str, value: str) -> None:
    """Let a resource that stands there be found by this term too."""
    row = _find(tx, kept.partner, kept.type, kept.id)
    if row is not None:
        values = {"key": row.key, "term_index": _term(tx, kept.partner, kept.type, param, value)}
        tx.connection.execute(tx.insert_absent(resource_terms), values)


def _new_row(tx: Tx, partner: str, kind: str, name: str, now: datetime) -> sa.Row[Any] | None:
    """A row for a resource that there is none of yet; None if someone else has one of that id."""
    values = {
        "key": secrets.token_hex(16),
        "partner": partner,
        "type": kind,
        "id_index": _place(tx, partner, kind, name)["index"],
        "version": 0,
        "updated": now,
        "deleted": False,
    }
    return tx.connection.execute(tx.insert_absent(resources).returning(resources), values).one_or_none()


def _find(tx: Tx, partner: str, kind: str, name: str) -> sa.Row[Any] | None:
    return tx.connection.execute(FIND_LOCKED, _place(tx, partner, kind, name)).one_or_none()


def _keep(
    tx: Tx,
    row: sa.Row[Any],
    name: str,
    number: int,
    body: dict[str, Any] | None,
    *,
    now: datetime,
    indexed: Indexed,
    sent: bytes | None,
) -> Received:
    """Write version `number` of the resource in `row`, and what it is found by; deleted where there is no body."""
    tx.connection.execute(FORGET_TERMS, {"of_key": row.key})
    if body is not None and (terms := _terms_of(tx, row, indexed)):
        tx.connection.execute(KEEP_TERMS, [{"key": row.key, "term_index": term} for term in terms])
    return _next(tx, row, name, number, body, now=now, sent=sent)


def _next(
    tx: Tx, row: sa.Row[Any], name: str, number: int, body: dict[str, Any] | None, *, now: datetime, sent: bytes | None
) -> Received:
    gone, kept = body is None, body or {}
    digest = hashlib.sha256(canonical(kept) if sent is None else sent).hexdigest()
    # Of what is gone a partner is told by what it was.
    before = _version(tx, row.key, row.version) if gone else None
    body_shown = {**(before.body if before is not None else kept), "resourceType": row.type}
    subscriptions.happened(tx, row.partner, row.type, name, lambda: index(body_shown, base=""), now=now)
    change = {"of_key": row.key, "new_version": number, "now": now, "gone": gone}
    tx.connection.execute(NEXT_VERSION, change)
    sealed = _closed(tx, row.key, number, digest, name, kept)
    values = {"key": row.key, "version": number, "updated": now, "deleted": gone, "sealed": sealed}
    tx.connection.execute(KEEP_VERSION, values)
    return Received(row.partner, row.type, name, number, now, gone, kept, digest)


def _closed(tx: Tx, key: str, number: int, digest: str, name: str, body: dict[str, Any]) -> bytes:
    content = bytes.fromhex(digest) + dump({"id": name, "body": body})
    return tx.seal.close(content, table="resource_versions", column="sealed", row=f"{key}/{number}")


def _terms_of(tx: Tx, row: sa.Row[Any], indexed: Indexed) -> list[bytes]:
    pairs = {(param, value) for param, values in indexed.items() for value in values}
    return sorted(_term(tx, row.partner, row.type, param, value) for param, value in pairs)


def _meets(tx: Tx, worlds: Sequence[str], kind: str, criteria: Criteria) -> sa.ColumnElement[bool]:
    """Of this type, in one of the worlds, and found there by every criterion: terms differ from world to world."""
    there = [sa.and_(_r.partner == world, *_terms(tx, world, kind, criteria)) for world in worlds]
    return sa.and_(_r.type == kind, _r.deleted.is_(False), sa.or_(*there))


def _terms(tx: Tx, partner: str, kind: str, criteria: Criteria) -> Iterable[sa.ColumnElement[bool]]:
    for param, values in criteria:
        if param == "_id":
            yield _r.id_index.in_([_place(tx, partner, kind, value)["index"] for value in values])
        else:
            wanted = [_term(tx, partner, kind, param, value) for value in values]
            yield _r.key.in_(sa.select(_t.key).where(_t.term_index.in_(wanted)))


def _term(tx: Tx, partner: str, kind: str, param: str, value: str) -> bytes:
    return tx.seal.index(f"resource_terms {partner} {kind} {param}", value)


def _place(tx: Tx, partner: str, kind: str, name: str) -> dict[str, Any]:
    return {"of_partner": partner, "of_type": kind, "index": tx.seal.index(f"resources.id {partner} {kind}", name)}


def _version(tx: Tx, key: str, number: int) -> Received | None:
    row = tx.connection.execute(VERSION, {"of_key": key, "of_version": number}).one_or_none()
    return None if row is None else _received(tx, row)


def _received(tx: Tx, row: sa.Row[Any]) -> Received:
    content = tx.seal.open(row.sealed, table="resource_versions", column="sealed", row=f"{row.key}/{row.version}")
    told = load(content[_HASH:])
    digest = content[:_HASH].hex()
    return Received(row.partner, row.type, told["id"], row.version, row.updated, row.deleted, told["body"], digest)
