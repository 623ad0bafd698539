"""From the elements of definitions to functions that check values: one function for a type or an element with children.

Each is made when it is first needed, so that a command that checks one Goal compiles nothing of a Bundle. A function
walks the fields that are there once, and adds what is wrong to the run; where nothing is wrong it makes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapter.core.fhir.checker import bindings, fields, natives, patterns
from adapter.core.fhir.checker.asking import Asking
from adapter.core.fhir.checker.beside import beside_of
from adapter.core.fhir.checker.definitions import HL7, Definitions, Node, at, tree
from adapter.core.fhir.checker.extensions import Extensions
from adapter.core.fhir.checker.primitives import PRIMITIVES
from adapter.core.fhir.checker.references import Referring
from adapter.core.fhir.checker.run import At, Check, Member, Run
from adapter.core.fhir.checker.slices import Slicing
from adapter.core.mapping.elements import Model

Plain = tuple[Callable[[Any], bool], str]
_MOST_CLAIMS = 1000
_RESOURCES = frozenset({"Resource", "DomainResource"})


class Shapes:
    """The functions of one release, made as they are needed. `resource` checks one by its type and profiles."""

    def __init__(self, definitions: Definitions, model: Model, resource: Check, *, warnings: bool) -> None:
        self.definitions = definitions
        self.model = model
        self.resource = resource
        self._made: dict[tuple[str, str], Check] = {}
        self._nodes: dict[str, Node] = {}
        self._asking = Asking(self, self._elements, warnings=warnings)
        self._claims: dict[tuple[str, str], tuple[Check | None, str | None]] = {}
        self._named: dict[str, Check | None] = {}
        self.extensions = Extensions(self)

    def of(self, name: str) -> Check | None:
        """The check of a type or a profile: by its canonical URL or the name of a type."""
        if name not in self._named:
            definition = self.definitions.structure(name)
            self._named[name] = self._check(self.root(definition), definition["type"]) if definition else None
        return self._named[name]

    def claimed(self, url: str, type_: str) -> tuple[Check | None, str | None]:
        """The check of a profile that a resource of this type claims, if it is known, or what is wrong in the claim."""
        known = self._claims.get((url, type_))
        if known is None:
            definition = self.definitions.structures.get(url.partition("|")[0])
            if definition is None:
                ours = url.startswith(self.definitions.own or "\0")
                known = (None, "claims a profile of ours that no definition describes" if ours else None)
            elif definition["type"] != type_:
                known = (None, "claims a profile of another type")
            else:
                known = (self.of(definition["url"]), None)
            if len(self._claims) < _MOST_CLAIMS:  # what partners claim is without end
                self._claims[(url, type_)] = known
        return known

    def base(self, name: str) -> Check:
        """The check of a type that every release has."""
        return self._check(self.root(self.definitions.structures[HL7 + name]), name)

    def root(self, definition: Mapping[str, Any]) -> Node:
        url = definition["url"]
        if url not in self._nodes:
            self._nodes[url] = tree(definition)
        return self._nodes[url]

    def value(self, node: Node, type_: Mapping[str, Any]) -> Check:
        """The check of one value of an element, by one of its types."""
        code = type_["code"]
        if code in _RESOURCES or code in self.definitions.resource_types:
            return self.resource
        if code == "xhtml":
            return natives.xhtml
        if code in PRIMITIVES:
            return self._primitive(node, code)
        if node.children or not type_.get("profile"):
            return self._check(node, code, type_)
        checks = [found for url in type_["profile"] if (found := self.of(url))]
        # A profile that is not here cannot be asked: the type itself is.
        whole = checks[0] if len(checks) == 1 else natives.any_of(checks) if checks else self._check(node, code, type_)
        return natives.both(whole, self._check(node, code, type_)) if checks else whole

    def _check(self, node: Node, code: str, type_: Mapping[str, Any] | None = None) -> Check:
        key = (node.definition["url"], f"{node.element['id']}|{code}")
        if key not in self._made:
            self._made[key] = self._object(node, code, type_ or {})
        return self._made[key]

    def _object(self, node: Node, code: str, type_: Mapping[str, Any]) -> Check:
        """The check of an object: its fields, its required elements, its rules."""
        elements = self._elements(node, code)
        members: dict[str, Member] = {}
        plain: dict[str, Plain] = {}
        required: list[tuple[tuple[str, ...], str]] = []
        for name, child in elements.children.items():
            keys = self._fields(name, child, members, plain)
            if keys:
                required += fields.needed(name, child, keys)
        is_resource = "." not in node.path and node.definition["kind"] == "resource"
        if is_resource:
            members["resourceType"] = fields.nothing
        last, rules = self._last(node, code, type_), self._asking.of_object(node, code)
        needed = tuple(required)
        tests = {name: test for name, (test, _) in plain.items()}

        def check(value: Any, at: At, run: Run) -> None:
            if value.__class__ is not dict:
                run.wrong(at, fields.NOT_A_LIST if value.__class__ is list else fields.OBJECT)
                return
            before = len(run.found)
            for name, field in value.items():
                # Most fields are primitives of which only the format is asked: they cost no more than that.
                test = tests.get(name)
                if test is not None:
                    if not test(field):
                        run.wrong_in(at, name, fields.why(field, plain[name][1]))
                elif name in members:
                    members[name](field, at, name, run, value)
                else:
                    run.wrong_in(at, name, fields.UNKNOWN)
            # Expressions are asked of what is well-formed: of anything else they may say anything.
            sound = len(run.found) == before
            if len(value) < 2 and (not value or "id" in value) and not is_resource:
                run.wrong(at, fields.EMPTY)
                return
            for keys, name in needed:
                for key in keys:
                    if key in value:
                        break
                else:
                    run.wrong_in(at, name, fields.MISSING)
            for extra in last:
                extra(value, at, run)
            if rules is not None and sound:
                rules(value, at, run)

        return check

    def _elements(self, node: Node, code: str) -> Node:
        """Where the children of an element are: below it, where its content reference leads, or in its type."""
        if node.children:
            return node
        if reference := node.element.get("contentReference"):
            found = at(node.definition, reference.partition("#")[2])
            return found or node
        definition = self.definitions.structure(code)
        return self.root(definition) if definition else node

    def _fields(self, name: str, node: Node, members: dict[str, Member], plain: dict[str, Plain]) -> tuple[str, ...]:
        """Put the fields of one element into the tables; returns their names in JSON."""
        if node.most == 0 and name != "extension":
            return ()
        if name in ("extension", "modifierExtension"):
            members[name] = self.extensions.member(node)
            return (name,)
        given = node.element.get("type") or [{"code": "BackboneElement"}]
        types = {fields.field_name(name, each["code"]): each for each in given}
        beside = [f"_{key}" for key, each in types.items() if each["code"] in PRIMITIVES]
        group = frozenset((*types, *beside)) if len(types) > 1 else None
        for key, type_ in types.items():
            code = type_["code"]
            if name == "id" and node.path.count(".") == 1 and node.definition["kind"] == "resource":
                plain[key] = PRIMITIVES["id"]
                return (key,)
            if code in PRIMITIVES and not (group or node.is_list or node.slices or fields.asks_more(node)):
                plain[key] = self._plain(node, code)
            else:
                members[key] = self._later(members, node, type_, key, group)
            if code in PRIMITIVES:
                made = beside_of(self, node, code, key)
                members[f"_{key}"] = fields.alone(made, group) if group else made
        return (*types, *beside)

    def _plain(self, node: Node, code: str) -> Plain:
        """The one question to a primitive: is it one of the codes that are required, or has it the format."""
        words = bindings.words(node, self.definitions)
        if (fixed := patterns.wanted(node)) is not None:
            word = fixed[1]
            return (lambda value: value.__class__ is str and value == word), patterns.NOT_FIXED
        if words is None:
            return PRIMITIVES[code]
        return (lambda value: value.__class__ is str and value in words), bindings.NOT_IN

    def _later(
        self,
        members: dict[str, Member],
        node: Node,
        type_: Mapping[str, Any],
        key: str,
        group: frozenset[str] | None,
    ) -> Member:
        """A member that is made when it is first met, and stands in its own place from then on."""

        def member(field: Any, at: At, name: str, run: Run, value: dict[str, Any]) -> None:
            made = self._member(node, type_, key)
            made = fields.alone(made, group) if group else made
            members[key] = made
            made(field, at, name, run, value)

        return member

    def _member(self, node: Node, type_: Mapping[str, Any], key: str) -> Member:
        chosen = fields.slice_of_choice(node, key)
        if chosen is not None:
            narrowed = next((t for t in chosen.element.get("type", []) if t["code"] == type_["code"]), type_)
            general = self._member(fields.without_slices(node), type_, key)
            return fields.both_members(general, self._member(chosen, narrowed, key))
        code = type_["code"]
        called = (node.path, code)
        most, least = node.most, node.least
        if code in PRIMITIVES or code == "xhtml":
            extra = self._of_primitive(node, code)
            test, sentence = PRIMITIVES.get(code, (None, ""))
            if test is None:
                return fields.one(self.value(node, type_), called)
            if node.is_list:
                return fields.primitive_list(test, sentence, extra, called, least, most)
            return fields.primitive_field(test, sentence, extra, called)
        check = self.value(node, type_)
        if node.is_list:
            slicing = Slicing.of(self, node, type_) if node.slices else None
            return fields.many(check, called, least, most, slicing)
        return fields.one(check, called)

    def _primitive(self, node: Node, code: str) -> Check:
        """One primitive value by itself: an item of a list that is sliced."""
        test, sentence = PRIMITIVES[code]
        extra = self._of_primitive(node, code)

        def check(value: Any, at: At, run: Run) -> None:
            if not test(value):
                run.wrong(at, fields.EMPTY if value in (None, "", [], {}) else sentence)
            elif extra is not None:
                extra(value, at, run)

        return check

    def _of_primitive(self, node: Node, code: str) -> Check | None:
        """What an element asks of a primitive besides its format."""
        found = [*bindings.of(node, code, self.definitions), *patterns.of(node)]
        if most := node.element.get("maxLength"):
            found.append(natives.no_longer_than(int(most)))
        if asking := self._asking.of_primitive(node, code):
            found.append(asking)
        return found[0] if len(found) == 1 else natives.all_of(found) if found else None

    def _last(self, node: Node, code: str, type_: Mapping[str, Any]) -> tuple[Check, ...]:
        """What is asked of an object as a whole, once its fields are."""
        found: list[Check] = [*bindings.of(node, code, self.definitions), *patterns.of(node)]
        if code == "Extension":
            found.append(natives.extension)
        if code in ("Reference", "CodeableReference"):
            found.append(Referring(self, type_, code).check)
        if code == "Identifier":
            found.append(natives.identifier)
        if code == "Coding" and self.definitions.code_systems:
            found.append(bindings.whole_systems(self.definitions))
        return tuple(found)
