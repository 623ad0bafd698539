"""Saves a case file that a verb has made, and says what follows: shares that are due, and what people should see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from adapter import answering
from adapter.core.consent.explain import ALARMS, REASONS
from adapter.core.consent.review import intake, pointer, still_reviewed, waiting
from adapter.core.consent.rules import alarms_of, compile_rules, why_it_permits_nothing
from adapter.core.desired import Subject, rules_of
from adapter.core.inbox import names
from adapter.core.keeping import carry, rulebook_for
from adapter.core.programs import due
from adapter.core.referral.inward import lags
from adapter.core.referral.kept import without_echo
from adapter.desk import Desk
from adapter.errors import PreconditionFailed, Problem, Refused
from adapter.store import cases, inbox, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a put or a delete: the version now, whether anything changed, the partners whose share is due."""

    version: int
    changed: bool
    due: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()


def save(
    desk: Desk,
    tx: Tx,
    number: str,
    case: dict[str, Any],
    *,
    version: int | None,
    source: str = "",
    beside: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> tuple[Kept, Subject]:
    """What became of it, and the case as it now stands. The caller has checked it whole.

    `beside` may change what is kept beside the case in the same breath.
    """
    now = desk.clock()
    before = cases.get(tx, number)
    if before is not None:
        case = without_echo(case, before.kept)
    if before is None or before.deleted:
        if version is not None:
            raise PreconditionFailed("If-Match names a version of a case that is not there.")
        kept = carry({}, before.kept if before else {}, case, now, source=source)
    else:
        expect(before, version)
        kept = carry(before.body, before.kept, case, now, source=source)
        kept = still_reviewed(kept, before.body, case, desk.catalogue.schemas)
    kept = beside(kept)
    stored, changed = cases.put(tx, number, case, kept, now=now)
    # A partner that was added since is due also where the case stays as it is: it has never received anything of it.
    known = set() if changed else {share.partner for share in shares.of_case(tx, stored.id)}
    due = tuple(sorted(desk.catalogue.partners.keys() - known))
    shares.ensure(tx, stored.id, desk.catalogue.partners, now=now)
    if changed:
        shares.mark_due(tx, case_id=stored.id, now=now)
        known_by(desk, tx, stored)
    else:
        for partner in due:
            shares.mark_due(tx, case_id=stored.id, partner=partner, now=now)
    became = Kept(stored.version, changed, due, warnings(desk, case, kept, now))
    return became, Subject.of(number, case, kept)


def told(desk: Desk, kept: Kept, saved: Subject | None = None) -> Kept:
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
    found = [Problem(place.get(a.path, f"/{a.path}"), ALARMS[a.code]) for a in alarms_of(rules, now)]
    for terms in rules.consents:
        whys = why_it_permits_nothing(rules, terms, now)
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


def known_by(desk: Desk, tx: Tx, stored: StoredCase) -> None:
    """Keep by which names the child may be known at partners, none of a case that is deleted; and let what partners
    said of it be compared anew."""
    identities = [desk.bench.identity(partner) for partner in desk.catalogue.partners]
    if inbox.name(tx, stored.id, () if stored.deleted else names.of_case(stored.number, stored.body, identities)):
        for partner in desk.catalogue.partners:
            inbox.loosen(tx, partner, now=desk.clock())  # what it sent of no child may name this one
    inbox.again(tx, stored.id)


def expect(stored: StoredCase, version: int | None) -> None:
    """PreconditionFailed: this is another version of the case than the one that If-Match names."""
    if version is not None and version != stored.version:
        raise PreconditionFailed("The case has another version now: read it again.")


def refuse(found: Sequence[Problem]) -> None:
    """Refused, with every problem, where there is one."""
    if found:
        raise Refused(f"The case file breaks {len(found)} rules; nothing was saved.", sorted(set(found)))
