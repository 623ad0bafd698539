"""Puts what templates give into records: first what makes them, then what adds fields, then what enters their lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.inbound.arrived import Arrived, Node
from adapter.core.mapping.inbound.consents import consent_record
from adapter.core.mapping.inbound.fit import rule_id
from adapter.core.mapping.inbound.mapping import InboundMapping
from adapter.core.mapping.inbound.notes import Told
from adapter.core.mapping.inbound.paths import Ways, fits
from adapter.core.mapping.inbound.values import Sender

_MAKES, _ADDS, _ENTERS = 1, 2, 3


@dataclass(eq=False, slots=True)
class Draft:
    """A record that is being made. `home`: the case has it, and no resource of the set makes it whole."""

    path: str
    home: bool = True
    record: dict[str, Any] = field(default_factory=dict)
    makers: list[tuple[Node, InboundMapping | None]] = field(default_factory=list)
    """What made it and what added to it; no mapping for a Consent."""
    entries: dict[tuple[str, str], tuple[Node, InboundMapping]] = field(default_factory=dict)
    """By the name of the list and the id of the entry: what it was made of."""

    @property
    def collection(self) -> str:
        return self.path.partition("/")[0]

    @property
    def nodes(self) -> list[Node]:
        """The resources that it was made of."""
        return [node for node, _ in self.makers] + [node for node, _ in self.entries.values()]


class Making:
    """The records of one set of resources, and the fields of the case itself."""

    def __init__(self, ways: Ways, sender: Sender, arrived: Arrived, told: Told) -> None:
        self._ways = ways
        self._sender = sender
        self._arrived = arrived
        self._told = told
        self._betweens: dict[tuple[str, str, str], tuple[dict[str, Any], bool]] = {}
        self.drafts: dict[str, Draft] = {}
        self.fields: dict[str, Any] = {}

    def make(self, nodes: Sequence[Node]) -> None:
        """All of these resources, in this order."""
        for kind in (_MAKES, _ADDS, _ENTERS):
            for node in nodes:
                self._make(node, kind)
        # What nothing was put into after all is no record of anything.
        self.drafts = {path: draft for path, draft in self.drafts.items() if draft.nodes}

    def _make(self, node: Node, kind: int) -> None:
        if node.type == "Consent":
            if kind == _MAKES:
                self._consent(node)
            return
        for mapping in self._ways.chosen(node):
            if kind != (_ENTERS if mapping.into else _ADDS if mapping.with_ else _MAKES):
                continue
            try:
                self._make_by(node, mapping)
            except ExpressionError as error:
                self._ways.unreadable(node, mapping, error)

    def _make_by(self, node: Node, mapping: InboundMapping) -> None:
        if mapping.make == "case":
            # Of several that say it, the first: records are in the same order as these.
            self.fields = {**(self._rendered(node, mapping) or {}), **self.fields}
            return
        path = self._ways.of(node) if mapping.makes else self._ways.elsewhere(node, mapping)
        if path is None:
            at = f"{node.at}.{mapping.leads}" if mapping.leads else node.at
            into = f"it belongs into {mapping.make}" if mapping.into else f"it adds to one of {mapping.make}"
            self._told.refuse(node.index, at, f"what takes it was not sent with it, and is not known here: {into}")
        elif mapping.into is not None:
            self._add_entry(node, mapping, path)
        else:
            self._add_fields(node, mapping, path)

    def _add_fields(self, node: Node, mapping: InboundMapping, path: str) -> None:
        draft = self._draft(path)
        if mapping.makes:
            if not draft.home:
                self._told.refuse(node.index, node.at, "another resource of the set becomes the same record")
                return
            draft.home = False
            draft.makers.insert(0, (node, mapping))
        else:
            draft.makers.append((node, mapping))
        made = self._rendered(node, mapping) or {}
        # Who makes the record has the last word.
        draft.record = {**draft.record, **made} if mapping.makes else {**made, **draft.record}

    def _add_entry(self, node: Node, mapping: InboundMapping, path: str) -> None:
        draft = self._draft(path)
        holder = draft.record
        lists = mapping.make.split(".")[1:]
        if mapping.match is not None:
            wanted = mapping.match.render(node.body, **self._ways.options(node)) or {}
            holder = self._between(node, draft, lists[0], wanted)
        home = fits(self._ways.home(node), mapping.make)
        id_ = home.rpartition("/")[2] if home else self._ways.rule_id(node)
        if (lists[-1], id_) in draft.entries:
            self._told.refuse(node.index, node.at, "another resource of the set becomes the same entry")
        elif (entry := self._rendered(node, mapping)) is not None:
            _list_in(holder, lists[-1]).append({"id": id_, **entry})
            draft.entries[lists[-1], id_] = (node, mapping)

    def _between(self, node: Node, draft: Draft, list_: str, wanted: dict[str, Any]) -> dict[str, Any]:
        """The entry that is known by these fields; the first of several, which is told; a new one where none is."""
        key = (draft.path, list_, rule_id("", wanted))
        if key not in self._betweens:
            entries = _list_in(draft.record, list_)
            found = [e for e in entries if isinstance(e, dict) and all(e.get(name) == v for name, v in wanted.items())]
            if not found:
                found = [dict(wanted)]
                entries.append(found[0])
            self._betweens[key] = (found[0], len(found) > 1)
        chosen, several = self._betweens[key]
        if several:
            self._told.find(node.index, node.at, f"it may belong to several entries of {list_}: the first has it")
        return chosen

    def _consent(self, node: Node) -> None:
        """Read by docs/consents.md, never by a mapping file: never more than it permits, never less than it denies."""
        if self._sender.consents is None:
            self._told.refuse(node.index, node.at, "Consents are not taken over here")
            return
        path = self._ways.of(node) or ""
        made, lost = consent_record(node, path, self._arrived, self._ways, self._sender.consents, self._sender.zone)
        draft = self._draft(path)
        draft.home, draft.record = False, made
        draft.makers.append((node, None))
        for at, what in lost:
            self._told.find(node.index, at, what)

    def _draft(self, path: str) -> Draft:
        return self.drafts.setdefault(path, Draft(path))

    def _rendered(self, node: Node, mapping: InboundMapping) -> dict[str, Any] | None:
        made = mapping.record.render(node.body, **self._ways.options(node))
        return made if isinstance(made, dict) else None


def _list_in(record: dict[str, Any], name: str) -> list[Any]:
    """The list of a record, whatever a template put there."""
    found = record.get(name, [])
    record[name] = found if isinstance(found, list) else [found]
    made: list[Any] = record[name]
    return made
