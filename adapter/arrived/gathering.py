"""Gathers from a partner's world what belongs to one child, and what belongs to none."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapter.core.fhir.called import calls, identifiers
from adapter.core.fhir.references import attached, local, references
from adapter.core.fhir.search import CALLED, CHILDLESS, PARAMETERS, REFERS, children
from adapter.store import referrals, resources
from adapter.store.database import Tx
from adapter.store.resources import Received

MOST = 2000
"""Resources of one child that are looked at; what is beyond them is said."""
_FIRST = {"Consent": 0, "CarePlan": 1}
DIRECTORY = ("Organization", "Practitioner", "PractitionerRole")
"""Types that belong to no child: what refers to them is not of the child for that."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The resources that were found. `more`: nobody looked at all of them; `unheard`: nor at all of the Consents."""

    resources: tuple[Received, ...]
    more: bool = False
    unheard: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{kept.type}/{kept.id}" for kept in self.resources)

    @property
    def bodies(self) -> tuple[dict[str, Any], ...]:
        return tuple(kept.body for kept in self.resources)


def belonging(tx: Tx, partner: str, child: str) -> Sent:
    """The Patient, what refers to it or to what is its own, and what all that leads to; nothing that names another
    child alone."""
    found = {_name(kept): kept for kept in _referring(tx, partner, ("Consent",), [f"Patient/{child}"])}
    patient = resources.read(tx, partner, "Patient", child)
    if patient is not None and not patient.deleted:
        found[f"Patient/{child}"] = patient
        found |= {_name(kept): kept for kept in _calling(tx, partner, patient.body)}
    frontier = [f"Patient/{child}"]
    while frontier and len(found) <= MOST:
        fresh = {
            _name(kept): kept
            for kept in _referring(tx, partner, PARAMETERS, frontier)
            if _name(kept) not in found and _may_be_of(kept, child)
        }
        found |= fresh
        frontier = [name for name, kept in fresh.items() if kept.type not in DIRECTORY]
    found |= _reached(tx, partner, child, list(found.values()), found)
    roles = _referring(tx, partner, ("PractitionerRole",), [n for n, k in found.items() if k.type == "Practitioner"])
    fresh = {_name(kept): kept for kept in roles if _name(kept) not in found}
    found |= fresh
    found |= _reached(tx, partner, child, list(fresh.values()), found)
    found = {name: kept for name, kept in found.items() if not referrals.is_answer(tx, partner, kept.body)}
    # Consents before all that may be cut off; and what a plan lists stands in its order, whoever else refers to it.
    ordered = sorted(_relative(tx, partner, found).values(), key=lambda kept: _FIRST.get(kept.type, len(_FIRST)))
    consents = sum(kept.type == "Consent" for kept in found.values())
    return Sent(tuple(ordered[:MOST]), len(found) > MOST, consents > MOST)


def called(tx: Tx, partner: str, consent: Mapping[str, Any]) -> set[str]:
    """The ids of the Patients of this world that bear an identifier by which this Consent names its child."""
    terms = calls(consent)
    found = resources.search(tx, partner, "Patient", [("identifier", terms)], limit=MOST) if terms else []
    return {kept.id for kept in found}


def _calling(tx: Tx, partner: str, patient: Mapping[str, Any]) -> list[Received]:
    """The Consents that refer to no Patient, and name this one by an identifier."""
    own = [f"{of}|{value}" for of, value in identifiers(patient)]
    return resources.search(tx, partner, "Consent", [(CALLED, own)], limit=MOST + 1) if own else []


def childless(tx: Tx, partner: str) -> Sent:
    """What names no child, and what no child's resources lead to."""
    loose: dict[str, Received] = {}
    for type_ in PARAMETERS:
        limit = MOST + 1 - len(loose)
        if limit > 0:
            found = resources.search(tx, partner, type_, [(CHILDLESS, ["yes"])], limit=limit)
            loose |= {_name(kept): kept for kept in found}
    loose = {name: kept for name, kept in loose.items() if not referrals.is_answer(tx, partner, kept.body)}
    loose = {name: kept for name, kept in loose.items() if not called(tx, partner, kept.body)}
    every = loose.keys() if len(loose) <= MOST else None
    alone = {name: kept for name, kept in loose.items() if not _has_child(tx, partner, kept, every)}
    return Sent(tuple(alone.values())[:MOST], len(loose) > MOST)


