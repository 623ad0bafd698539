"""What a partner holds in place of the resources that its server does not take: one document, and the rest as it is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.core import strict_json
from adapter.core.consent.view import OWN, View
from adapter.core.diff import ORDER, Made, Resource
from adapter.core.document import bundle as documents
from adapter.core.document.telling import sections, sheet
from adapter.core.document.words import WORDS
from adapter.core.fhir.named import named_by
from adapter.core.fhir.narrative import narrative
from adapter.core.identity import Identity, Key
from adapter.core.mapping.codes import ConceptMap
from adapter.core.partner import Partner, Release
from adapter.core.sheet import Sheet

DOCUMENT = "document"
"""The path under which the document is named; no record has it."""
PLAN = frozenset(("CarePlan", "CareTeam", "Goal"))
"""The three that a document stands for, all as soon as one is not taken (exchange.md, *Partners*)."""
WITH_IT = frozenset(("Composition", "Provenance"))
"""What tells of the plan and of nothing else: its sections, and who signed it."""
AROUND_IT = frozenset(("Condition", "Observation", "RiskAssessment"))
"""What a person reads with a plan: told in the document too, wherever else the partner holds it."""

FHIR, PDF = "application/fhir+json", "application/pdf"
_PLAN = "plan-of-care"
"""What kind of document it is, in our own word."""
_SLOTS = {FHIR: "fhir", PDF: "pdf"}
_PROFILES = "https://csp-adapter.example/StructureDefinition/"
_LEVELS = ("N", "R", "V")
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


@dataclass(frozen=True, slots=True)
class Scene:
    """For whom: `number` is the agency's own of the case; `paper` makes a PDF of a sheet, always the same one."""

    partner: Partner
    identity: Identity
    number: str
    codes: Mapping[str, ConceptMap]
    paper: Callable[[Sheet], bytes]
    guided: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Mapping file → the profiles of the partner's guide that its resources name beside ours."""

    @property
    def release(self) -> Release:
        return self.partner.release

    def names(self, type_: str, slot: str = "") -> tuple[str, tuple[str, str]]:
        """The urn and the identifier of a piece of the document."""
        key = Key(self.number, DOCUMENT, type_, slot)
        return self.identity.urn(key), self.identity.identifier(key)


def pieces_of(identity: Identity, number: str) -> frozenset[str]:
    """The urns under which a partner may hold a document of this case: what refers to its bytes, and they."""
    pieces = (("DocumentReference", ""), *(("Binary", slot) for slot in _SLOTS.values()))
    return frozenset(identity.urn(Key(number, DOCUMENT, type_, slot)) for type_, slot in pieces)


@dataclass(frozen=True, slots=True)
class Placed:
    """What the partner should hold; and the FHIR document that is in it, where there is one, to be checked too."""

    made: tuple[Made, ...]
    document: Resource | None = None


def lacking(partner: Partner, not_taken: Collection[str]) -> frozenset[str]:
    """The types that it takes as no resources: those that its server lacks; a folder takes the document alone."""
    return frozenset(ORDER) - {"DocumentReference"} if partner.folder else frozenset(not_taken)


def held_as_document(partner: Partner, not_taken: Collection[str]) -> frozenset[str]:
    """The types that this partner holds within a document only; empty where it holds none. A folder holds all so.

    `not_taken`: types of which its server lacks create or update. Where it takes no DocumentReference it can hold no
    document: what it is then sent, it refuses, and that is seen.
    """
    if partner.folder:
        return frozenset(ORDER)
    asked = partner.document == "always" or (partner.document == "auto" and not PLAN.isdisjoint(not_taken))
    if not asked or "DocumentReference" in not_taken:
        return frozenset()
    return PLAN | WITH_IT | frozenset(not_taken)


