"""Lays a case out flat for the last look: each leaf with its part, its entry and its topics towards one partner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapter.core.consent.rulebook import Rulebook

REFERENCE_ONLY = frozenset({"coordinator", "requested_by", "collected_by"})
"""Fields, and below records, where a sector's topic reaches the reference and nothing around it (*Topics*)."""
REFERENCE_ONLY_RECORDS = frozenset({"child", "enrolment"})


@dataclass(slots=True)
class Entry:
    """A record, or an object in a list: the smallest thing that a topic is put on."""

    pointer: str
    path: str
    collection: str
    list_name: str
    value: Mapping[str, Any]
    schema: Mapping[str, Any]
    above: Entry | None
    raised: set[str] = field(default_factory=set)
    """Topics that codes and sectors imply here; not yet without those that were lifted."""
    leaves: list[Leaf] = field(default_factory=list)

    line: tuple[Entry, ...] = field(init=False)
    """The record, and down to this entry."""
    chain: tuple[str, ...] = field(init=False)
    """The paths by which a provision may name this entry: its own and those of what it stands in."""

    def __post_init__(self) -> None:
        self.line = (*(self.above.line if self.above else ()), self)
        self.chain = tuple(entry.path for entry in self.line if entry.path)


@dataclass(slots=True)
class Leaf:
    """One value of the case, with what its schema says about it."""

    pointer: str
    field: str
    value: Any
    schema: Mapping[str, Any]
    part: str | None
    entry: Entry
    topics: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """The case, flat."""

    leaves: list[Leaf]
    entries: list[Entry]

    def paths(self) -> frozenset[str]:
        return frozenset(entry.path for entry in self.entries)


def lay_out(case: Mapping[str, Any], rulebook: Rulebook, partner: str) -> Case:
    """Every leaf of the case; a leaf that no schema knows has no part, and so is never permitted."""
    flat = Case([], [])
    for name, value in case.items():
        schema = rulebook.schemas.files.get(name)
        if schema is None or name == "case":
            top = Entry("", "", "", "", case, rulebook.schemas.files["case"], None)
            _walk(value, top.schema["properties"].get(name, {}), f"/{_step(name)}", name, top, flat, rulebook)
            flat.entries.append(top)
        elif isinstance(value, list):
            for index, record in enumerate(value):
                path = f"{name}/{record['id']}"
                _record(Entry(f"/{name}/{index}", path, name, "", record, schema, None), flat, rulebook)
        else:
            _record(Entry(f"/{name}", name, name, "", value, schema, None), flat, rulebook)
    _put_topics(flat, case, rulebook, partner)
    return flat


