"""What a partner should hold against what it holds: the difference is what is sent (design.md, *Level, not edge*)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from adapter.core.strict_json import digest

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """One resource that a partner should hold now.

    `resource` carries no `id`; its references to other resources of ours are their urns. `urn` is the resource's own
    (`urn:uuid:…`), `identifier` its business identifier (system, value): both the partner's own and opaque
    (exchange.md, *Identity*). `directory` resources are created if absent and never updated. `about` is the path of the
    record in the case, `parts` and `topics` what it tells of: for the account of disclosures, never sent.
    """

    urn: str
    type: str
    identifier: tuple[str, str]
    resource: Resource
    directory: bool = False
    about: str = ""
    parts: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    theirs: tuple[str, ...] = ()
    """Elements that are the partner's once it holds the resource: what stands there stays, and is not compared."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One resource that the partner holds from us, as far as we know.

    `hash` is the `content` of what we last sent (with urns), empty when what the partner holds is
    not known to equal it. `ours` is false for what a conditional create found already there: never changed or deleted.
    `state`: active; frozen (a permit ran out: no more updates); withdrawn (taken back: only asks to purge refer to it).
    `contested`: the version there in which somebody changed what is not theirs to change: a person decides whose it is.
    `late`: when it is looked for once more, earliest first: what was sent and not found may still be on its way there.
    `leaving`: when it is looked at once more: so may a request to take it back, after which it was permitted again.
    """

    urn: str
    type: str
    identifier: tuple[str, str]
    id: str
    version: str
    hash: str
    directory: bool = False
    ours: bool = True
    state: Literal["active", "frozen", "withdrawn"] = "active"
    about: str = ""
    parts: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    contested: str = ""
    late: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Create:
    """The partner does not hold it, or holds it no more."""

    made: Made


@dataclass(frozen=True, slots=True)
class Adopt:
    """The partner holds it already as it should be: through another share (a directory resource), or frozen and now
    permitted again. No traffic; this share keeps `holding`, active."""

    made: Made
    holding: Holding


@dataclass(frozen=True, slots=True)
class Update:
    """What the partner holds is not, or not known to be, what it should hold. `merged`: what is sent where they keep
    something of theirs in it."""

    made: Made
    holding: Holding
    merged: Resource | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """It is no longer permitted, and it is ours to take back."""

    holding: Holding


@dataclass(frozen=True, slots=True)
class Freeze:
    """A permit ran out: what was lawfully given stays as it is. No traffic."""

    holding: Holding


@dataclass(frozen=True, slots=True)
class Release:
    """It is not ours to take back, or others still use it: this share forgets it. No traffic."""

    holding: Holding


Change = Create | Adopt | Update | Delete | Freeze | Release


def content(made: Made) -> str:
    """The SHA-256 of the canonical JSON of a resource, without what is the partner's own in it."""
    if not made.theirs:
        return digest(made.resource)
    return digest({name: value for name, value in made.resource.items() if name not in made.theirs})


ORDER = (
    "Endpoint",
    "Organization",
    "Location",
    "HealthcareService",
    "Practitioner",
    "PractitionerRole",
    "Patient",
    "RelatedPerson",
    "Binary",
    "Observation",
    "Condition",
    "RiskAssessment",
    "DocumentReference",
    "Consent",
    "CareTeam",
    "Goal",
    "ServiceRequest",
    "EpisodeOfCare",
    "Encounter",
    "Appointment",
    "Task",
    "CarePlan",
    "Composition",
    "Provenance",
)
"""FHIR types so that each refers only to earlier ones and to its own (exchange.md, *Identity*: a directed acyclic
graph). Creation runs along it, withdrawal backwards. Types that are not named come last."""


def changes(
    desired: Sequence[Made],
    holdings: Sequence[Holding],
    *,
    frozen: Collection[str] = (),
    directory: Mapping[str, Holding] = MappingProxyType({}),
    kept_elsewhere: Collection[str] = (),
) -> tuple[Change, ...]:
    """What makes `holdings` equal to `desired`: first what needs no traffic, then writes along ORDER, then deletions
    backwards. Independent of the order of its arguments; nothing for what is equal.

    `frozen`: urns of what may stay at the partner although it is not desired (consent.md, *When permission ends*).
    `directory`: what this partner holds of directory resources through other shares, by urn; `kept_elsewhere`: the
    urns of those that other shares still use. Raises ValueError if one urn stands for two different resources.
    """
    wanted, held = _wanted(desired), _held(holdings)
    writes = [_write(made, held.get(made.urn), directory.get(made.urn)) for made in in_order(wanted.values())]
    ends = [
        _ending(holding, holding.urn in frozen, holding.urn in kept_elsewhere)
        for holding in sorted(held.values(), key=_place, reverse=True)
        if holding.urn not in wanted
    ]
    needed = [change for change in (*writes, *ends) if change is not None]
    return tuple(sorted(needed, key=lambda change: not isinstance(change, Adopt | Freeze | Release)))


