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
from adapter.core.diff import Holding, Made, content
from adapter.core.document import pieces_of
from adapter.core.fhir.named import named_by
from adapter.core.identity import Identity, Key
from adapter.core.partner import Release

PURGE = "withdrawal"
"""The path under which the request to purge stands among a share's holdings; no record has it."""

_CONSENT: Mapping[Release, Mapping[str, Any]] = {
    "R4": {
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
    },
    "R5": {"category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}]},
}
"""What a release requires of a Consent besides its status, or what it must be told by; it says nothing of the case."""

_WORDS = "No longer shared"
_GONE = {"text": _WORDS}
_AGENCY = {"display": "The coordinating agency"}
_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_NOT_SAID = {"extension": [{"url": _ABSENT, "valueCode": "masked"}]}
"""In place of a time that FHIR requires."""
_CHILD: dict[str, Any] = {}
"""Stands in a stub where the Patient is named."""
_STUBS_R4: Mapping[str, Mapping[str, Any]] = {
    "Patient": {"active": False},
    "RelatedPerson": {"active": False, "patient": _CHILD},
    "Binary": {"contentType": "text/plain"},
    "Condition": {
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "inactive"}]
        },
        "subject": _CHILD,
    },
    "Observation": {"status": "cancelled", "code": _GONE, "subject": _CHILD},
    "DocumentReference": {"status": "superseded", "subject": _CHILD, "content": [{"attachment": {"title": _WORDS}}]},
    "CareTeam": {"status": "inactive", "subject": _CHILD},
    "EpisodeOfCare": {"status": "cancelled", "patient": _CHILD},
    "Goal": {"lifecycleStatus": "cancelled", "description": _GONE, "subject": _CHILD},
    "ServiceRequest": {"status": "revoked", "intent": "order", "subject": _CHILD},
    "Task": {"status": "cancelled", "intent": "order", "for": _CHILD},
    "CarePlan": {"status": "revoked", "intent": "plan", "subject": _CHILD},
    "RiskAssessment": {"status": "cancelled", "subject": _CHILD},
    "Encounter": {
        "status": "cancelled",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "MSK"},
        "subject": _CHILD,
    },
    "Appointment": {"status": "cancelled", "participant": [{"actor": _CHILD, "status": "needs-action"}]},
    "Composition": {
        "status": "amended",
        "type": _GONE,
        "subject": _CHILD,
        "_date": _NOT_SAID,
        "author": [_AGENCY],
        "title": _WORDS,
    },
    "Provenance": {"target": [_CHILD], "_recorded": _NOT_SAID, "agent": [{"who": _AGENCY}]},
}
"""Type → a status that is true (`entered-in-error` would be a lie: it was none), and what else FHIR requires."""
_STUBS: Mapping[Release, Mapping[str, Mapping[str, Any]]] = {
    "R4": _STUBS_R4,
    "R5": {
        **_STUBS_R4,
        "Encounter": {"status": "cancelled", "subject": _CHILD},
        "Composition": {**_STUBS_R4["Composition"], "status": "deprecated", "subject": [_CHILD]},
    },
}


@dataclass(frozen=True, slots=True)
class Residue:
    """`stubs`: nothing is deleted at the partner, so that what is taken back is emptied instead."""

    identity: Identity
    number: str
    release: Release = "R4"
    stubs: bool = False

    def beside(self, made: Sequence[Made], holdings: Sequence[Holding], frozen: Collection[str]) -> list[Made]:
        """`made` with the residue of what `holdings` has more; `frozen` stays as it is."""
        wanted = {m.urn for m in made}
        more = [h for h in holdings if h.urn not in wanted and h.about != PURGE and h.urn not in frozen]
        closing = [self._inactive(h) for h in holdings if _is_own_consent(h) and h.urn not in wanted]
        gone = [h for h in more if not h.directory and h.ours and not _is_own_consent(h)]
        stubs = [stub for h in gone if (stub := self.stub(h)) and (self.stubs or h.hash == content(stub))]
        pieces = pieces_of(self.identity, self.number)
        ended = [h for h in gone if not _took_place(h, made) and not _still_told(h, made, pieces)]
        return [*made, *closing, *stubs, *self._purge(ended, holdings)]

    def is_over(self, held: Holding) -> bool:
        """Is this, as it was last sent, the request to purge with nothing in it that is to be purged any more?"""
        return [held.hash] == [content(made) for made in self._purge((), [held])]

    def _inactive(self, held: Holding) -> Made:
        """Set to inactive, never deleted; then it holds id and status only, its subject by identifier."""
        resource = {
            "resourceType": "Consent",
            **named_by("Consent", held.identifier, self.release),
            "status": "inactive",
            "subject" if self.release == "R5" else "patient": self._patient(),
            **_CONSENT[self.release],
        }
        return Made(held.urn, "Consent", held.identifier, resource, about=held.about)

    def stub(self, held: Holding) -> Made | None:
        """What takes the place of what is taken back where it is not deleted; None where there is nothing to empty, or
        its type has none. Once it stands there it stays: its server has refused to delete it."""
        if held.state == "withdrawn" or held.directory or held.type not in _STUBS[self.release]:
            return None
        resource = {
            "resourceType": held.type,
            **named_by(held.type, held.identifier, self.release),
            **_about(_STUBS[self.release][held.type], self._patient()),
        }
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
            **named_by("Task", identifier, self.release),
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


def _about(content: Any, child: Mapping[str, Any]) -> Any:
    """A stub with the Patient where it is to be named."""
    if content is _CHILD:
        return dict(child)
    if isinstance(content, Mapping):
        return {name: _about(each, child) for name, each in content.items()}
    return [_about(each, child) for each in content] if isinstance(content, list) else content


def _took_place(held: Holding, made: Iterable[Made]) -> bool:
    """Was this the plan of a contact that has been held since, and may be seen as before? Nothing then ended."""
    return held.type == "Appointment" and any(
        m.type == "Encounter"
        and m.about == held.about
        and {*held.parts} <= {*m.parts}
        and {*held.topics} <= {*m.topics}
        for m in made
    )


def _still_told(held: Holding, made: Sequence[Made], pieces: Collection[str]) -> bool:
    """Is what it told told in the document now, or what was in the document by itself? Then no permission ended."""
    paths = {*held.about.split()}
    telling = [m for m in made if not paths.isdisjoint(m.about.split())]
    if held.urn not in pieces and not any(m.urn in pieces for m in telling):
        return False
    told = ({path for m in telling for path in m.about.split()}, {x for m in telling for x in (*m.parts, *m.topics)})
    return paths <= told[0] and {*held.parts, *held.topics} <= told[1]


def _identifier(identifier: tuple[str, str]) -> dict[str, str]:
    system, value = identifier
    return {"system": system, "value": value}
