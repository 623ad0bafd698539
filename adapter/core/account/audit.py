"""The account for systems: one FHIR AuditEvent (R4) for each line (consent.md, *Accounting*).

Results of sending follow IHE BALP's pattern of a privacy disclosure at its source
(https://profiles.ihe.net/ITI/BALP/StructureDefinition-IHE.BasicAudit.PrivacyDisclosure.Source.html): Export, disclose,
agents source, recipient and authorizer, entities patient and data. The pattern requires an address of the recipient:
where none is known (a fax, a partner that is configured no more) its name is not claimed. An attempt, a withdrawal and
a look have the same agents and entities, and types of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from adapter.core.account.chain import LOOK, PURGED, TOLD, Entry, Line
from adapter.core.mapping.codes import ConceptMap, coding
from adapter.core.partner import Partner

DISCLOSURE = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PrivacyDisclosure.Source"
_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_REST = "http://hl7.org/fhir/restful-interaction"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
_TYPES = "http://hl7.org/fhir/resource-types"
_EXPORT = coding(_DCM, "110106", "Export")
_RECORD = coding(_DCM, "110110", "Patient Record")
_DISCLOSE = coding(_LIFECYCLE, "disclose", "Disclose Record Lifecycle Event")
_TRANSMIT = coding(_LIFECYCLE, "transmit", "Transmit Record Lifecycle Event")
_ACCESS = coding(_LIFECYCLE, "access", "Access/View Record Lifecycle Event")
_RECEIVE = coding(_LIFECYCLE, "receive", "Receive/Retain Record Lifecycle Event")
_BY_PERSONS = {LOOK: ("IRCP", "information recipient"), PURGED: ("ENT", "data entry person")}
_SUCCESS, _MINOR, _SERIOUS = "0", "4", "8"


@dataclass(frozen=True, slots=True)
class Scene:
    """What an event tells besides its line. `identifier`: the agency's; `address`: ours, as partners know it;
    `patient`: the child's identifier at a partner, or for "" our own; `authorizers`: `consents/c1@3` → whose word it
    was (their authority, not their name)."""

    agency: str
    identifier: tuple[str, str]
    address: str
    partners: Mapping[str, Partner]
    purposes: ConceptMap
    patient: Callable[[str], tuple[str, str]]
    authorizers: Mapping[str, str]


def event(entry: Entry, scene: Scene) -> dict[str, Any]:
    """The AuditEvent of one line."""
    line = entry.line
    type_, subtypes, action = _what(line)
    agents = [*_ends(line, scene), *_looking(line), *_authorizers(line, scene)]
    made: dict[str, Any] = {"resourceType": "AuditEvent", "id": _id(entry)}
    if _disclosed(line) and _address(line, scene):
        made["meta"] = {"profile": [DISCLOSURE]}
    made |= {"type": type_, "subtype": subtypes, "action": action}
    if line.happened:
        made["period"] = {"start": line.happened.isoformat(), "end": line.happened.isoformat()}
    made |= {"recorded": line.at.isoformat(), "outcome": _outcome(line), "outcomeDesc": line.outcome or line.kind}
    if purposes := _purposes(line, scene):
        made["purposeOfEvent"] = purposes
    return made | {
        "agent": agents,
        "source": {
            "observer": _agency(scene),
            "type": [coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")],
        },
        "entity": [_patient(line, scene), _data(entry), *_consents(line), *_request(line)],
    }


def bundle(entries: Iterable[Entry], scene: Scene) -> dict[str, Any]:
    """The events of one account, oldest first, as a Bundle."""
    events = [event(entry, scene) for entry in entries]
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "collection"}
    if events:
        made["entry"] = [{"fullUrl": f"urn:uuid:{found['id']}", "resource": found} for found in events]
    return made


def _what(line: Line) -> tuple[dict[str, str], list[dict[str, str]], str]:
    """Type, subtypes and action."""
    interaction = {"create": "create", "update": "update", "withdraw": "delete", "read": "read"}.get(line.operation)
    rest = [coding(_REST, interaction, interaction)] if interaction else []
    match line.kind:
        case "look":
            return _RECORD, [_ACCESS, coding(_REST, "read", "read")], "R"
        case "withdrawn":
            return _RECORD, rest, "D"
        case "purge":
            return _RECORD, [_RECEIVE], "E"
        case "frozen":
            return _RECORD, [coding(_LIFECYCLE, "deprecate", "Deprecate Record Lifecycle Event")], "E"
        case "attempted":
            return _EXPORT, [_TRANSMIT, *rest], "R"
        case "failed" if line.operation == "withdraw":
            return _RECORD, rest, "D"
        case _:
            return _EXPORT, [_DISCLOSE, *rest], "R"


def _disclosed(line: Line) -> bool:
    return line.kind in ("delivered", TOLD) or (line.kind == "failed" and line.operation != "withdraw")


def _outcome(line: Line) -> str:
    """What is not known may have arrived: a minor failure; what was refused or never left, a serious one."""
    if line.kind != "failed":
        return _SUCCESS
    return _MINOR if line.outcome == "unknown" else _SERIOUS


def _purposes(line: Line, scene: Scene) -> list[dict[str, Any]]:
    found = [scene.purposes.translate(purpose) for purpose in line.purpose.split()]
    return [translation.concept() for translation in found if translation]


def _agency(scene: Scene) -> dict[str, Any]:
    return {"type": "Organization", "identifier": _identifier(scene.identifier), "display": scene.agency}


def _ends(line: Line, scene: Scene) -> list[dict[str, Any]]:
    """Who told whom: we told them, but for an answer of theirs."""
    found = [_source(scene), *_receiving(line, scene)]
    if line.kind == PURGED and line.operation == "answered":
        return [agent | {"type": role["type"]} for agent, role in zip(found, reversed(found), strict=True)]
    return found


def _source(scene: Scene) -> dict[str, Any]:
    made = {"type": _agent("110153", "Source Role ID"), "who": _agency(scene), "requestor": False}
    return made | {"network": {"address": scene.address, "type": "5"}}


def _receiving(line: Line, scene: Scene) -> list[dict[str, Any]]:
    if line.kind == LOOK:
        return []
    partner = scene.partners.get(line.partner)
    who: dict[str, Any] = {"display": partner.name if partner else line.to or line.partner}
    if partner and partner.identifiers:
        who = {"type": "Organization", "identifier": _identifier(partner.identifiers[0])} | who
    made: dict[str, Any] = {"type": _agent("110152", "Destination Role ID"), "who": who, "requestor": False}
    if address := _address(line, scene):
        made["network"] = {"address": address, "type": "5"}
    elif line.kind == TOLD and line.operation in ("fax", "telephone"):
        made["network"] = {"type": "3"}
    custodian = {"coding": [coding("http://snomed.info/sct", "159541003", "Record keeping/library clerk")]}
    teller = [{"type": custodian, "who": {"display": line.by}, "requestor": True}]
    return [made, *(teller if line.by else [])]


def _looking(line: Line) -> list[dict[str, Any]]:
    """The person who looked, or entered an answer; by the role and the label of the token."""
    if line.kind not in _BY_PERSONS or not line.role:
        return []
    who = {"display": " ".join(filter(None, (line.role, line.label)))}
    part = coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", *_BY_PERSONS[line.kind])
    return [{"type": {"coding": [part]}, "who": who, "requestor": True}]


def _authorizers(line: Line, scene: Scene) -> list[dict[str, Any]]:
    """One at most, as the pattern has it: that of the first consent of which it is known."""
    known = [scene.authorizers[consent] for consent in line.consents if consent in scene.authorizers]
    advocate = {"coding": [coding("http://snomed.info/sct", "429577009", "Patient Advocate")]}
    return [{"type": advocate, "who": {"display": word}, "requestor": False} for word in known[:1]]


def _patient(line: Line, scene: Scene) -> dict[str, Any]:
    partner = line.partner if line.partner in scene.partners else ""
    what = {"type": "Patient", "identifier": _identifier(scene.patient(partner))}
    return {"what": what, "type": coding(_ENTITY, "1", "Person"), "role": coding(_ROLE, "1", "Patient")}


def _data(entry: Entry) -> dict[str, Any]:
    """What it is about: the resource by its urn, or else the child's record; its place in the account, its parts."""
    line = entry.line
    urn = {"system": "urn:ietf:rfc:3986", "value": line.urn} if line.urn else None
    what: dict[str, Any] = {"type": line.resource_type, "identifier": urn} if urn else {"display": "Case record"}
    details = [("line", str(entry.seq)), ("hash", entry.hash), *(("part", part) for part in line.parts)]
    details += [("topic", topic) for topic in line.topics]
    details += [(name, value) for name, value in (("how", _how(line)), ("basis", line.basis)) if value]
    return {
        "what": what,
        "type": coding(_ENTITY, "2", "System Object"),
        "role": coding(_ROLE, "4", "Domain Resource"),
        "detail": [{"type": name, "valueString": value} for name, value in details],
    }


def _how(line: Line) -> str:
    return line.operation if line.kind == TOLD else line.how


def _consents(line: Line) -> list[dict[str, Any]]:
    return [
        {"what": {"type": "Consent", "identifier": {"value": consent}}, "type": coding(_TYPES, "Consent", "Consent")}
        for consent in line.consents
    ]


def _request(line: Line) -> list[dict[str, Any]]:
    if not line.request_id:
        return []
    system = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
    return [{"what": {"identifier": {"value": line.request_id}}, "type": coding(system, "XrequestId")}]


def _address(line: Line, scene: Scene) -> str:
    partner = scene.partners.get(line.partner)
    return (partner.base_url or partner.folder) if partner else ""


def _agent(code: str, display: str) -> dict[str, Any]:
    return {"coding": [coding(_DCM, code, display)]}


def _identifier(identifier: Sequence[str]) -> dict[str, str]:
    return {"system": identifier[0], "value": identifier[1]}


def _id(entry: Entry) -> str:
    """The same for the same line, wherever it is asked for."""
    return str(UUID(entry.hash[:32], version=4))
