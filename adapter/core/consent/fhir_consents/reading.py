"""Reads a FHIR R4 or R5 Consent into a value, naming the reading where the specifications contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from adapter.core.consent.fhir_consents.codes import ACT_CODE
from adapter.core.consent.fhir_consents.elements import Reader
from adapter.core.consent.fhir_consents.provisions import Tree, read_tree
from adapter.core.consent.fhir_consents.values import Actor, ConsentValue, Provision

SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
STATUSES = {
    "R4": ("draft", "proposed", "active", "rejected", "inactive", "entered-in-error"),
    "R5": ("draft", "active", "inactive", "not-done", "entered-in-error"),
}
_R4_ONLY = ("patient", "dateTime", "scope", "policyRule", "performer", "organization", "policy")
_R5_ONLY = ("subject", "date", "decision", "grantor", "grantee", "manager", "controller", "policyBasis", "period")
_BASES = {"OPTIN": "permit", "OPTINR": "permit", "OPTOUT": "deny", "OPTOUTE": "deny"}
_UNKNOWN_RULES = "it names rules that are not known here and may change what all else means"


def read(consent: Any, *, zone: tzinfo = UTC) -> ConsentValue:
    """Any JSON value as a Consent; what is no Consent is one with a fault. `zone`: where dates without one are days."""
    if not isinstance(consent, Mapping):
        reader = Reader(zone)
        reader.fault("Consent", "it is not an object")
        return _value({}, "", reader, Tree(Provision("Consent", None), ()))
    reader = Reader(zone, _contained(consent))
    if consent.get("resourceType") != "Consent":
        reader.fault("Consent.resourceType", "it is not a Consent")
    if consent.get("implicitRules") is not None:
        reader.fault("Consent.implicitRules", _UNKNOWN_RULES)
    turned = reader.modifiers(consent, "Consent")
    release = _release(consent, reader)
    tree = _tree(consent, release, reader)
    if turned or consent.get("implicitRules") is not None:
        tree = replace(tree, root=replace(tree.root, effect=None, unreadable=("Consent",)))
    return _value(consent, release, reader, tree)


def _contained(consent: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The resources inside the Consent, by their ids."""
    held = consent.get("contained")
    items = held if isinstance(held, list) else []
    return {i["id"]: i for i in items if isinstance(i, Mapping) and isinstance(i.get("id"), str)}


def _release(consent: Mapping[str, Any], reader: Reader) -> str:
    """R4 or R5, by the elements that only one of them has; where it has some of both it cannot be told."""
    r4 = [name for name in _R4_ONLY if name in consent]
    r5 = [name for name in _R5_ONLY if name in consent]
    if isinstance(consent.get("provision"), list):
        r5.append("provision")
    elif isinstance(consent.get("provision"), Mapping):
        r4.append("provision")
    if r4 and r5 and not ("decision" in consent and set(r4) <= {"provision"}):
        reader.fault(f"Consent.{r5[0]}", "it has elements of R4 and of R5, so that neither reading is sure")
        return "R5" if "decision" in consent else "R4"
    return "R5" if r5 else "R4"


def _tree(consent: Mapping[str, Any], release: str, reader: Reader) -> Tree:
    if release == "R5":
        decision = reader.text(consent, "decision", "Consent")
        if not decision:
            reader.fault("Consent.decision", "there is no base decision, so that nothing says permit or deny")
        elif decision not in ("permit", "deny"):
            reader.fault("Consent.decision", "it is neither permit nor deny")
        return read_tree(consent, reader, base=decision, base_path="Consent.decision", release="R5", pcf=False)
    return read_tree(
        consent, reader, base=_base(consent, reader), base_path="Consent.policyRule", release="R4", pcf=_is_pcf(consent)
    )