def in_order(resources: Iterable[Made]) -> list[Made]:
    """Each after everything that it refers to (where they refer in a circle, along ORDER); ties are broken by urn."""
    by_urn = {made.urn: made for made in sorted(resources, key=_place)}
    placed: dict[str, Made] = {}
    begun: set[str] = set()
    waiting = [(urn, False) for urn in reversed(by_urn)]
    while waiting:
        urn, referred_are_placed = waiting.pop()
        if referred_are_placed:
            placed[urn] = by_urn[urn]
        elif urn not in begun:
            begun.add(urn)
            waiting.append((urn, True))
            first = sorted((by_urn[other] for other in referred(by_urn[urn].resource) if other in by_urn), key=_place)
            waiting += [(made.urn, False) for made in reversed(first)]
    return list(placed.values())


def against_order(resources: Iterable[Made]) -> tuple[str, ...]:
    """References among `resources` that break ORDER, as sentences with types only; empty if there are none.

    A reference must lead to an earlier type, or within a type to a resource that does not lead back.
    """
    by_urn = {made.urn: made for made in resources}
    position = {made.urn: place for place, made in enumerate(in_order(by_urn.values()))}
    return tuple(
        sorted(
            {
                f"{made.type} refers to {by_urn[urn].type}, against the order of creation"
                for made in by_urn.values()
                for urn in referred(made.resource)
                if urn in by_urn and (_rank(by_urn[urn].type) > _rank(made.type) or position[urn] >= position[made.urn])
            }
        )
    )


def referred(value: Any) -> frozenset[str]:
    """The urns that a resource refers to, wherever they stand in it."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            reference, url = node.get("reference"), node.get("url")
            if isinstance(reference, str) and reference.startswith("urn:"):
                found.add(reference)
            if isinstance(url, str) and url.startswith("urn:uuid:"):  # Attachment.url: a Binary of ours
                found.add(url)
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return frozenset(found)


def without_traffic(change: Adopt | Freeze | Release) -> Holding | None:
    """What the share holds after a change that sends nothing; None: it forgets the holding."""
    match change:
        case Adopt(made, holding):
            return replace(holding, state="active", about=made.about, parts=made.parts, topics=made.topics)
        case Freeze(holding):
            return replace(holding, state="frozen")
        case Release():
            return None


def _write(made: Made, holding: Holding | None, elsewhere: Holding | None) -> Create | Adopt | Update | None:
    if holding is None or holding.state == "withdrawn":
        if made.directory and elsewhere is not None and elsewhere.state != "withdrawn":
            return Adopt(made, elsewhere)
        return Create(made)
    if holding.ours and not made.directory and not holding.directory and holding.hash != content(made):
        return Update(made, holding)
    return Adopt(made, holding) if holding.state == "frozen" else None


def _ending(holding: Holding, may_stay: bool, used_elsewhere: bool) -> Delete | Freeze | Release | None:
    if holding.state == "withdrawn":
        return None
    if may_stay:
        return Freeze(holding) if holding.state == "active" else None
    if not holding.ours or (holding.directory and used_elsewhere):
        return Release(holding)
    return Delete(holding)


def _wanted(desired: Sequence[Made]) -> dict[str, Made]:
    wanted: dict[str, Made] = {}
    for made in desired:
        wanted[made.urn] = made if made.urn not in wanted else _one_of(wanted[made.urn], made)
    return wanted


def _one_of(one: Made, other: Made) -> Made:
    """Words for one directory resource may differ; it is never updated, so that either will do, but always the same."""
    first, second = sorted((one, other), key=lambda made: (digest(made.resource), made.about))
    same = (one.directory and other.directory) or digest(one.resource) == digest(other.resource)
    if one.type != other.type or not same:
        raise ValueError(f"one urn stands for two different resources ({first.type}, {second.type})")
    return first


def _held(holdings: Sequence[Holding]) -> dict[str, Holding]:
    held = {holding.urn: holding for holding in holdings}
    if len(held) != len(holdings):
        raise ValueError("one urn stands for two holdings of one share")
    return held


def _rank(type_: str) -> int:
    return ORDER.index(type_) if type_ in ORDER else len(ORDER)


def _place(thing: Made | Holding) -> tuple[int, str, str]:
    return _rank(thing.type), thing.type, thing.urn
