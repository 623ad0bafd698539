"""What a partner's FHIR server can do: as its CapabilityStatement says, as its answers show, and as its file says.

Nothing of a statement is taken on trust: whatever JSON it is, there is a value; and what the server then refuses counts
more than what it has stated (reference/servers.md, *Server behaviours the adapter must survive*).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, get_args

from adapter.core.fhir.named import TAGGED
from adapter.core.partner import Partner
from adapter.core.subscriptions.words import TOPIC_STATED

Interaction = Literal["create", "read", "vread", "update", "delete", "search-type"]
System = Literal["transaction", "batch"]
Mode = Literal["transaction", "batch", "single"]
"""How changes travel: in a Bundle that is done whole or not at all, in one of which each entry stands alone, singly."""

_INTERACTIONS = frozenset(get_args(Interaction))
_SYSTEM = frozenset(get_args(System))
_RELEASES = (("4.0", "R4"), ("4.3", "R4"), ("5.0", "R5"), ("1.0", "DSTU2"), ("3.0", "STU3"), ("6.", "R6"))
"""R4B (4.3) differs from R4 in no resource that is sent. The last three are known so that they are told."""
_MOST = 400
"""Types, formats and kinds that are read at most: FHIR has fewer."""
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class OfType:
    """What the server does with one type. `found_by`: the search parameters among `identifier`, `_tag`."""

    interactions: frozenset[str] = frozenset()
    conditional_create: bool = False
    update_create: bool = False
    found_by: frozenset[str] = frozenset()
    match: bool = False


@dataclass(frozen=True, slots=True)
class Abilities:
    """`system`: the interactions on the whole server that it states.

    `types` is empty where the statement lists none: then nothing is known of any. `refused`: what answers have shown
    that it cannot, whatever it states: `transaction`, `batch`.
    """

    release: str = ""
    system: frozenset[str] = frozenset()
    types: Mapping[str, OfType] = field(default_factory=lambda: MappingProxyType({}))
    formats: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    refused: frozenset[str] = frozenset()
    topics: tuple[str, ...] = ()
    """Of subscriptions: the canonicals that it states (Subscriptions R5 Backport)."""

    def lacks(self, type_: str, *interactions: Interaction) -> bool:
        """Does the statement, where it lists types at all, leave one of these out for this type?"""
        if not self.types:
            return False
        own = self.types.get(type_)
        return own is None or not own.interactions.issuperset(interactions)


def read(statement: Any) -> Abilities | None:
    """The abilities that a CapabilityStatement tells of (of DSTU2's, its release); None for anything else. Total over
    any JSON.

    http://hl7.org/fhir/R4/capabilitystatement.html: of several `rest` the first in the mode `server`.
    """
    if not isinstance(statement, dict):
        return None
    if statement.get("resourceType") == "Conformance":
        return Abilities(
            release="DSTU2"
        )  # http://hl7.org/fhir/DSTU2/conformance.html: what a statement was called then
    if statement.get("resourceType") != "CapabilityStatement":
        return None
    rest = next((each for each in _objects(statement.get("rest")) if each.get("mode") == "server"), {})
    security = rest.get("security")
    kinds = _objects(security.get("service")) if isinstance(security, dict) else []
    everywhere = {_text(each.get("name")) for each in _objects(rest.get("operation"))}
    types = {
        name: _of_type(each, everywhere)
        for each in _objects(rest.get("resource"))
        if (name := _text(each.get("type"))) and name.isascii() and name.isalpha()
    }
    if not any(own.interactions for own in types.values()):
        types = {}  # names alone tell nothing of what can be done with them
    return Abilities(
        release=_release(statement.get("fhirVersion")),
        system=frozenset(_codes(rest.get("interaction")) & _SYSTEM),
        types=MappingProxyType(types),
        formats=tuple(sorted({_text(each) for each in _list(statement.get("format"))} - {""})),
        security=tuple(sorted({code for kind in kinds for code in _security(kind)})),
        topics=tuple(sorted({topic for each in _objects(rest.get("resource")) for topic in _topics(each)})),
    )


def again(before: Abilities | None, now: Abilities) -> Abilities:
    """`now` as it is kept: a statement that says what it said before does not undo what answers have shown."""
    if before is None or replace(before, refused=frozenset()) != replace(now, refused=frozenset()):
        return now
    return replace(now, refused=before.refused)


def as_json(abilities: Abilities) -> dict[str, Any]:
    """For the store, and for people: `of_json` reads it."""
    return {
        "release": abilities.release,
        "system": sorted(abilities.system),
        "types": {
            name: {
                "interactions": sorted(own.interactions),
                "conditional_create": own.conditional_create,
                "update_create": own.update_create,
                "found_by": sorted(own.found_by),
                "match": own.match,
            }
            for name, own in sorted(abilities.types.items())
        },
        "formats": list(abilities.formats),
        "security": list(abilities.security),
        "refused": sorted(abilities.refused),
        "topics": list(abilities.topics),
    }


def of_json(kept: Mapping[str, Any]) -> Abilities:
    """What `as_json` has written."""
    types = {
        name: OfType(
            frozenset(own["interactions"]),
            own["conditional_create"],
            own["update_create"],
            frozenset(own["found_by"]),
            own["match"],
        )
        for name, own in kept["types"].items()
    }
    return Abilities(
        kept["release"],
        frozenset(kept["system"]),
        MappingProxyType(types),
        tuple(kept["formats"]),
        tuple(kept["security"]),
        frozenset(kept["refused"]),
        tuple(kept.get("topics", ())),
    )


@dataclass(frozen=True, slots=True)
class Way:
    """How one partner is sent changes. `conditions`: the types that are created under the condition that none is there
    (None: all); the others are looked for first. `chunk`: the most changes in one Bundle."""

    mode: Mode
    chunk: int
    conditions: frozenset[str] | None = None

    def conditional(self, type_: str) -> bool:
        """Is a resource of this type created under a condition?"""
        return self.conditions is None or type_ in self.conditions

    def lesser(self) -> Way | None:
        """The next way that asks less of a server; None where there is none."""
        after: Mapping[Mode, Mode] = {"transaction": "batch", "batch": "single"}
        return replace(self, mode=after[self.mode]) if self.mode in after else None


def way(partner: Partner, abilities: Abilities | None) -> Way:
    """The best way that the server offers, or the one that the partner file forces. A folder takes all at once.

    Where nothing is known of the server a transaction is tried: its refusal changes nothing there, and is remembered.
    """
    if not partner.base_url:
        return Way("transaction", partner.chunk)  # a folder: all at once
    mode: Mode = partner.mode if partner.mode != "auto" else _best(abilities)
    if partner.conditional == "never":
        return Way(mode, partner.chunk, frozenset())
    if abilities is None or not abilities.types:
        # In a transaction and alone a condition is in the base specification; of batches servers are known to drop it.
        return Way(mode, partner.chunk, frozenset() if mode == "batch" else None)
    stated = frozenset(name for name, own in abilities.types.items() if own.conditional_create)
    return Way(mode, partner.chunk, stated)


def not_taken(partner: Partner, abilities: Abilities | None, types: Collection[str]) -> frozenset[str]:
    """Those of `types` that are not to be sent: the partner file names them, or the statement lacks what they need.

    Every type is created; what belongs to a case is updated too (directory resources never are). The Patient is not
    among them: where it cannot be created it must be matched, and without it nothing can be sent at all.
    """
    forced = frozenset(partner.types_not_taken)
    stated = {each for each in types if abilities is not None and abilities.lacks(each, *_needed(each))}
    return (forced | stated) - {"Patient"}


DIRECTORY = frozenset(("Organization", "Practitioner", "PractitionerRole"))
"""Types of what is shared among the cases at a partner: created if absent, never updated."""


def _needed(type_: str) -> tuple[Interaction, ...]:
    return ("create",) if type_ in DIRECTORY else ("create", "update")


def _best(abilities: Abilities | None) -> Mode:
    if abilities is None or not (abilities.system or abilities.types):
        offered: frozenset[str] = _SYSTEM
    else:
        offered = abilities.system
    able = offered - (abilities.refused if abilities else frozenset())
    return "transaction" if "transaction" in able else "batch" if "batch" in able else "single"


def _of_type(stated: Mapping[str, Any], everywhere: Collection[str]) -> OfType:
    operations = {_text(each.get("name")) for each in _objects(stated.get("operation"))} | set(everywhere)
    parameters = {_text(each.get("name")) for each in _objects(stated.get("searchParam"))}
    name = _text(stated.get("type"))
    return OfType(
        interactions=frozenset(_codes(stated.get("interaction")) & _INTERACTIONS),
        conditional_create=stated.get("conditionalCreate") is True,
        update_create=stated.get("updateCreate") is True,
        found_by=frozenset(parameters & {"identifier", "_tag"}),
        match=name == "Patient" and bool(operations & {"match", "$match", "patient-match"}),
    )


def _topics(stated: Mapping[str, Any]) -> Iterable[str]:
    if stated.get("type") != "Subscription":
        return []
    every = (e for e in _objects(stated.get("extension")) if e.get("url") == TOPIC_STATED)
    return [topic for each in every if (topic := _text(each.get("valueCanonical", each.get("valueUri"))))]


def found_by_name(abilities: Abilities | None, type_: str) -> bool:
    """Can a resource of ours of this type be looked up by its identifier, as far as the statement tells?"""
    if abilities is None or not abilities.types:
        return True
    own = abilities.types.get(type_)
    # `_tag` is a parameter of every type (http://hl7.org/fhir/R4/search.html#all), which statements rarely list.
    return own is not None and "search-type" in own.interactions and (type_ in TAGGED or "identifier" in own.found_by)


def _release(version: Any) -> str:
    return next((name for begin, name in _RELEASES if _text(version).startswith(begin)), "")


def _security(kind: Mapping[str, Any]) -> Iterable[str]:
    return (code for each in _objects(kind.get("coding")) if (code := _text(each.get("code"))))


def _codes(value: Any) -> set[str]:
    return {_text(each.get("code")) for each in _objects(value)} - {""}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: Any) -> list[Any]:
    return value[:_MOST] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value[:_LONGEST] if isinstance(value, str) and value.isprintable() else ""
