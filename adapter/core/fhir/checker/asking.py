"""The rules of definitions that are expressions (invariants), asked of what is well-formed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from adapter.core.fhir.checker import natives
from adapter.core.fhir.checker.definitions import Node
from adapter.core.fhir.checker.invariants import NATIVE, Invariant
from adapter.core.fhir.checker.plain import Plain as Plainly
from adapter.core.fhir.checker.primitives import PRIMITIVES
from adapter.core.fhir.checker.run import At, Check, Run
from adapter.core.mapping.elements import Element
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.syntax import Node as Expression

if TYPE_CHECKING:
    from adapter.core.fhir.checker.shapes import Shapes


_BACKBONES = frozenset({"BackboneElement", "Element"})


class Asking:
    """The checks that ask the rules of one element: those of its type and its own."""

    def __init__(self, shapes: Shapes, elements: Callable[[Node, str], Node], *, warnings: bool) -> None:
        self._shapes = shapes
        self._severities = {"error", "warning"} if warnings else {"error"}
        self._plainly = Plainly(elements)

    def of_object(self, node: Node, code: str) -> Check | None:
        """The rules of a type, and those of the element where it stands."""
        nodes = [node] if "." not in node.path else [self._type_root(code), node]
        path = node.path if code in _BACKBONES or "." not in node.path else code
        rules = self._rules([each for each in nodes if each], code, path)
        asking = self._asking(rules, code, self._path(node, path)) if rules else None
        if code == "Meta":
            return natives.both(natives.meta, asking) if asking else natives.meta
        return asking

    def of_primitive(self, node: Node, code: str) -> Check | None:
        """The rules of the element where a primitive stands."""
        rules = self._rules([node], code, node.path)
        return self._asking(rules, code, code) if rules else None

    def _path(self, node: Node, path: str) -> str:
        """A path as the model of FHIRPath knows it: where a content reference leads, its target's."""
        reference = node.element.get("contentReference")
        return str(reference).partition("#")[2] if reference else path

    def _type_root(self, code: str) -> Node | None:
        definition = self._shapes.definitions.structure(code) if code not in _BACKBONES else None
        return self._shapes.root(definition) if definition else None

    def _rules(self, nodes: Iterable[Node], code: str, path: str) -> list[Invariant]:
        rules: dict[str, Invariant] = {}
        for node in nodes:

            def plain(expression: Expression, node: Node = node) -> Callable[[dict[str, Any]], bool] | None:
                return None if code in PRIMITIVES else self._plainly.compiled(expression, node, code)

            for constraint in node.element.get("constraint", ()):
                key = constraint["key"]
                if key in NATIVE or key in rules or "expression" not in constraint:
                    continue
                if constraint["severity"] in self._severities:
                    rules[key] = Invariant(
                        constraint, self._shapes.model, lambda name: self._names(code, path, name), plain
                    )
        return list(rules.values())

    def _names(self, code: str, path: str, name: str) -> list[str]:
        """The fields of JSON in which an element of an object may stand."""
        keys = self._shapes.model.choices(path, name) or self._shapes.model.choices(code, name) or [name]
        return [written for key in keys for written in (key, f"_{key}")]

    def _asking(self, rules: list[Invariant], code: str, path: str) -> Check:
        """The quick ones as Python, the others over FHIR's types where an object has what could break them."""
        model = self._shapes.model
        quick = tuple((rule.plain, rule.detail) for rule in rules if rule.plain is not None)
        others = [rule for rule in rules if rule.plain is None]
        kind = "BackboneElement" if code in _BACKBONES else code

        def typed(some: Iterable[Invariant], value: Any, at: At, run: Run) -> None:
            element = None
            for rule in some:
                if rule.need_not_be_asked(value):
                    continue
                element = element or Element(model, value, kind, path)
                try:
                    holds = rule.holds(element, run.env(model.root))
                except ExpressionError:
                    holds = False
                if not holds:
                    run.wrong(at, rule.detail)

        def check(value: Any, at: At, run: Run) -> None:
            if run.beside and not all(run.beside.isdisjoint(rule.reads) for rule in rules):
                typed(rules, value, at, run)
                return
            try:
                for holds, detail in quick:
                    if not holds(value):
                        run.wrong(at, detail)
            except ExpressionError:
                typed(rules, value, at, run)
                return
            if others:
                typed(others, value, at, run)

        return check