def in_place(made: Sequence[Made], shown: View, scene: Scene, inside: Collection[str]) -> Placed:
    """`made` with one DocumentReference (and its Binaries) in place of all resources of the types `inside`.

    Pure, and made of `made` and the view alone: the same for the same permitted content. What stays refers to what
    went into the document by identifier. `about` of the document lists the paths of all that is in it, separated by
    spaces; its parts and topics are theirs together. Where nothing is of these types, nothing changes.
    """
    if not any(each.type in inside for each in made):
        return Placed(tuple(made))
    by_urn = {each.urn: each for each in made}
    gone = {urn: each for urn, each in by_urn.items() if each.type in inside}
    stay = [replace(each, resource=_named(each.resource, gone)) for each in made if each.urn not in gone]
    told = AROUND_IT | frozenset(inside)
    listed = {urn: each for urn, each in by_urn.items() if each.type in told or each.about == OWN}
    return _document(stay, by_urn, listed, shown, scene)


def within(about: str, paths: Collection[str]) -> bool:
    """Is all that a resource tells of among these paths? A document's `about` lists several, separated by spaces."""
    return bool(about) and all(path in paths for path in about.split(" "))


def _document(
    stay: Sequence[Made], by_urn: Mapping[str, Made], listed: Mapping[str, Made], shown: View, scene: Scene
) -> Placed:
    case = shown.case
    language = _language(case)
    told = sections(case, scene.codes, language=language, partner=scene.partner.name)
    agency, child = _agency(by_urn, case), next(urn for urn, each in by_urn.items() if each.type == "Patient")
    entries = documents.reached((*listed, child, *filter(None, [agency])), by_urn)
    apart = {each.urn for each in stay if each.type in ("Binary", "DocumentReference")}
    on = documents.youngest(each.resource for each in entries.values()) or scene.partner.since.isoformat()
    security = _together(each.resource for each in entries.values())
    title = _title(case, language)
    urn, identifier = scene.names("Composition")
    first = documents.composition(
        [each for each in entries.values() if each.urn in listed],
        told,
        identifier=identifier,
        security=security,
        child=child,
        agency=agency,
        on=on,
        title=title,
        language=language,
        release=scene.release,
        narrative=scene.partner.narrative,
    )
    document = documents.bundle(
        (urn, first),
        entries,
        kept_apart=apart,
        security=security,
        name=lambda content: scene.names("Bundle", strict_json.digest(content))[0],
        on=on,
    )
    attached = {
        FHIR: strict_json.dump(document),
        PDF: scene.paper(sheet(told, language=language, title=title, on=on)),
    }
    whole = _Whole(scene, entries, stay, security, language, on)
    return Placed((*stay, *whole.held(attached, agency, child, title)), document)


