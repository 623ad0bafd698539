"""The case system puts, reads and deletes cases and records: accepted whole or refused whole; what follows is due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter import answering
from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.consent.explain import ALARMS, REASONS
from adapter.core.consent.review import intake, pointer, still_reviewed, waiting
from adapter.core.consent.rules import compile_rules
from adapter.core.desired import Subject, rules_of
from adapter.core.keeping import carry, carry_over_deletion, rulebook_for
from adapter.core.programs import due
from adapter.core.referral.inward import lags
from adapter.core.referral.kept import with_outcomes, without_echo
from adapter.core.schema import SINGULAR, Schemas
from adapter.desk import Desk
from adapter.errors import Malformed, NotFound, PreconditionFailed, Problem, Refused
from adapter.store import cases, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a put or a delete: the version now, whether anything changed, the partners whose share is due."""

    version: int
    changed: bool
    due: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()


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
    _refuse(found)
    with desk.store.writing() as tx:
        kept, saved = _save(desk, tx, number, case, version=version, source=source)
    return _told(desk, kept, saved)


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
        _expect(before, version)
        # What is kept stays: the tombstone of a denied record must outlive a delete and a put of the same case.
        stored = cases.delete(tx, number, carry_over_deletion(before.body, before.kept, now), now=now)
        if stored is None:
            raise NotFound("There is no such case.")
        shares.mark_due(tx, case_id=stored.id, now=now)
        due = tuple(sorted(share.partner for share in shares.of_case(tx, stored.id)))
    return _told(desk, Kept(stored.version, True, due))


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
        _refuse([Problem(p.pointer.removeprefix(prefix), p.detail) if p.pointer.startswith(f"{prefix}/") else p
                 for p in found])  # fmt: skip
        kept, saved = _save(desk, tx, number, changed, version=version, source=source)
    return _told(desk, kept, saved)


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
        _refuse(check(changed, desk.catalogue.schemas))
        kept, saved = _save(desk, tx, number, changed, version=version)
    return _told(desk, kept, saved)


def _save(
    desk: Desk, tx: Tx, number: str, case: dict[str, Any], *, version: int | None, source: str = ""
) -> tuple[Kept, Subject]:
    """What became of it, and the case as it now stands."""
    now = desk.clock()
    before = cases.get(tx, number)
    if before is not None:
        case = without_echo(case, before.kept)
    if before is None or before.deleted:
        if version is not None:
            raise PreconditionFailed("If-Match names a version of a case that is not there.")
        kept = carry({}, before.kept if before else {}, case, now, source=source)
    else:
        _expect(before, version)
        kept = carry(before.body, before.kept, case, now, source=source)
        kept = still_reviewed(kept, before.body, case, desk.catalogue.schemas)
    stored, changed = cases.put(tx, number, case, kept, now=now)
    # A partner that was added since is due also where the case stays as it is: it has never received anything of it.
    known = set() if changed else {share.partner for share in shares.of_case(tx, stored.id)}
    due = tuple(sorted(desk.catalogue.partners.keys() - known))
    shares.ensure(tx, stored.id, desk.catalogue.partners, now=now)
    if changed:
        shares.mark_due(tx, case_id=stored.id, now=now)
    else:
        for partner in due:
            shares.mark_due(tx, case_id=stored.id, partner=partner, now=now)
    told = Kept(stored.version, changed, due, warnings(desk, case, kept, now))
    return told, Subject.of(number, case, kept)


def _told(desk: Desk, kept: Kept, saved: Subject | None = None) -> Kept:
    """Wakes the worker once all is committed: before that it would find nothing due. What the program asks for is
    worked out only then, too: a large case holds up nobody else's save."""
    if kept.due:
        desk.wake.set()
    if saved is not None and "arrived" in saved.kept:
        answering.bring_all(desk, saved.number)
    return kept if saved is None else replace(kept, warnings=(*kept.warnings, *_asked(desk, saved)))


def _asked(desk: Desk, saved: Subject) -> Iterator[Problem]:
    """What the program asks for: its rule and in its words, the most urgent first; never a day that a record holds."""
    program = desk.catalogue.programs[saved.case["program"]]
    for finding in due(saved.case, program, desk.clock(), desk.settings.time_zone):
        words = f"{finding.kind.capitalize()}: {finding.sentence['en']} ({finding.program}, {finding.rule})"
        yield Problem(pointer(saved.case, finding.path), words)


def warnings(desk: Desk, case: Mapping[str, Any], kept: Mapping[str, Any], now: datetime) -> tuple[Problem, ...]:
    """What was accepted but does not do what its author may think: consents that permit nothing, alarms, and what
    waits for a person."""
    rules = compile_rules(case, rulebook_for(desk.bench.rulebook, kept), kept)
    place = {f"consents/{c['id']}": f"/consents/{i}" for i, c in enumerate(case.get("consents", ()))}
    found = [Problem(place.get(a.path, f"/{a.path}"), ALARMS[a.code]) for a in rules.alarms(now)]
    for terms in rules.consents:
        whys = rules.why_it_permits_nothing(terms, now)
        found += [Problem(place[terms.path], f"This consent permits nothing now. {REASONS[why]}") for why in whys]
        found += [Problem(place[terms.path], f"This consent cannot be computed: {fault}.") for fault in terms.faults]
    whole = Subject.of(case["case"], case, kept)
    found += _enrolments(case, kept)
    found += intake(case, waiting(whole.case, kept, rules_of(desk.bench, whole), now))
    return tuple(sorted(set(found)))


def _enrolments(case: Mapping[str, Any], kept: Mapping[str, Any]) -> list[Problem]:
    """Where the answer to a referral into coordination and the enrolment do not go together; neither is changed."""
    status, given = case.get("enrolment", {}).get("status", ""), kept.get("answers", {})
    lagging = {lags(r, given.get(f"referrals/{r['id']}"), status) for r in case.get("referrals", ())}
    return [Problem("/enrolment/status", sentence) for sentence in lagging - {""}]


def _stored(tx: Tx, number: str) -> StoredCase:
    stored = cases.get(tx, number)
    if stored is None or stored.deleted:
        raise NotFound("There is no such case.")
    return stored


def _expect(stored: StoredCase, version: int | None) -> None:
    if version is not None and version != stored.version:
        raise PreconditionFailed("The case has another version now: read it again.")


def _in(case: Mapping[str, Any], collection: str, record: str) -> dict[str, Any] | None:
    return next((r for r in case.get(collection, ()) if r["id"] == record), None)


def _known(desk: Desk, collection: str, record: str) -> None:
    """`child` and `enrolment` have no id; every other record has one."""
    if collection not in desk.catalogue.schemas.collections or (collection in SINGULAR) == bool(record):
        raise NotFound("There is no such record.")


def _refuse(found: list[Problem]) -> None:
    if found:
        raise Refused(f"The case file breaks {len(found)} rules; nothing was saved.", sorted(set(found)))
