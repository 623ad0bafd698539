"""Collections as compiled expressions carry them: None is empty, a list is its items, anything else is one item.

So a value of a JSON document is a collection as it stands, and reading a field costs one look into a dict.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.elements import Element
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.quantities import Quantity, to_json

_MOST_DIGITS = 400
NOTHING: dict[str, Any] = {}


def items(x: Any) -> list[Any]:
    """The items, without nulls and without lists in lists. The list may be the record's own: never changed."""
    if x.__class__ is list:
        for item in x:
            if item is None or item.__class__ is list:
                return [i for part in x for i in items(part)]
        found: list[Any] = x
        return found
    return [] if x is None else [x]


def first(x: Any) -> Any:
    if x.__class__ is list:
        found = items(x)
        return found[0] if found else None
    return x


def gather(parts: Iterable[Any]) -> list[Any]:
    """The items of several collections, in order."""
    found: list[Any] = []
    for part in parts:
        if part.__class__ is list:
            found += items(part)
        elif part is not None:
            found.append(part)
    return found


class _Spread:
    """A collection in the place of one record: reading a field of it reads the field of every item."""

    __slots__ = ("_items",)

    def __init__(self, found: list[Any]) -> None:
        self._items = found

    def get(self, name: str) -> Any:
        return step(self._items, name)


def fields(x: Any) -> Any:
    """What a compiled path calls `.get(name)` on, for an input that is not simply an object."""
    if isinstance(x, dict):
        return x
    return NOTHING if x is None or x.__class__ in (str, int, bool, float) else _Spread(items(x))


def step(x: Any, name: str) -> Any:
    """The children of that name of every item."""
    if x.__class__ is dict:
        return x.get(name)
    if x is None or x.__class__ is str:
        return None
    if x.__class__ is list:
        return _step_all(x, name)
    if x.__class__ is Element:
        return x.model.step(x, name)
    if isinstance(x, dict):
        return x.get(name)
    if isinstance(x, Quantity):
        return {"value": x.value, "unit": x.unit, "code": x.unit}.get(name)
    return None


def _step_all(x: list[Any], name: str) -> list[Any]:
    """Of every item; a name that only some of their types define is not refused (`descendants().code`)."""
    found: list[Any] = []
    unknown: ExpressionError | None = None
    known = False
    for item in x:
        try:
            found += items(step(item, name))
            known = True
        except ExpressionError as error:
            unknown = error
    if unknown is not None and not known:
        raise unknown
    return found


def start(x: Any, name: str) -> Any:
    """The first name of a path where it may be the type of the input (`Patient.name`), otherwise a field of it."""
    found: list[Any] = []
    for item in items(x):
        data = item.value if item.__class__ is Element else item
        kind = data.get("resourceType") if isinstance(data, dict) else None
        if kind == name or (item.__class__ is Element and item.model.is_a(item.type, name)):
            found.append(item)
        elif item.__class__ is Element and name in item.model.names:
            raise ExpressionError(f"the expression begins with {name}, but is applied to {item.type}")
        else:
            found += items(step(item, name))
    return found


def raw(item: Any) -> Any:
    """The System value of one item: decimals as Decimal, elements of a model by their type."""
    kind = item.__class__
    if kind is str or kind is int or kind is bool:
        return item
    if kind is Element:
        return item.raw()
    if kind is float:
        return Decimal(str(item))
    if kind is Decimal and item.is_finite() and item.adjusted() > _MOST_DIGITS:
        raise ExpressionError("a number has too many digits to work with")
    # A text that remembers where it came from (core/onramp/tracing.py) is compared and worked on as any other.
    return str(item) if isinstance(item, str) else item


def single(x: Any, what: str) -> Any:
    """The System value of the only item, None for none. `what` names the function in the error for several."""
    if x.__class__ is list:
        found = items(x)
        if len(found) > 1:
            raise ExpressionError(f"{what} works on one item, and there are several")
        x = found[0] if found else None
    return raw(x)