@dataclass(frozen=True, slots=True)
class _Whole:
    """A document's resources and what is said of all of them together."""

    scene: Scene
    entries: Mapping[str, Made]
    stay: Sequence[Made]
    security: Sequence[Mapping[str, str]]
    language: str
    on: str

    def held(self, attached: Mapping[str, bytes], agency: str | None, child: str, title: str) -> list[Made]:
        """The DocumentReference, and a Binary for each attachment where the partner takes them."""
        apart = self.scene.partner.bytes == "binary"
        there = {each.urn for each in self.stay}
        gone = {urn: each for urn, each in self.entries.items() if urn not in there}
        who = {"reference": agency} if agency else {"type": "Organization", "display": "The coordinating agency"}
        subject = _named({"reference": child}, gone)
        binaries = [self._binary(kind, content, subject) for kind, content in attached.items()] if apart else []
        holders = {kind: each.urn for kind, each in zip(attached, binaries, strict=apart)}
        body = {
            "status": "current",
            "type": self.scene.codes["document-type"].translations[_PLAN].concept(),
            "category": [{"coding": self.scene.codes["document-category"].translations[_PLAN].concept()["coding"]}],
            "subject": subject,
            "author": [_named(who, gone)],
            "content": [
                {"attachment": self._attachment(kind, content, title, holders.get(kind))}
                for kind, content in attached.items()
            ],
        }
        return [*binaries, self._made("DocumentReference", "document", body)]

    def _binary(self, kind: str, content: bytes, subject: Mapping[str, Any]) -> Made:
        body = {"contentType": kind, "securityContext": subject, "data": base64.b64encode(content).decode()}
        return self._made("Binary", "document-bytes", body, slot=_SLOTS[kind])

    def _attachment(self, kind: str, content: bytes, title: str, holder: str | None) -> dict[str, Any]:
        sha1 = hashlib.sha1(content, usedforsecurity=False).digest()
        where = {"url": holder} if holder else {"data": base64.b64encode(content).decode()}
        return {
            "contentType": kind,
            "language": self.language,
            **where,
            "size": str(len(content)) if self.scene.release == "R5" else len(content),
            "hash": base64.b64encode(sha1).decode(),
            "title": title,
            "creation": self.on,
        }

    def _made(self, type_: str, profile: str, body: dict[str, Any], *, slot: str = "") -> Made:
        urn, identifier = self.scene.names(type_, slot)
        named = named_by(type_, identifier, self.scene.release)
        profiles = [f"{_PROFILES}csp-{profile}", *self.scene.guided.get(profile, ())]
        meta = {"profile": profiles, "security": list(self.security), **named.pop("meta", {})}
        told = self.scene.partner.narrative and type_ != "Binary"
        text = {"text": narrative({"resourceType": type_, **body}, language=self.language)} if told else {}
        of = self.entries.values()
        return Made(
            urn,
            type_,
            identifier,
            {"resourceType": type_, "meta": meta, **text, **named, **body},
            about=" ".join(sorted({each.about for each in of})),
            parts=tuple(sorted({part for each in of for part in each.parts})),
            topics=tuple(sorted({topic for each in of for topic in each.topics})),
        )


def _named(value: Any, gone: Mapping[str, Made]) -> Any:
    """A copy in which what is not there by itself is referred to by its identifier."""
    if isinstance(value, list):
        return [_named(each, gone) for each in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _named(each, gone) for key, each in value.items()}
    urn = copy.get("reference")
    if isinstance(urn, str) and urn in gone:
        system, name = gone[urn].identifier
        del copy["reference"]
        copy |= {"type": gone[urn].type, "identifier": {"system": system, "value": name}}
    return copy


def _together(resources: Iterable[Resource]) -> list[dict[str, str]]:
    """The labels of all of them: the highest confidentiality, every sensitivity, purpose and obligation."""
    labels = {
        (each.get("system", ""), each.get("code", "")): each
        for resource in resources
        for each in resource.get("meta", {}).get("security", ())
    }
    highest = [labels[_CONFIDENTIALITY, level] for level in _LEVELS if (_CONFIDENTIALITY, level) in labels][-1:]
    return [*highest, *(each for (system, _), each in sorted(labels.items()) if system != _CONFIDENTIALITY)]


def _agency(by_urn: Mapping[str, Made], case: Mapping[str, Any]) -> str | None:
    """The coordinating organization, where it is plain which one that is."""
    paths = [each["path"] for each in case.get("organizations", ()) if "coordination" in each.get("sector", ())]
    found = [urn for urn, each in by_urn.items() if each.type == "Organization" and each.about in paths]
    return found[0] if len(paths) == len(found) == 1 else None


def _language(case: Mapping[str, Any]) -> str:
    plans = case.get("care_plans", ())
    return "fr" if any(str(plan.get("language", "")).split("-")[0] == "fr" for plan in plans) else "en"


def _title(case: Mapping[str, Any], language: str) -> str:
    """The plan's own, where there is one plan in force and it has a title."""
    current = [each for each in case.get("care_plans", ()) if each.get("status", "active") in ("active", "draft")]
    title = current[0].get("title") if len(current) == 1 else None
    return str(title or WORDS[language]["title"])
