"""FHIR elements with their types, for expressions over resources: choice types, primitive extensions, inheritance.

Mappings run on plain JSON and need none of this. Invariants, partners' resources and HL7's own tests do: there
`Observation.value` is found in `valueQuantity`, `birthDate.extension` in `_birthDate`, and an element that its type
does not have is refused (FHIRPath N1, section 12; https://hl7.org/fhir/R4/fhirpath.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapter.core.mapping.dates import read_date, read_date_time, read_time
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.quantities import from_json

_READERS = {"date": read_date, "dateTime": read_date_time, "instant": read_date_time, "time": read_time}


class Element:
    """One element of a resource: its JSON value, FHIR type, path of definition, and what `_name` beside it holds."""

    __slots__ = ("extra", "model", "path", "type", "value")

    def __init__(self, model: Model, value: Any, type_: str, path: str, extra: Any = None) -> None:
        self.model = model
        self.value = value
        self.type = type_
        self.path = path
        self.extra = extra

    def raw(self) -> Any:
        """The System value of it (a date as a Temporal, a Quantity as a Quantity), or its JSON."""
        value = self.value
        if isinstance(value, str):
            reader = _READERS.get(self.type)
            return (reader(value) or value) if reader else value
        if isinstance(value, float) or (self.type == "decimal" and isinstance(value, int)):
            return Decimal(str(value))
        if isinstance(value, dict) and self.model.is_a(self.type, "Quantity"):
            return from_json(value) or value
        return value


class Model:
    """What a release of FHIR says of its types, from fhirpathpy's tables (`fhirpathpy.models.models["r4"]`)."""

    def __init__(self, tables: Mapping[str, Any], *, strict: bool = True) -> None:
        self._types: Mapping[str, str] = tables["path2Type"]
        self._choices: Mapping[str, list[str]] = tables["choiceTypePaths"]
        self._elsewhere: Mapping[str, str] = tables["pathsDefinedElsewhere"]
        self._parents: Mapping[str, str] = tables["type2Parent"]
        self._strict = strict
        self._backbones = {path.rpartition(".")[0] for path in self._types}
        self._expanded = {f"{path}{kind}" for path, kinds in self._choices.items() for kind in kinds}
        self.names = {*self._parents, *self._parents.values(), *(t for t in self._types.values() if "." not in t)}

    def root(self, value: Any) -> Any:
        """A resource as an element; anything else as it is."""
        if isinstance(value, dict) and isinstance(value.get("resourceType"), str):
            return Element(self, value, value["resourceType"], value["resourceType"])
        return value

    def is_a(self, name: str, ancestor: str) -> bool:
        while name != ancestor:
            parent = self._parents.get(name)
            if parent is None:
                return False
            name = parent
        return True

    def defines(self, type_: str, name: str) -> bool:
        """Whether a type has an element of that name."""
        path = f"{type_}.{name}"
        return path in self._types or path in self._choices or path in self._backbones or path in self._elsewhere

    def choices(self, path: str, name: str) -> list[str]:
        """The names in JSON of a choice: valueString, valueQuantity, … of `value`; none where it is no choice."""
        return [f"{name}{kind}" for kind in self._choices.get(f"{path}.{name}", ())]

    def below(self, path: str, name: str) -> str | None:
        """Where a property of an element's JSON leads (`Goal.target`, `detailQuantity`); None: it has no such property.

        Where the property has a type of its own, that is the path to go on with.
        """
        type_: str | None = path
        while type_ is not None:
            found = self._elsewhere.get(f"{type_}.{name}", f"{type_}.{name}")
            if found in self._backbones and found not in self._choices:
                return found
            if found in self._types:
                kind = self._types[found]
                return found if kind in ("BackboneElement", "Element") else kind
            type_ = self._parents.get(type_) or ("Element" if "." in type_ and type_ != "Element" else None)
        return None

    def step(self, element: Element, name: str) -> list[Any]:
        """The children of that name; ExpressionError where the type defines none."""
        value = element.value
        if name in ("id", "extension") and not isinstance(value, dict):
            beside = element.extra if isinstance(element.extra, dict) else {}
            return self._made(beside.get(name), None, f"Element.{name}")
        path = self._elsewhere.get(f"{element.path}.{name}", f"{element.path}.{name}")
        kinds = self._choices.get(path)
        if kinds is not None:
            return self._choice(element, path, name, kinds)
        if path not in self._types and path not in self._backbones:
            return self._unknown(element, name)
        if path in self._expanded and self._strict:
            raise ExpressionError(f"{element.path} has no `{name}`: a choice is named without its type")
        if not isinstance(value, dict):
            return []
        return self._made(value.get(name), value.get(f"_{name}"), path)

    def children(self, element: Element) -> list[Any]:
        """All children, in the order of the JSON."""
        value = element.value if isinstance(element.value, dict) else element.extra
        if not isinstance(value, dict):
            return []
        found: list[Any] = []
        names = dict.fromkeys(n.removeprefix("_") for n in value if n != "resourceType")
        for name in names:
            path = f"{element.path}.{name}"
            found += self._made(value.get(name), value.get(f"_{name}"), self._elsewhere.get(path, path))
        return found

    def _choice(self, element: Element, path: str, name: str, kinds: list[str]) -> list[Any]:
        value = element.value
        if isinstance(value, dict):
            for kind in kinds:
                key = f"{name}{kind}"
                if key in value or f"_{key}" in value:
                    return self._made(value.get(key), value.get(f"_{key}"), f"{path}{kind}")
        return []

    def _unknown(self, element: Element, name: str) -> list[Any]:
        if name == "resourceType" and isinstance(element.value, dict):
            return [element.value[name]] if name in element.value else []
        if self._strict:
            raise ExpressionError(f"{element.path} has no `{name}`")
        return self._made(element.value.get(name), None, "") if isinstance(element.value, dict) else []

    def _made(self, value: Any, extra: Any, path: str) -> list[Any]:
        if value is None and extra is None:
            return []
        type_ = self._types.get(path, "BackboneElement" if path in self._backbones else "Element")
        type_ = "string" if type_ == "System.String" else type_
        own = path if type_ in ("BackboneElement", "Element") or path in self._backbones else type_
        if path in self._backbones and f"{type_}.id" in self._types and type_ != "Extension":
            own = path if any(p.startswith(f"{path}.") for p in self._types) else type_
        values = value if isinstance(value, list) else [value]
        extras = extra if isinstance(extra, list) else [extra]
        made: list[Any] = []
        for index in range(max(len(values), len(extras))):
            one = values[index] if index < len(values) else None
            beside = extras[index] if index < len(extras) else None
            if isinstance(one, dict) and "resourceType" in one:
                made.append(self.root(one))
            elif one is not None or beside is not None:
                made.append(Element(self, one, type_, own, beside))
        return made
