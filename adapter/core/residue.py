"""What stays at a partner of what is no longer permitted: the inactive Consent, stubs, and the request to purge.

desired = map(view) ∪ residue(holdings) (exchange.md, *Identity*; consent.md, *When permission ends*). The residue says
nothing of the case: it is made of what the partner's holding tells (type and identifier), and names the Patient by
identifier only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.core.consent.view import OWN
from adapter.core.diff import Holding, Made
from adapter.core.identity import Identity, Key

PURGE = "withdrawal"
"""The path under which the request to purge stands among a share's holdings; no record has it."""

_CONSENT: Mapping[str, Any] = {
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
}
"""What R4 requires of a Consent besides its status; it says nothing of the case."""

_GONE = {"text": "No longer shared"}
_STUBS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Patient": ("", {"active": False}),
    "RelatedPerson": ("patient", {"active": False}),
    "Condition": (
        "subject",
        {
            "clinicalStatus": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "inactive"}]
            }
        },
    ),
    "Observation": ("subject", {"status": "cancelled", "code": _GONE}),
    "CareTeam": ("subject", {"status": "inactive"}),
    "EpisodeOfCare": ("patient", {"status": "cancelled"}),
    "Goal": ("subject", {"lifecycleStatus": "cancelled", "description": _GONE}),
    "ServiceRequest": ("subject", {"status": "revoked", "intent": "order"}),
    "Task": ("for", {"status": "cancelled", "intent": "order"}),
    "CarePlan": ("subject", {"status": "revoked", "intent": "plan"}),
    "RiskAssessment": ("subject", {"status": "cancelled"}),
}
"""Type → where it names the Patient, and a status that is true (`entered-in-error` would be a lie: it was none)."""


@dataclass(frozen=True, slots=True)
class Residue:
    """`stubs`: the partner's server refuses to delete, so that what is taken back is emptied instead."""

    identity: Identity
    number: str
    stubs: bool = False

    def beside(self, made: Sequence[Made], holdings: Sequence[Holding], frozen: Collection[str]) -> list[Made]:
        """`made` with the residue of what `holdings` has more; `frozen` stays as it is."""
        wanted = {m.urn for m in made}
        more = [h for h in holdings if h.urn not in wanted and h.about != PURGE and h.urn not in frozen]
        closing = [self._inactive(h) for h in holdings if _is_own_consent(h) and h.urn not in wanted]
        gone = [h for h in more if not h.directory and h.ours and not _is_own_consent(h)]
        stubs = [self._stub(h) for h in gone if self.stubs and h.state != "withdrawn" and h.type in _STUBS]
        return [*made, *closing, *stubs, *self._purge(gone, holdings)]

    def _inactive(self, held: Holding) -> Made:
        """Set to inactive, never deleted; then it holds id and status only, its subject by identifier."""
        resource = {
            "resourceType": "Consent",
            "identifier": [_identifier(held.identifier)],
            "status": "inactive",
            "patient": self._patient(),
            **_CONSENT,
        }
        return Made(held.urn, "Consent", held.identifier, resource, about=held.about)

    def _stub(self, held: Holding) -> Made:
        subject, content = _STUBS[held.type]
        resource = {"resourceType": held.type, "identifier": [_identifier(held.identifier)], **content}
        if subject:
            resource[subject] = self._patient()
        return Made(held.urn, held.type, held.identifier, resource, about=held.about)

    def _purge(self, gone: Iterable[Holding], holdings: Sequence[Holding]) -> list[Made]:
        """One Task that asks the partner to purge what was taken back, by the identifiers that it knows it under."""
        listed = sorted(gone, key=lambda h: (h.type, h.identifier))
        key = Key(self.number, PURGE, "Task")
        urn, identifier = self.identity.urn(key), self.identity.identifier(key)
        if not listed and not any(h.urn == urn and h.state != "withdrawn" for h in holdings):
            return []
        resource: dict[str, Any] = {
            "resourceType": "Task",
            "identifier": [_identifier(identifier)],
            "status": "requested" if listed else "cancelled",
            "intent": "order",
            "code": {"text": "Purge what is no longer permitted"},
            "description": "Permission for these has ended. Please remove every copy, and answer on this task.",
            "for": self._patient(),
        }
        if listed:
            resource["input"] = [
                {
                    "type": {"text": "Resource to purge"},
                    "valueReference": {"type": held.type, "identifier": _identifier(held.identifier)},
                }
                for held in listed
            ]
        return [Made(urn, "Task", identifier, resource, about=PURGE)]

    def _patient(self) -> dict[str, Any]:
        own = self.identity.identifier(Key(self.number, "child", "Patient"))
        return {"type": "Patient", "identifier": _identifier(own)}


def _is_own_consent(held: Holding) -> bool:
    return held.about == OWN and held.type == "Consent" and held.state != "withdrawn"


def _identifier(identifier: tuple[str, str]) -> dict[str, str]:
    system, value = identifier
    return {"system": system, "value": value}