def _step(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def _record(entry: Entry, flat: Case, rulebook: Rulebook) -> None:
    flat.entries.append(entry)
    _members(entry.value, entry.schema, entry.pointer, entry, flat, rulebook)


def _members(
    value: Mapping[str, Any], schema: Mapping[str, Any], at: str, entry: Entry, flat: Case, rulebook: Rulebook
) -> None:
    fields = schema.get("properties", {})
    for name, member in value.items():
        _walk(member, fields.get(name, {}), f"{at}/{_step(name)}", name, entry, flat, rulebook, around=value)


def _walk(
    value: Any,
    schema: Mapping[str, Any],
    at: str,
    name: str,
    entry: Entry,
    flat: Case,
    rulebook: Rulebook,
    around: Mapping[str, Any] | None = None,
) -> None:
    schema = _branch(schema, value, entry)
    if isinstance(value, dict):
        _members(value, schema, at, entry, flat, rulebook)
    elif isinstance(value, list):
        inner = schema.get("items", {})
        for index, item in enumerate(value):
            if isinstance(item, dict):
                path = f"{entry.path}/{name}/{item['id']}" if "id" in item and entry.path else ""
                kind = _branch(inner, item, entry)
                _record(Entry(f"{at}/{index}", path, entry.collection, name, item, kind, entry), flat, rulebook)
            else:
                _walk(item, inner, f"{at}/{index}", name, entry, flat, rulebook, around)
    else:
        leaf = Leaf(at, name, value, schema, _part(schema, around or {}, rulebook), entry)
        flat.leaves.append(leaf)
        entry.leaves.append(leaf)


def _branch(schema: Mapping[str, Any], value: Any, entry: Entry) -> Mapping[str, Any]:
    """The schema that applies: what a `$ref` names in the same file, or the list or the single branch of an anyOf."""
    if "$ref" in schema:
        top = entry.line[0].schema
        return _branch(top["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, entry)
    if "anyOf" in schema and "x-part" not in schema and "properties" not in schema:
        wanted = "array" if isinstance(value, list) else "string"
        return next((branch for branch in schema["anyOf"] if branch.get("type") == wanted), {})
    return schema


def _part(schema: Mapping[str, Any], around: Mapping[str, Any], rulebook: Rulebook) -> str | None:
    by = schema.get("x-part-by")
    if by is not None:
        return rulebook.part_tables[by["table"]].get(around.get(by["field"], ""))
    return schema.get("x-part")


def _put_topics(flat: Case, case: Mapping[str, Any], rulebook: Rulebook, partner: str) -> None:
    """consent.md, *Topics*: from people, from codes, from sectors, towards this partner."""
    partner_of = _Sectors(case, rulebook, partner)
    placed: set[str] = set()
    for leaf in flat.leaves:
        if "x-codes" not in leaf.schema and "x-ref" not in leaf.schema:
            continue
        implied = _from_code(leaf, rulebook)
        if leaf.entry.collection == "child":
            placed |= implied if leaf.pointer.startswith("/child/placement/") else set()
        elif leaf.entry.path not in partner_of.exempt and not partner_of.names_itself(leaf):
            leaf.entry.raised |= implied
        carried = partner_of.carried(leaf.value) if "x-ref" in leaf.schema else frozenset()
        if leaf.field in REFERENCE_ONLY or leaf.entry.collection in REFERENCE_ONLY_RECORDS:
            leaf.topics |= carried
        elif leaf.entry.path not in partner_of.exempt:
            leaf.entry.raised |= carried
    of_entry = {id(entry): _of_entry(entry, partner_of) for entry in flat.entries}
    for leaf in flat.leaves:
        leaf.topics |= of_entry[id(leaf.entry)] | frozenset(leaf.schema.get("x-topics", ()))
        if leaf.pointer.startswith(("/child/placement/", "/child/lives_with/")):
            leaf.topics |= placed
        if leaf.schema.get("x-text") and not _labelled(leaf.entry, rulebook) and not _reviewed(leaf.entry):
            leaf.topics |= {"unreviewed"}


def _from_code(leaf: Leaf, rulebook: Rulebook) -> set[str]:
    table = rulebook.topics.get(leaf.schema.get("x-codes", ""), {})
    return set(table.get(leaf.value, ())) if isinstance(leaf.value, str) else set()


def _of_entry(entry: Entry, sectors: _Sectors) -> frozenset[str]:
    topics: set[str] = set()
    lifted: set[str] = set()
    own = False
    for step in entry.line:
        own = own or sectors.owns(step)
        lifted |= set(step.value.get("topics_lifted") or ())
        topics |= step.raised - lifted - (sectors.topics if own else frozenset())
        topics |= set(step.value.get("topics") or ()) if step.collection else set()
    return frozenset(topics)


def _labelled(entry: Entry, rulebook: Rulebook) -> bool:
    """Do the topics that stand in this record come from a source that sets them?"""
    if entry.line[0].path in rulebook.otherwise:
        return not rulebook.labels_topics
    return rulebook.labels_topics


def _reviewed(entry: Entry) -> bool:
    return any(step.value.get("reviewed") for step in entry.line)


class _Sectors:
    """Whose sector makes a reference sensitive towards this partner, and whose does not."""

    def __init__(self, case: Mapping[str, Any], rulebook: Rulebook, partner: str) -> None:
        organizations = {f"organizations/{each['id']}": each for each in case.get("organizations") or ()}
        providers = {f"providers/{each['id']}": each for each in case.get("providers") or ()}
        table = rulebook.topics.get("sector", {})
        self.own = {path for path, each in organizations.items() if each.get("partner") == partner}
        sectors = rulebook.partners[partner].sectors
        self.topics = frozenset(topic for sector in sectors for topic in table.get(sector, ()))
        self.own |= {path for path, each in providers.items() if each.get("organization") in self.own}
        agencies = [path for path, each in organizations.items() if _identified(each) & rulebook.agency]
        self.exempt: frozenset[str] = frozenset(agencies) if len(agencies) == 1 else frozenset()
        coordinator = (case.get("enrolment") or {}).get("coordinator", "")
        if providers.get(coordinator, {}).get("organization") in self.exempt:
            self.exempt |= {coordinator}
        self._sector = {
            path: frozenset(topic for sector in _listed(each.get("sector")) for topic in table.get(sector, ()))
            for path, each in organizations.items()
        }
        for path, each in providers.items():
            home = each.get("organization")
            self._sector[path] = self._sector.get(home, frozenset()) if home not in self.exempt else frozenset()

    def carried(self, reference: Any) -> frozenset[str]:
        """The topics that a reference to this organisation or provider brings with it."""
        if reference in self.own or reference in self.exempt:
            return frozenset()
        return self._sector.get(reference, frozenset())

    def names_itself(self, leaf: Leaf) -> bool:
        """Is this the sector of the partner's own organization?"""
        return leaf.field == "sector" and leaf.entry.path in self.own

    def owns(self, entry: Entry) -> bool:
        """Is this the partner's own service, team seat or referral, or the partner's or its worker's own record?"""
        value = entry.value
        match entry.collection, entry.list_name:
            case "care_plans", "services":
                return value.get("organization") in self.own or value.get("provider") in self.own
            case "care_teams", "members":
                return value.get("member") in self.own
            case "referrals", "":
                return any(value.get(name) in self.own for name in ("to", "from", "requested_by"))
            case (("organizations" | "providers"), ""):
                return entry.path in self.own
        return False


def _listed(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif value:
        yield from value


def _identified(organization: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    return frozenset(
        (each.get("system", ""), each["value"]) for each in organization.get("identifiers") or () if "value" in each
    )
