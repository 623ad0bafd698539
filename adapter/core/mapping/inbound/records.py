"""From FHIR resources that somebody sent to records of ours: each mapped, or refused with the element named.

The way back of exchange.md, *What comes in*. Pure: the resources, the files, and what the caller knows of the sender
decide. Nothing is guessed: what no mapping, code or reference certainly says is left out and told, and what a record
cannot be without is named as missing. Whatever is sent, the answer is a value.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from adapter.core.case import DANGLING, check
from adapter.core.fhir.models import problems
from adapter.core.mapping.codes import ConceptMap
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.inbound.about import about_one
from adapter.core.mapping.inbound.arrived import Arrived, Node, arrive, names
from adapter.core.mapping.inbound.consents import Consents, consent_record
from adapter.core.mapping.inbound.fit import alive, cleaned, field_of, named, open_lists, place_of, rule_id
from adapter.core.mapping.inbound.functions import Binding
from adapter.core.mapping.inbound.mapping import InboundMapping
from adapter.core.mapping.inbound.notes import Note, Told, expression
from adapter.core.partner import Release
from adapter.core.schema import SINGULAR, Schemas

_MOST_RECORDS = 2000
"""Of a collection, as the schema of a case allows."""
_CHILD = {"name": {"family": "-"}}
_MAKES, _ADDS, _ENTERS = 1, 2, 3
"""First what makes records, then what adds fields to them, then what enters their lists."""
_MISSING = "a required field is missing"


@dataclass(frozen=True, slots=True)
class Inbound:
    """The inbound mapping files of one release, and what they are held against."""

    release: Release
    mappings: Mapping[str, tuple[InboundMapping, ...]]
    """Type of resource → its mappings, in the order of files and documents."""
    codes: Mapping[str, ConceptMap]
    schemas: Schemas
    open: frozenset[str]

    @staticmethod
    def of(
        release: Release, mappings: Iterable[InboundMapping], codes: Mapping[str, ConceptMap], schemas: Schemas
    ) -> Inbound:
        by_type: dict[str, tuple[InboundMapping, ...]] = {}
        for mapping in mappings:
            by_type[mapping.from_] = (*by_type.get(mapping.from_, ()), mapping)
        return Inbound(release, by_type, codes, schemas, open_lists(schemas.files))


def _nobody(*_: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent it, and what the caller knows of it. `zone`: the agency's, in which its days begin and end.

    `source` tells senders apart: their resources' ids mean nothing elsewhere. `known(system, value)` gives the path of
    a record or entry of the case for an identifier that we gave out; `held("Type/id")` for an address at the sender of
    what it holds from us. `child`: the reference, address or `system|value` of the child where the caller knows.
    """

    source: str
    zone: tzinfo
    now: datetime
    known: Callable[[str, str], str | None] = _nobody
    held: Callable[[str], str | None] = _nobody
    child: str = ""
    consents: Consents | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """A record: its path (`goals/g1`), itself, and the resources that it was made of."""

    path: str
    record: dict[str, Any]
    sources: tuple[tuple[int, str], ...]

    @property
    def collection(self) -> str:
        return self.path.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Received:
    """What a set of resources becomes.

    `records`: each valid by its schema. `additions`: fields and entries for records that the case has and the set has
    not (the answer to a referral, a step of a goal). `incomplete`: what only lacks required fields, each of them named
    among `refused`: a person may complete it. `fields`: of the case itself (`program`).
    """

    records: tuple[Mapped, ...]
    additions: tuple[Mapped, ...]
    incomplete: tuple[Mapped, ...]
    fields: Mapping[str, Any]
    refused: tuple[Note, ...]
    findings: tuple[Note, ...]

    def case(self) -> dict[str, Any]:
        """The records as they stand in a case file."""
        made: dict[str, Any] = dict(self.fields)
        for each in self.records:
            if each.collection in SINGULAR:
                made[each.collection] = each.record
            else:
                made.setdefault(each.collection, []).append(each.record)
        return made


def records(given: Sequence[Any], using: Inbound, sender: Sender) -> Received:
    """The records of a set of resources and Bundles (JSON values, as parsed). Never raises for what was sent."""
    told = Told()
    arrived = _sound(arrive(given, told), using, told)
    run = _Run(using, sender, arrived, told)
    return run.received()


