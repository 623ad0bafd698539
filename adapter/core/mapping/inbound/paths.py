"""Where each resource of a set is to become a record: which mapping takes it, and under which path."""

from __future__ import annotations

from collections import Counter
from typing import Any

from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import Expression
from adapter.core.mapping.inbound.arrived import Arrived, Node, names
from adapter.core.mapping.inbound.fit import rule_id
from adapter.core.mapping.inbound.functions import Binding
from adapter.core.mapping.inbound.mapping import InboundMapping
from adapter.core.mapping.inbound.notes import Told
from adapter.core.mapping.inbound.values import Inbound, Sender
from adapter.core.schema import SINGULAR


class Ways:
    """The `Paths` that functions of mapping files ask, for one set of resources.

    `homes`: every path that the caller gave for something of the set: the case has it, whatever becomes of it here.
    """

    def __init__(self, using: Inbound, sender: Sender, arrived: Arrived, told: Told) -> None:
        self._using = using
        self._sender = sender
        self._arrived = arrived
        self._told = told
        self._chosen: dict[int, tuple[InboundMapping, ...]] = {}
        self._paths: dict[int, str | None] = {}
        self._ids: dict[int, str] = {}
        self._taken: Counter[str] = Counter()
        self.homes: set[str] = set()

    def choose(self, node: Node) -> bool:
        """Which mappings take a resource; refused where none does."""
        if node.type == "Consent":
            return True
        mappings = self._using.mappings.get(node.type, ())
        try:
            found = tuple(m for m in mappings if m.when is None or m.when.holds(node.body, **self.options(node)))
        except ExpressionError as error:
            self.unreadable(node, mappings[0], error)
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

    def chosen(self, node: Node) -> tuple[InboundMapping, ...]:
        """The mappings that take a resource."""
        return self._chosen.get(id(node), ())

    def of(self, node: Node) -> str | None:
        """The path of the record, or entry of one, that a resource becomes or adds to; None: of none."""
        if id(node) not in self._paths:
            self._paths[id(node)] = None  # what leads back to itself is nowhere
            self._paths[id(node)] = self._path(node)
        return self._paths[id(node)]

    def at_home(self, reference: Any) -> str | None:
        """The path of what the case has, that a reference to outside of the set leads to."""
        literal, logical = names(reference)
        found = self._sender.known(*logical) if logical else None
        found = found or (self._sender.held(literal) if literal else None)
        if found is not None:
            self.homes.add(found)
        return found

    def is_ours(self, name: tuple[str, str]) -> bool:
        """Did we give out this identifier?"""
        return self._sender.known(*name) is not None

    def is_child(self, reference: Any) -> bool:
        """Is this resource, or what this reference leads to, the child of the case?"""
        if isinstance(reference, Node):
            return self.home(reference) == "child"
        return self.at_home(reference) == "child"

    def home(self, node: Node) -> str | None:
        """The path that the case knows this resource by: of an identifier that we gave out, or of its address."""
        given = (*node.identifiers(), *node.tags())
        found = next((path for each in given if (path := self._sender.known(*each)) is not None), None)
        found = found or (self._sender.held(node.logical) if node.logical else None)
        if found is not None:
            self.homes.add(found)
        return found

    def _path(self, node: Node) -> str | None:
        if node.type == "Consent":
            return f"consents/{self.rule_id(node)}"
        mappings = [m for m in self.chosen(node) if m.make != "case"]
        if not mappings:
            return None
        mapping, home = mappings[0], self.home(node)
        if mapping.with_ is not None:
            return self.elsewhere(node, mapping)
        if mapping.into is not None:
            if (whole := fits(home, mapping.make)) is not None:
                return whole
            holder = self.elsewhere(node, mapping)
            lists = mapping.make.split(".")[1:]
            return f"{holder}/{lists[0]}/{self.rule_id(node)}" if holder and len(lists) == 1 else None
        if mapping.make in SINGULAR:
            return mapping.make
        return fits(home, mapping.make) or f"{mapping.make}/{self.rule_id(node)}"

    def elsewhere(self, node: Node, mapping: InboundMapping) -> str | None:
        """The path of the record that `with` or `into` leads to: the one that we know it by, else by what it says."""
        if (home := fits(self.home(node), mapping.make)) is not None:
            return "/".join(home.split("/")[:2])
        leads = mapping.with_ or mapping.into
        if leads is None:
            return None
        for item in self._evaluated(node, mapping, leads):
            target = self._arrived.of(item) or self._arrived.target(item, node)
            found = self.of(target) if target is not None else None
            found = found or self.at_home(item)
            if found is not None and found.partition("/")[0] == mapping.collection:
                return "/".join(found.split("/")[:2])
        return None

    def rule_id(self, node: Node) -> str:
        """The same for the same resource of the same sender, whatever stands in it; opaque."""
        if id(node) not in self._ids:
            key: Any = node.logical or min(node.identifiers(), default=None) or node.full_url or node.body
            if node.holder is not None:
                key = [self.rule_id(node.holder), node.body.get("id", node.body)]
            seed = f"{self._sender.source} {node.type}"
            found = rule_id(seed, key)
            number = self._taken[found]
            self._taken[found] += 1
            self._ids[id(node)] = rule_id(f"{seed} {number}", key) if number else found
        return self._ids[id(node)]

    def _evaluated(self, node: Node, mapping: InboundMapping, what: Expression) -> list[Any]:
        try:
            return [item for item in what.evaluate(node.body, **self.options(node)) if item is not None]
        except ExpressionError as error:
            self.unreadable(node, mapping, error)
            return []

    def options(self, node: Node) -> dict[str, Any]:
        """What an expression or a template is given with a resource."""
        using, sender = self._using, self._sender
        binding = Binding(node, self._arrived, self, using.codes, using.open, sender.zone, self._told)
        variables = {"resource": node.body, "release": using.release}
        return {"variables": variables, "now": sender.now, "extra": binding}

    def unreadable(self, node: Node, mapping: InboundMapping, error: ExpressionError) -> None:
        """A resource that breaks a rule of FHIRPath in a mapping file is refused, with the line of the file."""
        line = error.line or mapping.line
        self._told.refuse(node.index, node.at, f"{mapping.file}:{line} cannot read it: {error.reason}")


def fits(path: str | None, make: str) -> str | None:
    """The path, if it is of what a mapping makes: `goals/g1/steps/t1` of `goals.steps`."""
    return path if path is not None and ".".join(path.split("/")[::2]) == make else None
