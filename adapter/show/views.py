"""What a partner may see of a case: as records, as FHIR, or explained; stored or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.consent.explain import explain
from adapter.core.consent.summary import by_part
from adapter.core.desired import Bench, Desired, Subject, desire, rules_of
from adapter.core.diff import ORDER, Create, changes
from adapter.core.fhir.abilities import not_taken
from adapter.core.fhir.bundle import transaction
from adapter.core.partner import Release
from adapter.desk import Desk, Preview
from adapter.errors import Malformed, Problem, Refused
from adapter.show.found import known_partner, stored_case
from adapter.store import abilities

FORMS = ("records", "fhir", "explain")


def view_of(desk: Desk, number: str, partner: str, *, form: str, at: datetime | None) -> dict[str, Any]:
    """What this partner may see of a stored case, as records, as FHIR or explained, now or `at` another time."""
    known_partner(desk, partner)
    with desk.store.reading() as tx:
        stored = stored_case(tx, number)
    return _shown(desk, Subject.of(stored.number, stored.body, stored.kept), partner, form, at or desk.clock())


def preview(desk: Desk | Preview, body: bytes, *, form: str, at: datetime | None) -> dict[str, Any]:
    """The same for a case that is not stored: `{"case": {…}, "partner": "id"}`. Refused as a put would refuse it."""
    asked = strict_json.parse(body)
    if not isinstance(asked, dict) or not isinstance(asked.get("partner"), str) or "case" not in asked:
        raise Malformed('A preview needs a JSON object with "case" and "partner".')
    case, partner = asked["case"], asked["partner"]
    if found := check(case, desk.catalogue.schemas):
        moved = [Problem(f"/case{p.pointer}", p.detail) for p in found]
        raise Refused(f"The case file breaks {len(found)} rules.", moved)
    known_partner(desk, partner)
    return _shown(desk, Subject(case["case"], case, {}), partner, form, at or desk.clock())


def bundle(
    desk: Desk | Preview, body: bytes, partner: str, at: datetime | None, *, release: Release | None = None
) -> bytes:
    """The transaction Bundle for a partner that holds nothing yet; an empty one where nothing may be shared.

    `release`: as if the partner spoke this one, whatever its file says.
    """
    case = strict_json.parse(body)
    if found := check(case, desk.catalogue.schemas):
        raise Refused(f"The case file breaks {len(found)} rules.", found)
    known_partner(desk, partner)
    bench = _speaking(desk.bench, partner, release) if release else desk.bench
    left_out = _not_taken(desk, partner)
    desired = desire(bench, Subject(case["case"], case, {}), partner, at or desk.clock(), not_taken=left_out)
    return strict_json.dump(_bundle(desired))


def _speaking(bench: Bench, partner: str, release: Release) -> Bench:
    partners = bench.rulebook.partners
    other = {**partners, partner: replace(partners[partner], release=release)}
    return replace(bench, rulebook=replace(bench.rulebook, partners=other))


def _shown(desk: Desk | Preview, subject: Subject, partner: str, form: str, at: datetime) -> dict[str, Any]:
    desired = desire(desk.bench, subject, partner, at, not_taken=_not_taken(desk, partner))
    match form:
        case "records":
            return desired.view.case
        case "fhir":
            return _bundle(desired)
        case "explain":
            rules = rules_of(desk.bench, subject)
            told = explain(subject.case, rules, partner, at, desired.view)
            parts = by_part(subject.case, desk.bench.rulebook, told)
            found = [*desired.wrong, *desired.findings, *_left_out(desired)]
            return {**told, "parts": parts, "warnings": _warnings(found)}
    raise Malformed(f"A view comes as one of: {', '.join(FORMS)}.")


def _bundle(desired: Desired) -> dict[str, Any]:
    if desired.wrong:
        raise Refused("The mapped resources break rules; nothing of them would be sent.", desired.wrong)
    writes = [c for c in changes(desired.made, ()) if isinstance(c, Create)]
    return transaction(writes, {}) if writes else {"resourceType": "Bundle", "type": "transaction"}


def _not_taken(desk: Desk | Preview, partner: str) -> frozenset[str]:
    """The types that are not sent, as its file says and as is known of its server."""
    file, told = desk.catalogue.partners[partner], None
    if isinstance(desk, Desk):
        with desk.store.reading() as tx:
            known = abilities.known(tx, file)
        told = known.told if known else None
    return not_taken(file, told, ORDER)


def _left_out(desired: Desired) -> list[Problem]:
    return [
        Problem("", f"{type_} is not sent: the partner's server does not take it, or not what it refers to.")
        for type_ in desired.left_out
    ]


def _warnings(found: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"pointer": p.pointer, "detail": p.detail} for p in found]