def _sound(arrived: Arrived, using: Inbound, told: Told) -> Arrived:
    """Without the resources that FHIR itself refuses, or that say of themselves that they cannot be read simply."""
    kept: list[Node] = []
    bad: set[int] = set()
    for node in arrived.nodes:
        if node.holder is not None:
            if id(node.holder) not in bad:
                kept.append(node)
            continue
        found = [(problem.pointer, problem.detail) for problem in problems(node.body, release=using.release)]
        found += [(at, _MODIFIED) for at in _modified(node.body)]
        for pointer, rule in found:
            told.refuse(node.index, expression(node.at, pointer), rule)
        if found:
            bad.add(id(node))
        else:
            kept.append(node)
    arrived.nodes = kept
    return arrived


_MODIFIED = "it may change what all else means in a way that is not known here"


def _modified(body: dict[str, Any]) -> Iterator[str]:
    """Where modifier extensions and implicit rules stand (http://hl7.org/fhir/R4/extensibility.html)."""
    waiting: list[tuple[str, Any]] = [("", body)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, dict):
            for name, inner in value.items():
                if name in ("modifierExtension", "implicitRules") and inner:
                    yield f"{at}/{name}"
                else:
                    waiting.append((f"{at}/{name}", inner))
        elif isinstance(value, list):
            waiting += [(f"{at}/{number}", inner) for number, inner in enumerate(value)]


@dataclass(eq=False, slots=True)
class _Draft:
    """A record that is being made. `home`: the case has it, and no resource of the set makes it whole."""

    path: str
    home: bool
    record: dict[str, Any] = field(default_factory=dict)
    makers: list[tuple[Node, InboundMapping | None]] = field(default_factory=list)
    entries: dict[tuple[str, str], tuple[Node, InboundMapping]] = field(default_factory=dict)
    """By the name of the list and the id of the entry: what it was made of."""

    @property
    def collection(self) -> str:
        return self.path.partition("/")[0]


