"""The case system puts, reads and deletes cases and records: accepted whole or refused whole; what follows is due."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.keeping import carry_over_deletion
from adapter.core.referral.kept import with_outcomes
from adapter.core.schema import SINGULAR, Schemas
from adapter.desk import Desk
from adapter.errors import Malformed, NotFound, Problem, Refused
from adapter.saving import Kept, expect, known_by, refuse, save, told
from adapter.store import cases, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx


def problems(body: bytes, schemas: Schemas) -> list[Problem]:
    """Everything that is wrong with a case file. Malformed or TooLarge where it is no JSON of ours at all."""
    return check(strict_json.parse(body), schemas)


def put_case(desk: Desk, number: str, body: bytes, *, version: int | None = None, source: str = "") -> Kept:
    """Save a whole case file and make its shares due, in one transaction. Refused, with every problem: nothing saved.

    The same case again changes nothing and makes nothing due. `version`: only where that is the one now (If-Match).
    `source`: the source system that puts it, as its token says.
    """
    case = strict_json.parse(body)
    found = check(case, desk.catalogue.schemas)
    if isinstance(case, dict) and isinstance(case.get("case"), str) and case["case"] != number:
        found.append(Problem("/case", "must be the case that the address names"))
    refuse(found)
    with desk.store.writing() as tx:
        kept, saved = save(desk, tx, number, case, version=version, source=source)
    return told(desk, kept, saved)


def get_case(desk: Desk, number: str) -> tuple[dict[str, Any], int]:
    """The case file, with what receivers answered to its referrals, and its version."""
    with desk.store.reading() as tx:
        stored = _stored(tx, number)
    return with_outcomes(stored.body, stored.kept, words=True), stored.version


def delete_case(desk: Desk, number: str, *, version: int | None = None) -> Kept:
    """Delete a case; its shares are due, so that each partner's copy is taken back."""
    now = desk.clock()
    with desk.store.writing() as tx:
        before = _stored(tx, number)
        expect(before, version)
        # What is kept stays: the tombstone of a denied record must outlive a delete and a put of the same case.
        stored = cases.delete(tx, number, carry_over_deletion(before.body, before.kept, now), now=now)
        if stored is None:
            raise NotFound("There is no such case.")
        known_by(desk, tx, stored)
        shares.mark_due(tx, case_id=stored.id, now=now)
        due = tuple(sorted(share.partner for share in shares.of_case(tx, stored.id)))
    return told(desk, Kept(stored.version, True, due))


def listed(desk: Desk, *, after: str | None, limit: int) -> list[dict[str, Any]]:
    """The cases, a page at a time: those behind the case `after`, in the order first saved."""
    with desk.store.reading() as tx:
        behind = cases.get(tx, after) if after else None
        if after and behind is None:
            raise NotFound("There is no such case.")
        return [
            {"case": s.number, "version": s.version, "saved_at": s.saved_at.isoformat(), "deleted": s.deleted}
            for s in cases.listed(tx, after=behind.id if behind else None, limit=limit)
        ]


def get_record(desk: Desk, number: str, collection: str, record: str) -> tuple[dict[str, Any], int]:
    """One record of a case, and the version of the case."""
    body, version = get_case(desk, number)
    _known(desk, collection, record)
    found = body.get(collection) if collection in SINGULAR else _in(body, collection, record)
    if found is None:
        raise NotFound("There is no such record.")
    return found, version


def put_record(
    desk: Desk,
    number: str,
    collection: str,
    record: str,
    body: bytes,
    *,
    version: int | None = None,
    source: str = "",
) -> Kept:
    """Save one record of a case: the case with it is checked as a whole."""
    value = strict_json.parse(body)
    _known(desk, collection, record)
    if not isinstance(value, dict):
        raise Malformed("A record is a JSON object.")
    if collection not in SINGULAR and value.get("id") != record:
        raise Refused("The record breaks rules.", [Problem("/id", "must be the id that the address names")])
    with desk.store.writing() as tx:
        case = _stored(tx, number).body
        if collection in SINGULAR:
            changed, prefix = {**case, collection: value}, f"/{collection}"
        else:
            others = case.get(collection, [])
            place = next((i for i, r in enumerate(others) if r["id"] == record), len(others))
            changed = {**case, collection: [*others[:place], value, *others[place + 1 :]]}
            prefix = f"/{collection}/{place}"
        found = check(changed, desk.catalogue.schemas)
        # Pointers are into what was sent; what then breaks elsewhere in the case keeps its place in the case.
        refuse([Problem(p.pointer.removeprefix(prefix), p.detail) if p.pointer.startswith(f"{prefix}/") else p
                 for p in found])  # fmt: skip
        kept, saved = save(desk, tx, number, changed, version=version, source=source)
    return told(desk, kept, saved)


def delete_record(desk: Desk, number: str, collection: str, record: str, *, version: int | None = None) -> Kept:
    """Delete one record. Refused while another record refers to it: the problems name where."""
    _known(desk, collection, record)
    with desk.store.writing() as tx:
        case = _stored(tx, number).body
        there = collection in case if collection in SINGULAR else _in(case, collection, record) is not None
        if not there:
            raise NotFound("There is no such record.")
        if collection in SINGULAR:
            changed = {name: value for name, value in case.items() if name != collection}
        else:
            changed = {**case, collection: [r for r in case[collection] if r["id"] != record]}
        refuse(check(changed, desk.catalogue.schemas))
        kept, saved = save(desk, tx, number, changed, version=version)
    return told(desk, kept, saved)


def _stored(tx: Tx, number: str) -> StoredCase:
    stored = cases.get(tx, number)
    if stored is None or stored.deleted:
        raise NotFound("There is no such case.")
    return stored


def _in(case: Mapping[str, Any], collection: str, record: str) -> dict[str, Any] | None:
    return next((r for r in case.get(collection, ()) if r["id"] == record), None)


def _known(desk: Desk, collection: str, record: str) -> None:
    """`child` and `enrolment` have no id; every other record has one."""
    if collection not in desk.catalogue.schemas.collections or (collection in SINGULAR) == bool(record):
        raise NotFound("There is no such record.")
