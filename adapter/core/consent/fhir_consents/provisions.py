"""The tree of provisions of a Consent: which level permits, which denies, and by whose reading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapter.core.consent.fhir_consents.elements import Reader
from adapter.core.consent.fhir_consents.values import Actor, Coding, Data, Effect, Provision

R4_BASE = "R4 base: policyRule OPTIN or OPTOUT is the base, and the root provision its first exception"
R4_BASE_ONLY = "R4 base: policyRule OPTIN or OPTOUT, and no exception"
R4_AGREE = (
    "R4 policyRule OPTIN and a root provision that permits: the root carries the base, the policyRule adds nothing"
)
R4_ROOT = "R4 PCF: root provision.type carries the base"
R5_ALTERNATION = "R5: decision is the base, and each level of provisions turns it round (alternation)"
R5_TYPED = "R5 ballot: the provisions' own types agree with alternation"
WIDENING = "permit under permit (PCF advanced): it widens, taking over from its parent what it leaves out"
DENY_UNDER_DENY = "deny under deny: it adds nothing but to win over a permit beside it"
LABEL_FLOOR = "securityLabel of confidentiality: a permit covers it and lower, a denial it and higher"
RELATED_BOTH = "PCF data.meaning related: what the resource refers to, and what refers to it"

LEVELS = 2
"""Levels of provisions that are computable: a rule and its exceptions (consent.md, *Not computable*)."""
_TOO_DEEP = "it is nested deeper than one exception"
_NO_TYPE = "it has no type, and none can be derived"
_MEANINGS = ("instance", "related", "dependents", "authoredby")
_TYPED = ("permit", "deny")
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


@dataclass(frozen=True, slots=True)
class Tree:
    root: Provision
    readings: tuple[str, ...]


def read_tree(
    consent: Mapping[str, Any], reader: Reader, *, base: str, base_path: str, release: str, pcf: bool
) -> Tree:
    """`base`: permit, deny, or empty where only the root provision can say it."""
    builder = _Builder(reader, release, pcf, set())
    root = _r5(consent, builder, base) if release == "R5" else _r4(consent, builder, base, base_path)
    return Tree(root, tuple(sorted(builder.readings)))


def _r5(consent: Mapping[str, Any], builder: _Builder, base: str) -> Provision:
    effect = _effect(base)
    builder.readings.add(R5_ALTERNATION)
    children = builder.children(consent, "Consent", effect, level=1)
    return Provision(
        "Consent.decision", effect, provisions=children, unreadable=() if effect else ("Consent.decision",)
    )


def _r4(consent: Mapping[str, Any], builder: _Builder, base: str, base_path: str) -> Provision:
    reader = builder.reader
    provision = reader.one(consent, "provision", "Consent")
    kind = provision.get("type")
    if consent.get("provision") is not None and not isinstance(consent["provision"], Mapping):
        return Provision(base_path, _effect(base), provisions=(_unknown("Consent.provision"),))
    if not provision:
        if base in _TYPED:
            builder.readings.add(R4_BASE_ONLY)
            return Provision(base_path, _effect(base))
        reader.fault("Consent.provision", "neither a policyRule OPTIN or OPTOUT nor a provision says permit or deny")
        return _unknown("Consent.provision")
    if base not in _TYPED or (base == kind == "permit"):
        builder.readings.add(R4_AGREE if base in _TYPED else R4_ROOT)
        root = builder.provision(provision, "Consent.provision", None, level=1)
        return replace(root, effect=None, unreadable=(base_path,)) if base == "?" else root
    builder.readings.add(R4_BASE)
    if "type" not in provision and not set(provision) - {"provision", "id", "extension"}:
        # The root says nothing of its own: what it holds are the exceptions.
        return Provision(
            base_path, _effect(base), provisions=builder.children(provision, "Consent.provision", None, level=2)
        )
    return Provision(
        base_path, _effect(base), provisions=(builder.provision(provision, "Consent.provision", None, level=1),)
    )


@dataclass(slots=True)
class _Builder:
    reader: Reader
    release: str
    pcf: bool
    readings: set[str]

    def children(self, of: Mapping[str, Any], path: str, parent: Effect | None, *, level: int) -> tuple[Provision, ...]:
        """`parent`: what the level above does, for R5, where the types follow from it. What cannot be read may deny."""
        within = f"{path}.provision"
        read = [
            self.provision(item, at, parent, level=level) for at, item in self.reader.several(of, "provision", path)
        ]
        lost = {f.path for f in self.reader.faults if f.path == within or _is_entry(f.path, within)}
        lost -= {each.path for each in read}
        return (*read, *(_unknown(at) for at in sorted(lost)))

    def provision(self, item: Mapping[str, Any], path: str, parent: Effect | None, *, level: int) -> Provision:
        """One level and all below it."""
        reader = self.reader
        if level > LEVELS:
            reader.fault(path, _TOO_DEEP)
            return _unknown(path)
        before = len(reader.faults)
        turned = reader.modifiers(item, path)
        effect = None if turned else self._type(item, path, parent)
        found = Provision(
            path=path,
            effect=effect,
            actors=self._actors(item, path),
            actions=reader.concepts(item, "action", path),
            purposes=reader.codings(item, "purpose", path),
            classes=(*reader.codings(item, "class", path), *reader.codings(item, "resourceType", path)),
            documents=reader.codings(item, "documentType", path),
            codes=reader.concepts(item, "code", path),
            labels=reader.codings(item, "securityLabel", path),
            data=self._data(item, path),
            data_period=reader.period(item, "dataPeriod", path),
            period=reader.period(item, "period", path),
        )
        if "expression" in item:
            reader.fault(f"{path}.expression", "an expression is not computed")
        if any(label.system in (_CONFIDENTIALITY, "") for label in found.labels):
            self.readings.add(LABEL_FLOOR)
        unreadable = tuple(sorted({fault.path for fault in reader.faults[before:]}))
        below = self.children(item, path, effect, level=level + 1)
        self._name(effect, below)
        return replace(found, provisions=below, unreadable=unreadable)

    def _type(self, item: Mapping[str, Any], path: str, parent: Effect | None) -> Effect | None:
        kind = self.reader.text(item, "type", path)
        if kind and kind not in _TYPED:
            self.reader.fault(f"{path}.type", "it is neither permit nor deny")
            return None
        if self.release == "R5":
            turned = _turned(parent)
            if kind and turned and kind != turned:
                self.reader.fault(f"{path}.type", "it contradicts the alternation of R5")
                return None
            if kind and turned:
                self.readings.add(R5_TYPED)
            return turned
        if not kind and "type" not in item:
            self.reader.fault(f"{path}.type", _NO_TYPE)
        return _effect(kind)

    def _name(self, effect: Effect | None, below: tuple[Provision, ...]) -> None:
        if effect is None or self.release == "R5":
            return
        if any(each.effect == effect for each in below):
            self.readings.add(WIDENING if effect == "permit" else DENY_UNDER_DENY)

    def _actors(self, item: Mapping[str, Any], path: str) -> tuple[Actor, ...]:
        found = []
        for at, each in self.reader.several(item, "actor", path):
            self.reader.modifiers(each, at)
            role = self.reader.one(each, "role", at)
            roles: tuple[Coding, ...] = self.reader.concept(role, f"{at}.role") if role else ()
            whom = self.reader.one(each, "reference", at)
            found.append(self.reader.reference(whom, f"{at}.reference", roles))
        return tuple(found)

    def _data(self, item: Mapping[str, Any], path: str) -> tuple[Data, ...]:
        found = []
        for at, each in self.reader.several(item, "data", path):
            self.reader.modifiers(each, at)
            meaning = self.reader.text(each, "meaning", at)
            if meaning not in _MEANINGS:
                self.reader.fault(f"{at}.meaning", "it is none of instance, related, dependents, authoredby")
            whom = self.reader.reference(self.reader.one(each, "reference", at), f"{at}.reference")
            if not whom.references:
                self.reader.fault(f"{at}.reference", "it refers to no resource by a literal reference")
                continue
            both = self.pcf and meaning == "related"
            if both:
                self.readings.add(RELATED_BOTH)
            found.append(Data(meaning, whom.references[0], both))
        return tuple(found)


def _unknown(path: str) -> Provision:
    """A level that may say anything."""
    return Provision(path, None, unreadable=(path,))


def _is_entry(path: str, of: str) -> bool:
    return path.startswith(f"{of}[") and "." not in path[len(of) :]


def _effect(kind: str) -> Effect | None:
    return "permit" if kind == "permit" else "deny" if kind == "deny" else None


def _turned(effect: Effect | None) -> Effect | None:
    return "deny" if effect == "permit" else "permit" if effect == "deny" else None