def _base(consent: Mapping[str, Any], reader: Reader) -> str:
    """What R4's policyRule says of all that is not excepted, by HL7's OPTIN and OPTOUT; empty where it says neither."""
    concept = reader.one(consent, "policyRule", "Consent")
    codings = reader.codings(concept, "coding", "Consent.policyRule") if "coding" in concept else ()
    found = {_BASES[c.code] for c in codings if c.code in _BASES and c.system in (ACT_CODE, "")}
    if len(found) > 1:
        reader.fault("Consent.policyRule", "it opts in and out at once")
        return "?"
    return found.pop() if found else ""


def _is_pcf(consent: Mapping[str, Any]) -> bool:
    """Does it declare a profile of IHE Privacy Consent on FHIR?"""
    meta = consent.get("meta")
    profiles = meta.get("profile") if isinstance(meta, Mapping) else None
    return isinstance(profiles, list) and any(isinstance(p, str) and "IHE.PCF" in p for p in profiles)


def _value(consent: Mapping[str, Any], release: str, reader: Reader, tree: Tree) -> ConsentValue:
    categories = reader.concepts(consent, "category", "Consent") if consent else ()
    scope = reader.one(consent, "scope", "Consent")
    scopes = reader.codings(scope, "coding", "Consent.scope") if "coding" in scope else ()
    about = reader.one(consent, "subject" if release == "R5" else "patient", "Consent")
    who = reader.reference(about, "Consent.subject" if release == "R5" else "Consent.patient")
    when = "date" if release == "R5" else "dateTime"
    flat = tuple(coding for concept in categories for coding in concept)
    return ConsentValue(
        id=_identity(consent),
        release="R5" if release == "R5" else "R4" if release == "R4" else "",
        status=_status(consent, release, reader),
        scopes=scopes or tuple(c for c in flat if c.system == SCOPE),
        categories=flat,
        patients=(*who.references, *(f"{system}|{value}" for system, value in who.identifiers)),
        grantors=_grantors(consent, release, reader),
        dated=reader.moment(consent, when, "Consent"),
        date_text=str(consent.get(when) or ""),
        period=reader.period(consent, "period", "Consent") if release == "R5" else None,
        policies=_policies(consent, reader),
        root=tree.root,
        verified=_verified(consent, reader),
        readings=tree.readings,
        faults=tuple(sorted(set(reader.faults))),
        notes=tuple(sorted(set(reader.notes))),
    )


def _identity(consent: Mapping[str, Any]) -> str:
    """`Consent/ID`; without an id the first identifier's value."""
    if isinstance(consent.get("id"), str):
        return f"Consent/{consent['id']}"
    identifiers = consent.get("identifier")
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else identifiers
    value = first.get("value") if isinstance(first, Mapping) else None
    return value if isinstance(value, str) else ""


def _status(consent: Mapping[str, Any], release: str, reader: Reader) -> str:
    status = reader.text(consent, "status", "Consent")
    if status not in STATUSES.get(release, ()):
        reader.fault("Consent.status", "it is missing" if not status else "it is not a status of this release")
    return status


def _grantors(consent: Mapping[str, Any], release: str, reader: Reader) -> tuple[Actor, ...]:
    """R4's performer is grantor or grantee, and does not say which; R5 tells them apart."""
    name = "grantor" if release == "R5" else "performer"
    found = tuple(reader.reference(item, path) for path, item in reader.several(consent, name, "Consent"))
    if found and name == "performer":
        reader.note("Consent.performer is who agreed, grantor or grantee: R4 does not say which; read as the grantor.")
    return found


def _policies(consent: Mapping[str, Any], reader: Reader) -> tuple[str, ...]:
    found = []
    for path, item in reader.several(consent, "policy", "Consent"):
        reader.modifiers(item, path)
        found.append(reader.text(item, "uri", path) or reader.text(item, "authority", path))
    return tuple(uri for uri in found if uri)


def _verified(consent: Mapping[str, Any], reader: Reader) -> bool:
    said = []
    for path, item in reader.several(consent, "verification", "Consent"):
        reader.modifiers(item, path)
        if not isinstance(item.get("verified"), bool):
            reader.fault(f"{path}.verified", "it is not true or false")
        said.append(item.get("verified") is True)
    return all(said)