class _Run:
    """One set of resources on its way. It implements the `Paths` that functions of mapping files ask."""

    def __init__(self, using: Inbound, sender: Sender, arrived: Arrived, told: Told) -> None:
        self._using = using
        self._sender = sender
        self._arrived = arrived
        self._told = told
        self._chosen: dict[int, tuple[InboundMapping, ...]] = {}
        self._paths: dict[int, str | None] = {}
        self._taken: dict[str, Node] = {}
        self._homes: set[str] = set()
        self._drafts: dict[str, _Draft] = {}
        self._fields: dict[str, Any] = {}

    def received(self) -> Received:
        kept = about_one(self._arrived, self._sender.child, self._is_child, self._told)
        self._arrived.nodes = [node for node in kept if self._choose(node)]
        for node in self._arrived.nodes:
            self.of(node)
        order = self._arrived.order()
        # What a plan lists stands in the order of that list; the rest in the order in which it was sent.
        listed = sorted(self._arrived.nodes, key=lambda n: order.get(id(n), len(order)))
        for kind in (_MAKES, _ADDS, _ENTERS):
            for node in listed:
                self._make(node, kind)
        return self._settled()

    # Paths: where each resource of the set is to become a record.

    def of(self, node: Node) -> str | None:
        if id(node) not in self._paths:
            self._paths[id(node)] = None  # what leads back to itself is nowhere
            self._paths[id(node)] = self._path(node)
        return self._paths[id(node)]

    def at_home(self, reference: Any) -> str | None:
        literal, logical = names(reference)
        found = self._sender.known(*logical) if logical else None
        found = found or (self._sender.held(literal) if literal else None)
        if found is not None:
            self._homes.add(found)
        return found

    def is_ours(self, name: tuple[str, str]) -> bool:
        return self._sender.known(*name) is not None

    def _is_child(self, reference: Any) -> bool:
        if isinstance(reference, Node):
            return self._home(reference) == "child"
        return self.at_home(reference) == "child"

    def _home(self, node: Node) -> str | None:
        """The path that the case knows this resource by: of an identifier that we gave out, or of its address."""
        names_ = [*node.identifiers(), *node.tags()]
        found = next((path for each in names_ if (path := self._sender.known(*each)) is not None), None)
        found = found or (self._sender.held(node.logical) if node.logical else None)
        if found is not None:
            self._homes.add(found)
        return found

    def _path(self, node: Node) -> str | None:
        if node.type == "Consent":
            return f"consents/{self._rule_id(node)}"
        mappings = [m for m in self._chosen.get(id(node), ()) if m.make != "case"]
        if not mappings:
            return None
        mapping, home = mappings[0], self._home(node)
        if mapping.with_ is not None:
            return _fits(home, mapping.make) or self._elsewhere(node, mapping, mapping.with_)
        if mapping.into is not None:
            if (whole := _fits(home, mapping.make)) is not None:
                return whole
            holder = self._elsewhere(node, mapping, mapping.into)
            names_ = mapping.make.split(".")[1:]
            one = mapping.each is None and len(names_) == 1
            return f"{holder}/{names_[0]}/{self._rule_id(node)}" if holder and one else None
        if mapping.make in SINGULAR:
            return mapping.make
        return _fits(home, mapping.make) or f"{mapping.make}/{self._rule_id(node)}"

    def _elsewhere(self, node: Node, mapping: InboundMapping, leads: Any) -> str | None:
        """The path of the record that `with` or `into` leads to."""
        for item in self._evaluated(node, mapping, leads):
            target = self._arrived.of(item) or self._arrived.target(item, node)
            found = self.of(target) if target is not None else None
            found = found or self.at_home(item)
            if found is not None and found.partition("/")[0] == mapping.collection:
                return "/".join(found.split("/")[:2])
        return None

    def _rule_id(self, node: Node) -> str:
        """The same for the same resource of the same sender, whatever stands in it; opaque."""
        key: Any = node.logical or min(node.identifiers(), default=None) or node.full_url or node.body
        if node.holder is not None:
            key = [self._rule_id(node.holder), node.body.get("id", node.body)]
        number, seed = 0, f"{self._sender.source} {node.type}"
        found = rule_id(seed, key)
        while self._taken.setdefault(found, node) is not node:
            number += 1
            found = rule_id(f"{seed} {number}", key)
        return found

    # Making: a template's fields into the record that takes them.

    def _choose(self, node: Node) -> bool:
        """Which mappings take a resource; refused where none does."""
        if node.type == "Consent":
            return True
        mappings = self._using.mappings.get(node.type, ())
        try:
            found = tuple(m for m in mappings if m.when is None or m.when.holds(node.body, **self._options(node)))
        except ExpressionError as error:
            self._unreadable(node, mappings[0], error)
            return False
        if found:
            self._chosen[id(node)] = found
            return True
        looked_at = next((m.looked_at for m in mappings if m.looked_at), "")
        if node.holder is not None:
            self._told.find(node.index, node.at, "no inbound mapping takes this: it is left out")
        elif not mappings:
            self._told.refuse(node.index, f"{node.at}.resourceType", "no inbound mapping takes resources of this type")
        else:
            at = f"{node.at}.{looked_at}" if looked_at else node.at
            self._told.refuse(node.index, at, "no inbound mapping takes a resource that says this, or does not say it")
        return False

    def _make(self, node: Node, kind: int) -> None:
        if node.type == "Consent":
            if kind == _MAKES:
                self._consent(node)
            return
        for mapping in self._chosen[id(node)]:
            if kind != (_ENTERS if mapping.into else _ADDS if mapping.with_ else _MAKES):
                continue
            try:
                self._make_by(node, mapping)
            except ExpressionError as error:
                self._unreadable(node, mapping, error)

    def _make_by(self, node: Node, mapping: InboundMapping) -> None:
        if mapping.make == "case":
            self._fields.update(self._rendered(node, mapping, node.body) or {})
        elif mapping.into is not None:
            self._add_entries(node, mapping)
        else:
            path = self.of(node)
            if mapping.with_ is not None:
                path = _fits(self._home(node), mapping.make) or self._elsewhere(node, mapping, mapping.with_)
            if path is None:
                at = f"{node.at}.{mapping.leads}" if mapping.leads else node.at
                self._told.refuse(node.index, at, "what this adds to was not sent with it, and is not known here")
                return
            self._add_fields(node, mapping, path)

    def _add_fields(self, node: Node, mapping: InboundMapping, path: str) -> None:
        draft = self._draft(path)
        if mapping.with_ is None:
            if not draft.home:
                self._told.refuse(node.index, node.at, "another resource of the set becomes the same record")
                return
            draft.home = False
            draft.makers.insert(0, (node, mapping))
        else:
            draft.makers.append((node, mapping))
        made = self._rendered(node, mapping, node.body) or {}
        # Who makes the record has the last word.
        draft.record = {**draft.record, **made} if mapping.with_ is None else {**made, **draft.record}

    def _add_entries(self, node: Node, mapping: InboundMapping) -> None:
        assert mapping.into is not None  # noqa: S101  _make_by asks it
        home = _fits(self._home(node), mapping.make)
        path = "/".join(home.split("/")[:2]) if home else self._elsewhere(node, mapping, mapping.into)
        if path is None:
            at = f"{node.at}.{mapping.leads}" if mapping.leads else node.at
            self._told.refuse(node.index, at, f"nothing that was sent with it takes it: it belongs into {mapping.make}")
            return
        draft = self._draft(path)
        holder = draft.record
        lists = mapping.make.split(".")[1:]
        if mapping.match is not None:
            wanted = mapping.match.render(node.body, **self._options(node)) or {}
            holder = self._between(node, draft, lists[0], wanted)
        items = [node.body] if mapping.each is None else self._evaluated(node, mapping, mapping.each)
        for item in items:
            entry = self._rendered(node, mapping, item)
            if entry is not None:
                id_ = home.split("/")[-1] if home else self._rule_id(node)
                if mapping.each is not None:
                    id_ = rule_id(f"{path} {id_}", entry)
                holder.setdefault(lists[-1], []).append({"id": id_, **entry})
                draft.entries[lists[-1], id_] = (node, mapping)

    def _between(self, node: Node, draft: _Draft, list_: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """The entry that is known by these fields; the first of several, which is told; a new one where none is."""
        entries = draft.record.setdefault(list_, [])
        found = [e for e in entries if isinstance(e, dict) and all(e.get(name) == v for name, v in wanted.items())]
        if len(found) > 1:
            self._told.find(node.index, node.at, f"it may belong to several entries of {list_}: the first has it")
        if not found:
            found = [dict(wanted)]
            entries.append(found[0])
        chosen: dict[str, Any] = found[0]
        return chosen

    def _consent(self, node: Node) -> None:
        """Read by docs/consents.md, never by a mapping file: never more than it permits, never less than it denies."""
        if self._sender.consents is None:
            self._told.refuse(node.index, node.at, "Consents are not taken over here")
            return
        path = self.of(node) or ""
        made, lost = consent_record(node, path, self._arrived, self, self._sender.consents, self._sender.zone)
        draft = self._draft(path)
        draft.home, draft.record = False, made
        draft.makers.append((node, None))
        for at, what in lost:
            self._told.find(node.index, at, what)

    def _draft(self, path: str) -> _Draft:
        return self._drafts.setdefault(path, _Draft(path, home=True))

    def _rendered(self, node: Node, mapping: InboundMapping, item: Any) -> dict[str, Any] | None:
        made = mapping.record.render(item, **self._options(node))
        return made if isinstance(made, dict) else None

    def _evaluated(self, node: Node, mapping: InboundMapping, what: Any) -> list[Any]:
        try:
            return [item for item in what.evaluate(node.body, **self._options(node)) if item is not None]
        except ExpressionError as error:
            self._unreadable(node, mapping, error)
            return []

    def _options(self, node: Node) -> dict[str, Any]:
        using, sender = self._using, self._sender
        binding = Binding(node, self._arrived, self, using.codes, using.open, sender.zone, self._told)
        variables = {"resource": node.body, "release": using.release}
        return {"variables": variables, "now": sender.now, "extra": binding}

    def _unreadable(self, node: Node, mapping: InboundMapping, error: ExpressionError) -> None:
        line = error.line or mapping.line
        self._told.refuse(node.index, node.at, f"{mapping.file}:{line} cannot read it: {error.reason}")

    # Settling: what is valid stays; what is not is refused; what referred to it loses the reference.

    def _settled(self) -> Received:
        drafts = self._fitting()
        bad: dict[str, bool] = {}
        while True:
            there = {*_paths_of(drafts, bad), "child", "enrolment", "family"}
            more = {path: only for path, draft in drafts.items() if path not in bad
                    and (only := self._wrong(draft, there)) is not None}  # fmt: skip
            if not more:
                break
            bad |= more
        good = [(draft, self._mapped(draft)) for path, draft in sorted(drafts.items()) if path not in bad]
        return Received(
            records=tuple(made for draft, made in good if not draft.home),
            additions=tuple(made for draft, made in good if draft.home),
            incomplete=tuple(self._mapped(drafts[path]) for path, lacks in sorted(bad.items()) if lacks),
            fields=self._fields,
            refused=tuple(sorted(self._told.refused)),
            findings=tuple(sorted(self._told.findings)),
        )

    def _fitting(self) -> dict[str, _Draft]:
        """The drafts with plain texts and with ids; no more of a collection than a case can hold."""
        counts: dict[str, int] = defaultdict(int)
        kept: dict[str, _Draft] = {}
        for path, draft in self._drafts.items():
            schema = self._using.schemas.files[draft.collection]
            draft.record = cleaned(draft.record, schema, schema) or {}
            if draft.collection not in SINGULAR:
                draft.record = {"id": path.partition("/")[2], **draft.record}
            named(draft.record, schema, schema, path)
            counts[draft.collection] += 1
            if counts[draft.collection] > _MOST_RECORDS:
                node = draft.makers[0][0] if draft.makers else self._arrived.nodes[0]
                self._told.refuse(node.index, node.at, f"a case holds at most {_MOST_RECORDS} {draft.collection}")
            else:
                kept[path] = draft
        return kept

    def _wrong(self, draft: _Draft, there: set[str]) -> bool | None:
        """None: a record of ours. Else it is refused, each element named; True where it only lacks required fields."""
        schema = self._using.schemas.files[draft.collection]

        def leads(path: str) -> bool:
            return path in there or path in self._homes

        def lost(place: tuple[str | int, ...], rule: str) -> None:
            self._told.find(*self._element(draft, place), rule)

        draft.record = alive(draft.record, schema, schema, leads, lost)
        found = self._problems(draft)
        if draft.home:
            found = [p for p in found if p[1] != _MISSING or len(p[0]) > 1]
        for place, rule in found:
            told = f"{draft.collection} need `{place[-1]}`: it is missing" if rule == _MISSING and place else rule
            self._told.refuse(*self._element(draft, place), told)
        return all(rule == _MISSING for _, rule in found) if found else None

    def _problems(self, draft: _Draft) -> list[tuple[tuple[str | int, ...], str]]:
        """What case.check finds in a case that holds this record: (place in the record, rule)."""
        single = draft.collection in SINGULAR
        case = {"case": "received", "program": "ontario-csp", "child": _CHILD} | {
            draft.collection: draft.record if single else [draft.record]
        }
        start = 1 if single else 2
        found = [(place_of(p.pointer), p.detail) for p in check(case, self._using.schemas) if p.detail != DANGLING]
        return [(place[start:], rule) for place, rule in found if place[:1] == (draft.collection,)]

    def _element(self, draft: _Draft, place: tuple[str | int, ...]) -> tuple[int, str]:
        """(index, FHIRPath) of what a place in the record was read from."""
        value: Any = draft.record
        for depth, step in enumerate(place):
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                break
            made_of = (
                draft.entries.get((str(place[depth - 1]), str(value.get("id")))) if isinstance(value, dict) else None
            )
            if made_of is not None:
                return made_of[0].index, _named(*made_of, field_of(place[depth + 1 :]))
        node, maker = draft.makers[0] if draft.makers else next(iter(draft.entries.values()))
        for other, mapping_ in draft.makers:
            if mapping_ is not None and field_of(place) in mapping_.elements:
                return other.index, _named(other, mapping_, field_of(place))
        return node.index, _named(node, maker, field_of(place)) if maker is not None else node.at

    def _mapped(self, draft: _Draft) -> Mapped:
        nodes = [node for node, _ in draft.makers] + [node for node, _ in draft.entries.values()]
        return Mapped(draft.path, draft.record, tuple(dict.fromkeys((node.index, node.at) for node in nodes)))


def _named(node: Node, mapping: InboundMapping, fields: tuple[str, ...]) -> str:
    """The element that these fields are read from; else the one around them; else the resource."""
    element = ""
    while fields and not element:
        below = (each for field_, each in mapping.elements.items() if field_[: len(fields)] == fields)
        element = mapping.elements.get(fields) or next(below, "")
        fields = fields[:-1]
    element = element.removeprefix("%").removeprefix(".")
    return f"{node.at}.{element}" if element else node.at


def _fits(path: str | None, make: str) -> str | None:
    """The path, if it is of what a mapping makes: `goals/g1/steps/t1` of `goals.steps`."""
    return path if path is not None and ".".join(path.split("/")[::2]) == make else None


def _paths_of(drafts: Mapping[str, _Draft], bad: Mapping[str, bool]) -> Iterator[str]:
    """Every path that a reference may name, of what is not refused."""
    for path, draft in drafts.items():
        if path not in bad:
            yield path
            for name, value in draft.record.items():
                for entry in value if isinstance(value, list) else ():
                    if isinstance(entry, dict) and "id" in entry:
                        yield f"{path}/{name}/{entry['id']}"