def _has_child(tx: Tx, partner: str, loose: Received, every: Collection[str] | None) -> bool:
    """Does some child's item hold this? As `belonging` goes: up from whatever refers to it, down along references
    unless it is of the directory; a PractitionerRole comes with its Practitioner. `every`: all that names no child."""
    seen: set[str] = set()
    waiting = [(loose, True)]
    while waiting and len(seen) <= MOST:
        kept, downwards = waiting.pop()
        if _name(kept) in seen:
            continue
        seen.add(_name(kept))
        near = [(each, False) for each in _referring(tx, partner, PARAMETERS, [_name(kept)])]
        if downwards and (kept.type not in DIRECTORY or kept.type == "PractitionerRole"):
            wanted = ("Practitioner",) if kept.type == "PractitionerRole" else None
            there = [each for each in _read(tx, partner, _targets(kept)) if wanted is None or each.type in wanted]
            near += [(each, each.type not in DIRECTORY) for each in there]
        for each, on in near:
            if children(each.body) or (every is not None and _name(each) not in every):
                return True
            waiting.append((each, on))
    return False


def _relative(tx: Tx, partner: str, found: Mapping[str, Received]) -> Mapping[str, Received]:
    """With references to this server as `Type/id`, however it was called when they were written: the index knows which
    of the whole addresses were ours. One of another server, whose ids are others, stays whole."""
    bases: set[str] = set()
    for kept in found.values():
        for _, text in references(kept.body):
            base, name = _split(text)
            if base and base not in bases and name in found and _refers(tx, partner, kept, name):
                bases.add(base)
    if not bases:
        return found
    return {name: replace(kept, body=_without(kept.body, bases)) for name, kept in found.items()}


def _split(text: str) -> tuple[str, str]:
    """(base, `Type/id`) of a whole address; ("", "") of anything else."""
    if not text.startswith(("http://", "https://")):
        return "", ""
    base, *name = text.partition("/_history/")[0].rsplit("/", 2)
    return base, "/".join(name)


def _refers(tx: Tx, partner: str, kept: Received, name: str) -> bool:
    """Was this found to lead to a resource of ours when it was written, and by the whole address alone?"""
    if name in _targets(kept):
        return False
    return resources.count(tx, partner, kept.type, [("_id", [kept.id]), (REFERS, [name])]) > 0


def _without(value: Any, bases: set[str]) -> Any:
    if isinstance(value, list):
        return [_without(each, bases) for each in value]
    if not isinstance(value, dict):
        return value
    made = {name: _without(each, bases) for name, each in value.items()}
    if isinstance(text := made.get("reference"), str) and _split(text)[0] in bases:
        made["reference"] = _split(text)[1]
    return made


def _may_be_of(kept: Received, child: str) -> bool:
    """Another Patient is not this child's; nor is what names other children alone."""
    named = children(kept.body)
    return kept.type != "Patient" and (not named or child in named)


def _referring(tx: Tx, partner: str, types: Iterable[str], targets: list[str]) -> list[Received]:
    return resources.referring(tx, partner, types, targets, limit=MOST + 1) if targets else []


def _reached(
    tx: Tx, partner: str, child: str, start: Iterable[Received], known: Mapping[str, Received]
) -> dict[str, Received]:
    """What these lead to, without what is `known` already."""
    found: dict[str, Received] = {}
    seen = set(known)
    waiting = list(start)
    while waiting and len(seen) <= MOST:
        wanted = [name for name in _targets(waiting.pop(0)) if name not in seen]
        seen.update(wanted)
        for kept in _read(tx, partner, wanted):
            if _may_be_of(kept, child):
                found[_name(kept)] = kept
                waiting.append(kept)
    return found


def _targets(kept: Received) -> list[str]:
    """`Type/id` of what a resource refers to in its own world, attachments too."""
    texts = [*(text for _, text in references(kept.body)), *attached(kept.body)]
    return list(dict.fromkeys(name for text in texts if (name := local(text, ""))))


def _read(tx: Tx, partner: str, names: Iterable[str]) -> list[Received]:
    found = (resources.read(tx, partner, *name.split("/", 1)) for name in names)
    return [each for each in found if each is not None and not each.deleted]


def _name(kept: Received) -> str:
    return f"{kept.type}/{kept.id}"
