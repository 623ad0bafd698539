"""Turns changes into the Bundles and single requests that a partner takes, in chunks of the size that it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from adapter.core import strict_json
from adapter.core.diff import Change, Create, Delete, Holding, Update, in_order, referred
from adapter.core.fhir.abilities import Way
from adapter.core.fhir.named import search

LARGEST = 4_000_000
"""Bytes of resources in one Bundle: what most servers take, and ours too (web/context.py)."""
Sent = Create | Update | Delete
"""The changes that need traffic."""
ALL_AT_ONCE = Way("transaction", 200)
"""Transactions, each entry under its condition."""


def type_of(change: Sent) -> str:
    """The FHIR type that a change is about."""
    return change.made.type if isinstance(change, Create) else change.holding.type


def sent_of(changes: Iterable[Change]) -> tuple[Sent, ...]:
    """Those of `changes` that need traffic, in their order."""
    return tuple(change for change in changes if isinstance(change, Create | Update | Delete))


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a partner's server: `path` under its base, "" for a Bundle; `body` is its resource, if it has one.

    `condition`: the query of `If-None-Exist`, `version` that of `If-Match`; of a Bundle each entry has its own.
    """

    method: Literal["POST", "PUT", "DELETE"]
    path: str = ""
    body: Mapping[str, Any] | None = None
    condition: str = ""
    version: str = ""


def transaction(changes: Sequence[Change], ids: Mapping[str, str], way: Way = ALL_AT_ONCE) -> dict[str, Any]:
    """One transaction Bundle (http://hl7.org/fhir/R4/http.html#transaction) for the changes that need traffic.

    What is created and what is updated has its urn as fullUrl: a server that validates what it gets (HAPI FHIR does)
    takes no resource without one.

    `ids`: `Type/id` at the partner by urn. A reference to what this Bundle creates stays a urn; one to what the partner
    holds becomes `Type/id`; any other raises ValueError, as do no change at all and two changes of one identity.
    """
    sent = _each_once(changes)
    created = {change.made.urn for change in sent if isinstance(change, Create)}
    known = {urn: place for urn, place in ids.items() if urn not in created}
    return _bundle("transaction", sent, created, known, way)


def request(changes: Sequence[Change], ids: Mapping[str, str], way: Way) -> Request:
    """The one request that carries these changes that way: a group of `groups`. ValueError: as `transaction`.

    In a batch each entry stands alone, so that nothing in it may refer to what it creates; alone travels one change.
    """
    if way.mode == "transaction":
        return Request("POST", body=transaction(changes, ids, way))
    sent = _each_once(changes)
    if way.mode == "batch":
        return Request("POST", body=_bundle("batch", sent, set(), ids, way))
    (change,) = sent
    entry = _entry(change, set(), ids, way)
    asked = entry["request"]
    return Request(
        asked["method"], asked["url"], entry.get("resource"), asked.get("ifNoneExist", ""), asked.get("ifMatch", "")
    )


def groups(changes: Sequence[Change], way: Way) -> tuple[tuple[Sent, ...], ...]:
    """The changes that need traffic, as they travel one request after the other.

    In transactions: `chunks`. In batches: in waves, each of which refers only to earlier ones; what is deleted, a type
    at a time, those first that may refer to others. Singly: along the same order. What refers in a circle cannot be
    made but in a transaction: there the reference that comes first waits for nobody, and `request` refuses it.
    """
    if way.mode == "transaction":
        return chunks(changes, way.chunk)
    ordered = [change for chunk in chunks(changes, 1) for change in chunk]
    if way.mode == "single":
        return tuple((change,) for change in ordered)
    waves: dict[tuple[int, int], list[Sent]] = {}
    depth: dict[str, int] = {}
    last = ""
    for place, change in enumerate(ordered):
        if isinstance(change, Delete):
            # Ordered backwards by type, directory resources last: a new type begins a new wave.
            wave = (1, place) if change.holding.type != last else max(waves)
            last = change.holding.type
        else:
            wave = (0, 1 + max((depth[urn] for urn in referred(change.made.resource) if urn in depth), default=0))
            if isinstance(change, Create):
                depth[change.made.urn] = wave[1]
        waves.setdefault(wave, []).append(change)
    return tuple(group for wave in sorted(waves) for group in _grouped([[each] for each in waves[wave]], way.chunk))


def without_theirs(changes: Iterable[Sent]) -> list[Sent]:
    """The same changes, with nothing in them that the partner itself has written."""
    return [replace(each, merged=None) if isinstance(each, Update) else each for each in changes]


def created(changes: Iterable[Sent]) -> set[str]:
    """The urns of what is created among these."""
    return {change.made.urn for change in changes if isinstance(change, Create)}


def unconditional(changes: Iterable[Sent], way: Way) -> list[Create]:
    """What would be created whether or not it is there already: it is to be looked for first."""
    return [each for each in changes if isinstance(each, Create) and not way.conditional(each.made.type)]


def _each_once(changes: Sequence[Change]) -> tuple[Sent, ...]:
    sent = sent_of(changes)
    if not sent:
        raise ValueError("no change needs a Bundle")
    _refuse_twins(sent)
    return sent


def _bundle(kind: str, sent: Sequence[Sent], created: set[str], known: Mapping[str, str], way: Way) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": [_entry(change, created, known, way) for change in sent]}


