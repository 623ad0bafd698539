"""The conversion functions of FHIRPath (N1, section 5.5), and the types of values (section 6.3)."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from adapter.core.mapping import dates, quantities
from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.elements import Element
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.items import items, raw, single
from adapter.core.mapping.quantities import Quantity

_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
SYSTEM = frozenset({"Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"})
_TRUE = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "0.0"})
# What a FHIR primitive is in JSON, where no model says the type of a value.
_PRIMITIVES = {"boolean": "Boolean", "integer": "Integer", "decimal": "Decimal", "string": "String"}


def to_boolean(x: Any) -> bool | None:
    value = single(x, "toBoolean")
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return True if value == 1 else False if value == 0 else None
    if isinstance(value, str):
        return True if value.lower() in _TRUE else False if value.lower() in _FALSE else None
    return None


def to_integer(x: Any) -> int | None:
    value = single(x, "toInteger")
    if isinstance(value, bool | int):
        return int(value)
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else None


def to_decimal(x: Any) -> Decimal | None:
    value = single(x, "toDecimal")
    if isinstance(value, bool | int | Decimal):
        return Decimal(value)
    found = isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.\d+)?", value, re.ASCII)
    return Decimal(value) if found else None


def to_string(x: Any) -> str | None:
    value = single(x, "toString")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | int | Temporal | Quantity) else None


def to_date(x: Any) -> Temporal | None:
    value = single(x, "toDate")
    if isinstance(value, Temporal) and value.kind != "time":
        return dates.written("date", value.parts[:3], None)
    if isinstance(value, str):
        found = dates.read_date_time(value)
        return dates.written("date", found.parts[:3], None) if found else None
    return None


def to_date_time(x: Any) -> Temporal | None:
    value = single(x, "toDateTime")
    if isinstance(value, Temporal) and value.kind != "time":
        return Temporal("dateTime", value.parts, value.offset, value.text)
    return dates.read_date_time(value) if isinstance(value, str) else None


def to_time(x: Any) -> Temporal | None:
    value = single(x, "toTime")
    if isinstance(value, Temporal):
        return value if value.kind == "time" else None
    return dates.read_time(value) if isinstance(value, str) else None


def to_quantity(x: Any, unit: Any = None) -> Quantity | None:
    """With a unit given: the same amount in it, or nothing where it cannot be."""
    value = single(x, "toQuantity")
    found: Quantity | None = None
    if isinstance(value, Quantity):
        found = value
    elif isinstance(value, bool | int | Decimal):
        found = Quantity(Decimal(value))
    elif isinstance(value, dict):
        found = quantities.from_json(value)
    elif isinstance(value, str):
        found = quantities.read_quantity(value)
    wanted = single(unit, "toQuantity")
    if found is None or wanted is None:
        return found
    target = Quantity(Decimal(1), str(wanted), quantities.calendar_word(str(wanted)) is not None)
    (amount, have), (size, want) = quantities.canonical(found), quantities.canonical(target)
    return Quantity(amount / size, target.unit, target.calendar) if have == want else None


def converts(conversion: Callable[..., Any]) -> Callable[..., bool | None]:
    """`convertsToX` of `toX`: nothing for nothing."""

    def asks(x: Any, *arguments: Any) -> bool | None:
        return conversion(x, *arguments) is not None if items(x) else None

    return asks


def kind_of(item: Any) -> str:
    """The System type of a System value; empty for JSON objects."""
    value = raw(item)
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, Temporal):
        return {"date": "Date", "dateTime": "DateTime", "time": "Time"}[value.kind]
    names: dict[type, str] = {str: "String", int: "Integer", Decimal: "Decimal", Quantity: "Quantity"}
    return names.get(value.__class__, "")


def type_of(x: Any) -> list[dict[str, str]]:
    """`type()`: namespace and name of the type of each item."""
    return [_described(i) for i in items(x)]


def is_type(x: Any, name: str) -> bool | None:
    """`is`: whether the one item is of the type, or of one derived from it."""
    found = items(x)
    if len(found) > 1:
        raise ExpressionError("`is` works on one item, and there are several")
    return _is(found[0], name, derived=True) if found else None


def as_type(x: Any, name: str) -> Any:
    """`as`: the one item, if it is of the type."""
    found = items(x)
    if len(found) > 1:
        raise ExpressionError("`as` works on one item, and there are several: use ofType()")
    return of_type(found, name)


def of_type(x: Any, name: str) -> list[Any]:
    """`ofType()`: the items of the type. A primitive is of its own type only: a code is no string here."""
    return [i for i in items(x) if _is(i, name, derived=False)]


def _is(item: Any, name: str, *, derived: bool) -> bool:
    namespace, _, short = name.rpartition(".")
    if item.__class__ is Element:
        if namespace == "System":
            return False
        if not derived and short[:1].islower():
            return bool(item.type == short)
        return bool(item.model.is_a(item.type, short))
    if isinstance(item, dict) and namespace != "System":
        return item.get("resourceType") == short or (short in ("Resource", "DomainResource") and "resourceType" in item)
    kind = kind_of(item)
    if namespace == "FHIR":
        return kind != "" and _PRIMITIVES.get(short) == kind
    return kind != "" and kind == (short if short in SYSTEM else _PRIMITIVES.get(short))


def _described(item: Any) -> dict[str, str]:
    if item.__class__ is Element:
        return {"namespace": "FHIR", "name": item.type}
    if isinstance(item, dict) and isinstance(item.get("resourceType"), str):
        return {"namespace": "FHIR", "name": item["resourceType"]}
    return {"namespace": "System", "name": kind_of(item) or "Any"}
