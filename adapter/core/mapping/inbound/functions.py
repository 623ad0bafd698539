"""Our FHIRPath functions inwards, as mapping files use them: what our functions outwards do, the other way round.

`path`, `ours`, `own`, `words`, `short`, `csp`, `date`, `moment`, `real`, `resolve`, `referrers`,
`holder`: each is told of in
docs/mapping.md, *Inbound files*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any, Protocol

from adapter.core.mapping.codes import ConceptMap
from adapter.core.mapping.inbound.arrived import Arrived, Node, identifier, names
from adapter.core.mapping.inbound.notes import Told

OWN_EXTENSIONS = "https://csp-adapter.example/StructureDefinition/csp-"
OWN_CODES = "https://csp-adapter.example/CodeSystem/"
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\Z")
_WORD = re.compile(r"[a-z0-9]+")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)


class Paths(Protocol):
    """Where each resource of the set is to become a record."""

    def of(self, node: Node) -> str | None: ...
    def at_home(self, reference: Any) -> str | None: ...
    def is_ours(self, name: tuple[str, str]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Binding:
    """What the functions know while one resource is read; handed through the compiler as `extra`."""

    node: Node
    arrived: Arrived
    paths: Paths
    codes: Mapping[str, ConceptMap]
    open: frozenset[str]
    """The code lists that any short code may stand in."""
    zone: tzinfo
    told: Told

    def find(self, item: Any, rule: str) -> None:
        self.told.find(self.node.index, self.node.place(item), rule)


class Environment(Protocol):
    @property
    def extra(self) -> Any: ...


def path(env: Environment, items: list[Any], *collections: list[Any]) -> list[Any]:
    """`subject.path('child')`, `owner.path('people', 'providers')`: the `collection/id` that a Reference leads to.

    Of a resource: its own. Only in one of these collections; nothing, and a finding, where it leads to nothing.
    """
    binding: Binding = env.extra
    wanted = [str(one) for each in collections for one in each]
    found: list[Any] = []
    for item in items:
        node = binding.arrived.of(item) or binding.arrived.target(item, binding.node)
        here = binding.paths.of(node) if node is not None else None
        here = here or binding.paths.at_home(item)
        if here is not None and _within(here, wanted):
            found.append(here)
        elif here is None and node is None and any(names(item)):
            binding.find(item, "it refers to nothing that was sent with it: the reference is left out")
        elif here is None and node is not None:
            binding.find(item, "what it refers to becomes no record: the reference is left out")
    return found


def _within(path_: str, wanted: list[str]) -> bool:
    """`goals/g1` is in `goals`; `care_plans/p1/services/s1` in `care_plans/services`; `child` in `child`."""
    return "/".join(path_.split("/")[::2]) in wanted


def ours(env: Environment, items: list[Any], *maps: list[Any]) -> list[Any]:
    """`category.ours('domain')`: the code of ours that a code, Coding or CodeableConcept certainly means.

    Our own CodeSystem first; then another system's code, where its ConceptMap leads back to one code only; in a list
    that is open also a text that is itself a short code. Anything else is nothing, and a finding: never guessed.
    `ours('domain', 'among')`: among concepts of other kinds, which are no finding.
    """
    binding: Binding = env.extra
    name = str(maps[0][0]) if maps and maps[0] else ""
    map_, among = binding.codes.get(name), len(maps) > 1
    found: list[Any] = []
    for item in items:
        code = _ours(item, map_, name, binding) if map_ is not None else None
        if code is not None:
            found.append(code)
        elif _said(item) and not among:
            binding.find(item, f"no code of mappings/codes/{name}.json certainly means this: it is left out")
    return found


def _ours(item: Any, map_: ConceptMap, name: str, binding: Binding) -> str | None:
    if isinstance(item, str):
        return map_.backwards.get((map_.system, item))
    item = _concept(item)
    codings = _codings(item)
    own = [code for system, code in codings if system == OWN_CODES + name]
    if any(code in map_.translations for code in own):
        return next(code for code in own if code in map_.translations)
    meant = {map_.backwards[each] for each in codings if each in map_.backwards}
    if len(meant) == 1:
        return meant.pop()
    text = item.get("text") if isinstance(item, dict) else None
    if not codings and name in binding.open and isinstance(text, str) and _CODE.match(text):
        return text
    return None


def own(env: Environment, items: list[Any], *maps: list[Any]) -> list[Any]:
    """`csp('record-status').valueCode.own('goal-status')`: a code of ours, if the map has a line for it."""
    binding: Binding = env.extra
    name = str(maps[0][0]) if maps and maps[0] else ""
    map_ = binding.codes.get(name)
    found = [item for item in items if map_ is not None and isinstance(item, str) and item in map_.translations]
    for item in items:
        if item not in found:
            binding.find(item, f"mappings/codes/{name}.json has no such code: it is left out")
    return found


def short(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`role.words().short()`: a text as a short code, for lists that are open: small letters, digits and dashes."""
    made = ["-".join(_WORD.findall(item.casefold())) for item in items if isinstance(item, str)]
    return [each for each in made if _CODE.match(each)]