def led(resource: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """A copy in which each reference to a urn leads to its place (`Type/id`). ValueError: one has none."""
    copy: dict[str, Any] = _resolved(dict(resource), set(), places, str(resource.get("resourceType")))
    return copy


def chunks(changes: Sequence[Change], size: int) -> tuple[tuple[Sent, ...], ...]:
    """The changes that need traffic, in groups of at most `size`: a group refers only to itself or to earlier ones, and
    deletions come last. Only resources that refer to each other in a circle may make a group larger.

    Directory resources are deleted in groups of their own, after all else: where something that stays at the partner
    refers to one, that is refused, and with it the whole group.

    Where the bytes of documents are among them, a group also holds no more than LARGEST bytes, or one resource.

    A later group is made into a Bundle when the ids of the earlier ones are known.
    """
    if size < 1:
        raise ValueError("a chunk holds at least one change")
    sent = sent_of(changes)
    by_urn = {change.made.urn: change for change in sent if not isinstance(change, Delete)}
    writes = [by_urn[made.urn] for made in in_order(change.made for change in by_urn.values())]
    deletions = [change for change in sent if isinstance(change, Delete)]
    case: list[list[Sent]] = [[change] for change in deletions if not change.holding.directory]
    shared: list[list[Sent]] = [[change] for change in deletions if change.holding.directory]
    return _grouped([*_units(writes), *case], size) + _grouped(shared, size)


def alike(changes: Iterable[Change]) -> bool:
    """Are there two creates of one type? Then only the resources themselves, sent back, tell apart which is which."""
    types = [change.made.type for change in changes if isinstance(change, Create)]
    return len(set(types)) < len(types)


def _entry(change: Sent, created: set[str], known: Mapping[str, str], way: Way) -> dict[str, Any]:
    match change:
        case Create(made):
            resource = _resolved(made.resource, created, known, made.type)
            condition = {"ifNoneExist": search(made.type, made.identifier)} if way.conditional(made.type) else {}
            request = {"method": "POST", "url": made.type, **condition}
            return {"fullUrl": made.urn, "resource": resource, "request": request}
        case Update(made, held, merged):
            resource = {**_resolved(merged or made.resource, created, known, made.type), "id": held.id}
            request = {"method": "PUT", "url": f"{held.type}/{held.id}"}
            return {"fullUrl": made.urn, "resource": resource, "request": {**request, **_if_match(held)}}
        case Delete(held):
            return {"request": {"method": "DELETE", "url": f"{held.type}/{held.id}"}}


def _if_match(held: Holding) -> dict[str, str]:
    return {"ifMatch": f'W/"{held.version}"'} if held.version else {}


def _resolved(value: Any, created: set[str], known: Mapping[str, str], path: str) -> Any:
    """A copy of `value` in which references lead to where the partner holds what they mean; all else as it is."""
    if isinstance(value, list):
        return [_resolved(inner, created, known, path) for inner in value]
    if not isinstance(value, dict):
        return value
    copy = {key: _resolved(inner, created, known, f"{path}.{key}") for key, inner in value.items()}
    for key in ("reference", "url"):  # Reference.reference; Attachment.url, where it means a Binary of ours
        target = copy.get(key)
        if isinstance(target, str) and target.startswith("urn:uuid:" if key == "url" else "urn:"):
            copy[key] = _target(target, created, known, f"{path}.{key}")
    return copy


def _target(urn: str, created: set[str], known: Mapping[str, str], path: str) -> str:
    if urn in created:
        return urn
    if urn not in known:
        raise ValueError(f"{path} refers to what the partner does not hold and this Bundle does not create")
    return known[urn]


def _refuse_twins(sent: Sequence[Sent]) -> None:
    """Servers drop one of two entries with one identity, in silence (reference/servers.md, section 4)."""
    places = [
        (change.made.urn, (change.made.type, *change.made.identifier))
        if isinstance(change, Create)
        else (change.holding.urn, (change.holding.type, change.holding.id))
        for change in sent
    ]
    if any(len({place[part] for place in places}) < len(places) for part in (0, 1)):
        raise ValueError("two changes of one identity cannot travel in one Bundle")


def _units(writes: Sequence[Create | Update]) -> list[list[Sent]]:
    """Cuts `writes` wherever nothing before the cut refers to something that is created after it."""
    position = {change.made.urn: place for place, change in enumerate(writes) if isinstance(change, Create)}
    units: list[list[Sent]] = []
    reach = -1
    for place, change in enumerate(writes):
        if place > reach:
            units.append([])
        units[-1].append(change)
        reach = max(reach, *(position.get(urn, -1) for urn in referred(change.made.resource)), -1)
    return units


def _grouped(units: Sequence[Sequence[Sent]], size: int) -> tuple[tuple[Sent, ...], ...]:
    groups: list[list[Sent]] = []
    weighed, weight = any(type_of(change) == "Binary" for unit in units for change in unit), 0
    for unit in units:
        more = sum(map(_bytes, unit)) if weighed else 0
        if not groups or len(groups[-1]) + len(unit) > size or weight + more > LARGEST:
            groups.append([])
            weight = 0
        groups[-1] += unit
        weight += more
    return tuple(tuple(group) for group in groups)


def _bytes(change: Sent) -> int:
    return 0 if isinstance(change, Delete) else len(strict_json.dump(change.made.resource))