def truth(x: Any) -> bool | None:
    """True, False or None of a collection: one item that is no boolean counts as true (N1, 4.5)."""
    value = x if x is True or x is False or x is None else single(x, "a condition")
    return value if value is None or isinstance(value, bool) else True


def one(x: Any) -> Any:
    """The first item as JSON, or None where nothing is left of it: what `{{ }}` puts into the output."""
    if x is None or x.__class__ is int:
        return x
    if x.__class__ is list:
        if not x:
            return None
        x = x[0] if x[0].__class__ is str or x[0].__class__ is dict else first(x)
    return x if x.__class__ is str else plain(x)


def lent(x: Any) -> Any:
    """As `one`, for a variable: a flat object is not copied, for whatever goes out of it is copied then."""
    if x.__class__ is list:
        if len(x) == 1:
            x = x[0]
        x = first(x)
    if x.__class__ is dict and x:
        for value in x.values():
            if value.__class__ is not str and (value is None or value.__class__ is dict or value.__class__ is list):
                return plain(x)
        return x
    return plain(x)


def several(x: Any) -> list[Any]:
    """All items as JSON, without those that nothing is left of: what `{[ ]}` puts into the output."""
    return [kept for kept in map(plain, items(x)) if kept is not None]


def plain(item: Any) -> Any:
    """One item as JSON that the record does not share: dates as text, empty objects and lists as None."""
    kind = item.__class__
    if item is None or kind is str or kind is int or kind is bool:
        return item
    if kind is not dict:
        if kind is Element:
            return plain(item.value)
        if isinstance(item, Temporal):
            return item.text
        if isinstance(item, Quantity):
            return to_json(item)
    if isinstance(item, dict):
        copied = {k: v if v.__class__ is str else plain(v) for k, v in item.items()}
        return ({k: v for k, v in copied.items() if v is not None} if None in copied.values() else copied) or None
    if isinstance(item, list):
        # A null inside a list keeps the place of a primitive that has an extension only (FHIR JSON, 2.6.2.3).
        return [v if v is None else kept for v in item if v is None or (kept := plain(v)) is not None] or None
    return item


def text(x: Any) -> str | None:
    """The first item as text inside a longer string; None where there is none, or where it is an object."""
    if x is None or x.__class__ is str:
        return x
    value = raw(first(x))
    if value is None or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if value.__class__ is Decimal else str(value)


def merge(into: dict[str, Any], value: Any) -> None:
    """Put the keys of an object into another; nothing for None."""
    if value is None:
        return
    if not isinstance(value, dict):
        raise ExpressionError("what is merged must be an object")
    into.update(value)


class _Mark:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


NULL = _Mark("NULL")
"""A null that `{{+ +}}` keeps, on its way through places where None is nothing."""
ABSENT = _Mark("ABSENT")


def kept(x: Any) -> Any:
    return NULL if x is None else x


def concat(*parts: Any) -> Any:
    """The parts as one text; NULL or None where one of them is, the first to come."""
    for part in parts:
        if part is None or part is NULL:
            return part
    return "".join(parts)


def extend(into: list[Any], value: Any) -> None:
    """Add a value to a list: a list's items one by one, a kept null as null, nothing for None."""
    if value.__class__ is list:
        into += value
    elif value is not None:
        into.append(None if value is NULL else value)


def plain_template(node: Any) -> Any:
    """The constant part of a template as it goes out: lists flattened, empty objects and lists ABSENT, nulls kept."""
    if isinstance(node, dict):
        return {k: v for k, child in node.items() if (v := plain_template(child)) is not ABSENT} or ABSENT
    if isinstance(node, list):
        found: list[Any] = []
        for child in node:
            value = plain_template(child)
            if isinstance(value, list):
                found += value
            elif value is not ABSENT:
                found.append(value)
        return found or ABSENT
    return node