def words(env: Environment, items: list[Any], *maps: list[Any]) -> list[Any]:
    """`code.words('service')`: the words of a CodeableConcept, where they say more than our own code for it does.

    Its text, else the display of a coding that we have no code for. Without a map: its text, else a display.
    """
    binding: Binding = env.extra
    name = str(maps[0][0]) if maps and maps[0] else ""
    map_ = binding.codes.get(name)
    found: list[Any] = []
    for item in items:
        concept = _concept(item)
        code = _ours(concept, map_, name, binding) if map_ is not None else None
        said = _words(concept, known=code is not None)
        translation = map_.translate(code) if map_ is not None and code is not None else None
        if said is not None and said not in (code, translation.text if translation else ""):
            found.append(said)
    return found


def _words(concept: Any, *, known: bool) -> str | None:
    if not isinstance(concept, dict):
        return None
    if isinstance(text := concept.get("text"), str) and text.strip():
        return text
    displays = [c.get("display") for c in _objects(concept.get("coding"))] if not known else []
    return next((d for d in displays if isinstance(d, str) and d.strip()), None)


def csp(env: Environment, items: list[Any], *given: list[Any]) -> list[Any]:
    """`csp('tier').valuePositiveInt`: the extensions of ours of that name."""
    url = OWN_EXTENSIONS + (str(given[0][0]) if given and given[0] else "")
    holders = [each for each in items if isinstance(each, dict)]
    return [each for holder in holders for each in _objects(holder.get("extension")) if each.get("url") == url]


def whole_day(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`onsetDateTime.date()`: the whole day, in the agency's time zone. A year or a month is no day: left out, told."""
    binding: Binding = env.extra
    found: list[Any] = []
    for item in items:
        if (moment_ := _moment(item)) is not None:
            found.append(_local(moment_, binding.zone))
        elif _is_day(item):
            found.append(item)
        else:
            binding.find(item, "it does not say the day: it is left out")
    return found


def moment(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`authoredOn.moment()`: a date-time as it was written, a date as it is; anything less is left out, and told."""
    binding: Binding = env.extra
    found: list[Any] = []
    for item in items:
        if _moment(item) is not None or _is_day(item):
            found.append(item)
        else:
            binding.find(item, "it does not say the day: it is left out")
    return found


def _is_day(item: Any) -> bool:
    if not isinstance(item, str) or not _DAY.match(item):
        return False
    try:
        date.fromisoformat(item)
    except ValueError:
        return False
    return True


def _moment(item: Any) -> datetime | None:
    if not isinstance(item, str) or not _MOMENT.match(item):
        return None
    try:
        return datetime.fromisoformat(item)
    except ValueError:
        return None


def _local(at: datetime, zone: tzinfo) -> str:
    try:
        return at.astimezone(zone).date().isoformat()
    except OverflowError:
        return at.date().isoformat()


def real(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`identifier.real()`: the identifiers that people use, without the opaque ones that adapters give.

    Those are known to the caller as ours, or are the first of a resource that declares a profile of ours.
    """
    binding: Binding = env.extra
    meta = binding.node.body.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    declared = any(isinstance(p, str) and p.startswith(OWN_EXTENSIONS) for p in _listed(profiles))
    given = items[1:] if declared else items
    return [each for each in given if (name := identifier(each)) is None or not binding.paths.is_ours(name)]


def resolve(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`focus.resolve()`: the resource of the set that a Reference leads to, if there is one."""
    binding: Binding = env.extra
    nodes = [binding.arrived.target(item, binding.node) for item in items]
    return [node.body for node in nodes if node is not None]


def referrers(env: Environment, items: list[Any], *named: list[Any]) -> list[Any]:
    """`%resource.referrers('CarePlan', 'activity')`: the elements of that name, of resources of that type in the set,
    that refer to this resource."""
    binding: Binding = env.extra
    type_, name = (str(each[0]) if each else "" for each in (*named, [], [])[:2])
    nodes = [node for item in items if (node := binding.arrived.of(item)) is not None]
    return [
        element
        for node in nodes
        for referrer, place, element in binding.arrived.referrers(node)
        if referrer.type == type_ and place == name
    ]


def holder(env: Environment, items: list[Any], *_: list[Any]) -> list[Any]:
    """`….referrers('CarePlan', 'activity').holder()`: the resources that these elements stand in."""
    binding: Binding = env.extra
    nodes = [binding.arrived.holder(item) for item in items]
    return [node.body for node in nodes if node is not None]


def _concept(item: Any) -> Any:
    """R5 puts a CodeableConcept into a CodeableReference; a Coding is a concept of one coding."""
    if isinstance(item, dict) and isinstance(item.get("concept"), dict):
        return item["concept"]
    if isinstance(item, dict) and "code" in item and "coding" not in item:
        return {"coding": [item]}
    return item


def _codings(concept: Any) -> list[tuple[str, str]]:
    given = _objects(concept.get("coding")) if isinstance(concept, dict) else []
    pairs = [(each.get("system"), each.get("code")) for each in given]
    return [(s, c) for s, c in pairs if isinstance(s, str) and isinstance(c, str)]


def _said(item: Any) -> bool:
    """Does it say anything that could have been a code?"""
    concept = _concept(item)
    return isinstance(item, str) or bool(_codings(concept)) or _words(concept, known=False) is not None


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in _listed(value) if isinstance(each, dict)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


FUNCTIONS: Mapping[str, Callable[..., list[Any]]] = {
    "path": path,
    "ours": ours,
    "own": own,
    "short": short,
    "words": words,
    "csp": csp,
    "date": whole_day,
    "moment": moment,
    "real": real,
    "resolve": resolve,
    "referrers": referrers,
    "holder": holder,
}
"""What `load_inbound(functions=…)` is given."""
