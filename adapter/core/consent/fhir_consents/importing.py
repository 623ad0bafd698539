"""Takes a FHIR Consent over as a consent record (records.md): never more than it permits, never less than it denies.

What our provisions cannot say is lost, and told: a permit that is narrower than words of ours is left out, a denial
is widened. The record is `imported`: it permits nothing until the agency adopts it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any

from adapter.core.consent.fhir_consents.evaluating import is_about_sharing
from adapter.core.consent.fhir_consents.values import Actor, ConsentValue
from adapter.core.consent.fhir_consents.vocabulary import Vocabulary
from adapter.core.consent.fhir_consents.wording import Loss, Receivers, Records, Wording
from adapter.core.partner import Partner

People = Callable[[Actor], str | None]
"""`people/…` or `child`, as the case names who granted; None: not known."""
STATUSES = {
    "active": "active",
    "draft": "draft",
    "proposed": "draft",
    "inactive": "revoked",
    "rejected": "revoked",
    "not-done": "revoked",
    "entered-in-error": "entered-in-error",
}
_MOST_PROVISIONS = 200
_SIGNED = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Imported:
    record: dict[str, Any]
    lost: tuple[Loss, ...]


def to_record(
    value: ConsentValue,
    *,
    id_: str,
    receivers: Receivers,
    people: People,
    records: Records,
    vocabulary: Vocabulary,
    zone: tzinfo,
) -> Imported:
    """`id_`: the id that the record gets in the case. `zone`: the agency's, in which its days begin and end."""
    wording = Wording(receivers, records, vocabulary, zone)
    for fault in value.faults:
        wording.lose(fault.path, f"not computable: {fault.why}; it permits nothing, and denies what it may deny")
    for reading in value.readings:
        wording.lose("Consent", f"read as {reading}")
    root, period = value.root, value.period
    if root.path == "Consent.provision":
        root, period = replace(root, period=None), root.period
    if value.faults:
        period = None  # what cannot be computed has no beginning that a denial would wait for
    provisions = list(wording.provisions(root, computable=not value.faults, within=period))
    if not is_about_sharing(value):
        wording.lose(
            "Consent.scope", "its scope is not privacy: it says nothing about sharing, and nothing is taken over"
        )
        provisions = []
    if not value.verified:
        wording.lose("Consent.verification", "it says of itself that it was not verified: a person must, to adopt it")
    if len(provisions) > _MOST_PROVISIONS:
        wording.lose("Consent.provision", "too many provisions to be held: everything is denied, nothing permitted")
        provisions = [{"id": "p1", "effect": "deny"}]
    record: dict[str, Any] = {
        "id": id_,
        "status": _status(value, wording),
        "granted_by": _grantor(value, people, wording),
        "provisions": provisions,
        "imported": True,
    }
    if _SIGNED.fullmatch(value.date_text) and value.dated is not None:
        record["signed_at"] = value.date_text
    else:
        wording.lose("Consent.dateTime", "when it was signed is not said to the day: it permits nothing until it is")
    wording.lose("Consent", "how it was signed is not said: it permits nothing until a person has said so")
    days = wording.days(period, later_start=False, later_end=False)
    if "start" in days and "end" in days and days["end"] < days["start"]:
        del days["end"]
    if days:
        record["period"] = days
    if "end" not in days:
        wording.lose("Consent.provision.period", "it has no end here: it permits nothing until a person has set one")
    return Imported(record, tuple(sorted(wording.lost)))


def receivers_by_identifier(partners: Mapping[str, Partner]) -> Receivers:
    """Partners by their business identifiers, exact. Anyone else may be a worker of one: it is not known."""

    def find(actor: Actor) -> tuple[str, ...] | None:
        found = tuple(id_ for id_, partner in partners.items() if set(partner.identifiers) & set(actor.identifiers))
        return found or None

    return find


def _status(value: ConsentValue, wording: Wording) -> str:
    found = STATUSES.get(value.status, "active")
    if found == "revoked":
        wording.lose("Consent.status", "it is no longer in force elsewhere: it permits nothing; what it denies stays")
    return found


def _grantor(value: ConsentValue, people: People, wording: Wording) -> str:
    """One person; with none known the child, whom R4 and R5 take to agree where nobody else is named."""
    about = set(value.patients)
    known = ["child" if about & set(g.references) else people(g) for g in value.grantors]
    found = [who for who in known if who is not None]
    if len(set(found)) != 1 or None in known:
        wording.lose(
            "Consent.performer", "who granted it is not one known person: taken as the first known, or the child"
        )
    return found[0] if found else "child"
