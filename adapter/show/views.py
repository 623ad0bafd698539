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
from adapter.core.diff import Create, changes
from adapter.core.fhir.bundle import transaction
from adapter.core.partner import Release
from adapter.desk import Desk, Preview
from adapter.errors import Malformed, Problem, Refused
from adapter.show.found import known_partner, stored_case

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
    desired = desire(bench, Subject(case["case"], case, {}), partner, at or desk.clock())
    return strict_json.dump(_bundle(desired))


def _speaking(bench: Bench, partner: str, release: Release) -> Bench:
    partners = bench.rulebook.partners
    other = {**partners, partner: replace(partners[partner], release=release)}
    return replace(bench, rulebook=replace(bench.rulebook, partners=other))


def _shown(desk: Desk | Preview, subject: Subject, partner: str, form: str, at: datetime) -> dict[str, Any]:
    desired = desire(desk.bench, subject, partner, at)
    match form:
        case "records":
            return desired.view.case
        case "fhir":
            return _bundle(desired)
        case "explain":
            rules = rules_of(desk.bench, subject)
            told = explain(subject.case, rules, partner, at, desired.view)
            parts = by_part(subject.case, desk.bench.rulebook, told)
            return {**told, "parts": parts, "warnings": _warnings([*desired.wrong, *desired.findings])}
    raise Malformed(f"A view comes as one of: {', '.join(FORMS)}.")


def _bundle(desired: Desired) -> dict[str, Any]:
    if desired.wrong:
        raise Refused("The mapped resources break rules; nothing of them would be sent.", desired.wrong)
    writes = [c for c in changes(desired.made, ()) if isinstance(c, Create)]
    return transaction(writes, {}) if writes else {"resourceType": "Bundle", "type": "transaction"}


def _warnings(found: Sequence[Problem]) -> list[dict[str, str]]:
    return [{"pointer": p.pointer, "detail": p.detail} for p in found]
