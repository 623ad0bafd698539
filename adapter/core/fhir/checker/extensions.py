"""Extensions: each held against its definition, and whether it may stand where it does.

Source: http://hl7.org/fhir/R4/extensibility.html and defining-extensions.html#context. An extension that nobody here
defines is allowed, since that is what extensions are for; not so a modifier, which changes the meaning of what it
stands in, and not one whose URL is ours and that we do not define: that is a mistake of our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from adapter.core.fhir.checker.definitions import HL7, Node
from adapter.core.fhir.checker.patterns import wanted
from adapter.core.fhir.checker.run import At, Check, Member, Run, names
from adapter.core.mapping.elements import Element
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import compile_expression

if TYPE_CHECKING:
    from adapter.core.fhir.checker.shapes import Shapes

_BASE = HL7 + "Extension"
_ANYWHERE = frozenset({"Element", "Any"})


class Extensions:
    """What the extensions of one release may be."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._fitting: set[tuple[str, tuple[str, ...], bool]] = set()

    def member(self, node: Node) -> Member:
        """The check of `extension` or `modifierExtension` in one kind of element."""
        slices = {url: each for each in node.slices.values() if (url := _url(each))}
        modifies = node.path.endswith(".modifierExtension")
        within = node.definition if node.definition["type"] == "Extension" else None
        defined = within is not None and within["url"] != _BASE
        called = (node.path, "Extension")
        least, most = node.least, node.most
        made: dict[str, Check] = {}
        needed = {url: each for url, each in slices.items() if each.least}

        def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
            if field.__class__ is not list or not field:
                run.wrong_in(at, name, "must be a list" if field.__class__ is not list else "must not be empty (ele-1)")
                return
            if most == 0:
                run.wrong_in(at, name, "no extension may stand here")
                return
            if not least <= len(field) <= most:
                run.wrong_in(at, name, "has more or fewer extensions than may stand here")
            counts: dict[str, int] = {}
            for position, item in enumerate(field):
                place = (at, name, position, called)
                url = item.get("url") if item.__class__ is dict else None
                if url.__class__ is not str:
                    self._base()(item, place, run)
                    continue
                counts[url] = counts.get(url, 0) + 1
                check = made.get(url)
                if check is None:
                    check = self._check(url, slices.get(url))
                    if url in slices or self._definition(url):  # what partners make up is without end
                        made[url] = check
                check(item, place, run)
                if (url, at[3], modifies) in self._fitting:
                    continue
                if why := self._why_not_here(url, slices, at, value, run, modifies=modifies, defined=defined):
                    run.wrong(place, why)
            for url, count in counts.items():
                if url in slices and count > slices[url].most:
                    run.wrong_in(at, name, _limits(url, slices[url]))
            for url, each in needed.items():
                if counts.get(url, 0) < each.least:
                    run.wrong_in(at, name, _limits(url, each))

        return member

    def _base(self) -> Check:
        return self._shapes.base("Extension")

    def _check(self, url: str, slice_: Node | None) -> Check:
        """By the slice where it says more than the definition does, else by the definition, else as any extension."""
        if slice_ is not None and slice_.children:
            return self._shapes.value(slice_, {"code": "Extension"})
        definition = self._definition(url)
        found = self._shapes.of(definition["url"]) if definition else None
        return found or self._base()

    def _definition(self, url: str) -> Mapping[str, Any] | None:
        found = self._shapes.definitions.structures.get(url)
        return found if found and found["type"] == "Extension" else None

    def _why_not_here(
        self,
        url: str,
        slices: Mapping[str, Node],
        at: At,
        value: dict[str, Any],
        run: Run,
        *,
        modifies: bool,
        defined: bool,
    ) -> str | None:
        definition = self._definition(url)
        if definition is None:
            if modifies:
                return "a modifier that is not known here must not be passed over"
            if ":" not in url:
                return None if url in slices or not defined else "is no part of the extension that it stands in"
            if url.startswith(self._shapes.definitions.own or "\0"):
                return "an extension of ours that no definition describes"
            return None
        root = self._shapes.root(definition)
        if bool(root.element.get("isModifier")) is not modifies:
            return "must stand in modifierExtension" if not modifies else "must stand in extension"
        if not self._fits(url, definition, root, at, value, run):
            return "may not stand in this element, by its definition"
        return None

    def _fits(
        self, url: str, definition: Mapping[str, Any], root: Node, at: At, value: dict[str, Any], run: Run
    ) -> bool:
        contexts = definition.get("context", ())
        if not contexts:
            return True
        called = set(self._called(at))
        for context in contexts:
            kind, expression = context.get("type", "element"), context.get("expression", "")
            if kind == "element" and (
                expression in _ANYWHERE or expression.partition("#")[2] in _ANYWHERE or expression in called
            ):
                if at[3]:
                    self._fitting.add((url, at[3], bool(root.element.get("isModifier"))))
                return True
            if kind == "extension" and _around(at, value) == expression:
                return True
            if kind == "fhirpath" and self._selected(expression, value, run):
                return True
        return False

    def _called(self, at: At) -> Iterator[str]:
        """All names of a place: its path and its type, each also by the types that they are derived from."""
        for name in names(at):
            yield name
            first, dot, rest = name.partition(".")
            for ancestor in self._shapes.definitions.ancestors(first):
                yield f"{ancestor}{dot}{rest}"

    def _selected(self, expression: str, value: dict[str, Any], run: Run) -> bool:
        """Whether an expression over the resource selects this element."""
        model = self._shapes.model
        try:
            found = compile_expression(expression, model=model).select(model.root(run.root), run.env(model.root))
        except ExpressionError:
            return False
        return any((item.value if item.__class__ is Element else item) is value for item in found)


def _around(at: At, value: dict[str, Any]) -> Any:
    """The URL of the extension that an extension stands in, or in the value of."""
    return value.get("url") if at[3] and at[3][-1] == "Extension" else None


def _url(node: Node) -> str | None:
    """The URL that a slice of `extension` is for: fixed below it, or its definition's."""
    if (child := node.children.get("url")) and (fixed := wanted(child)):
        return str(fixed[1])
    types = node.element.get("type", ())
    profiles = types[0].get("profile", ()) if types else ()
    return profiles[0].partition("|")[0] if profiles else None


def _limits(url: str, node: Node) -> str:
    most = "or more" if node.most == float("inf") else f"to {int(node.most)}"
    return f"must have the extension {url.rpartition('/')[2]} {node.least} {most} times"
