"""The functions of FHIRPath on collections (N1, sections 5.1-5.4, 5.8), and those that FHIR adds to them.

Each takes and gives collections in the form of items.py. `FUNCTIONS` is the table the compiler reads: the function,
and how many arguments it takes. Functions that work on each item (`where`, `select`) are written by the compiler.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key, reduce
from types import MappingProxyType
from typing import Any

from adapter.core.mapping import conversion, mathematics, operators, quantities, strings
from adapter.core.mapping.elements import Element
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.items import first, gather, items, raw, single, step, truth

_MOST = 100_000


def empty(x: Any) -> bool:
    return not items(x)


def exists(x: Any) -> bool:
    return bool(items(x))


def negate(x: Any) -> bool | None:
    """`not()`"""
    value = truth(x)
    return None if value is None else not value


def count(x: Any) -> int:
    return len(items(x))


def is_distinct(x: Any) -> bool:
    return len(operators.distinct(x)) == len(items(x))


def all_true(x: Any) -> bool:
    return all(_booleans(x, "allTrue"))


def any_true(x: Any) -> bool:
    return any(_booleans(x, "anyTrue"))


def all_false(x: Any) -> bool:
    return not any(_booleans(x, "allFalse"))


def any_false(x: Any) -> bool:
    return not all(_booleans(x, "anyFalse"))


def subset_of(x: Any, other: Any) -> bool:
    return all(operators.contains(other, [item]) for item in items(x))


def superset_of(x: Any, other: Any) -> bool:
    return subset_of(other, x)


def only(x: Any) -> Any:
    """`single()`: the one item; an error where there are several."""
    found = items(x)
    if len(found) > 1:
        raise ExpressionError("single() found several items")
    return found[0] if found else None


def last(x: Any) -> Any:
    found = items(x)
    return found[-1] if found else None


def tail(x: Any) -> list[Any]:
    return items(x)[1:]


def skip(x: Any, number: Any) -> list[Any]:
    return items(x)[max(0, _whole(number, "skip")) :]


def take(x: Any, number: Any) -> list[Any]:
    return items(x)[: max(0, _whole(number, "take"))]


def at(x: Any, position: Any) -> Any:
    """`x[position]`; nothing outside of it."""
    found, where = items(x), _whole(position, "an index")
    return found[where] if 0 <= where < len(found) else None


def intersect(x: Any, other: Any) -> list[Any]:
    return [i for i in operators.distinct(x) if operators.contains(other, [i])]


def exclude(x: Any, other: Any) -> list[Any]:
    return [i for i in items(x) if not operators.contains(other, [i])]


def combine(x: Any, other: Any) -> list[Any]:
    return [*items(x), *items(other)]


def children(x: Any) -> list[Any]:
    found: list[Any] = []
    for item in items(x):
        if item.__class__ is Element:
            found += item.model.children(item)
        elif isinstance(item, dict):
            found += gather(v for k, v in item.items() if k != "resourceType")
    return found


def descendants(x: Any) -> list[Any]:
    found: list[Any] = []
    level = children(x)
    while level:
        found += level
        level = children(level)
    return found


def repeat(x: Any, each: Callable[[Any], Any]) -> list[Any]:
    """What `each` gives, then what it gives for that, until nothing new comes."""
    found: list[Any] = []
    seen: set[int] = set()
    level = items(x)
    while level:
        fresh = []
        for item in gather(each(i) for i in level):
            data = item.value if item.__class__ is Element else item
            known = id(data) in seen if isinstance(data, dict) else operators.contains(found, [item])
            if not known:
                seen.add(id(data))
                fresh.append(item)
                found.append(item)
        if len(found) > _MOST:
            raise ExpressionError("repeat() does not come to an end")
        level = fresh
    return found


def aggregate(x: Any, each: Callable[[Any, int, Any], Any], start: Any = None) -> Any:
    total = start
    for index, item in enumerate(items(x)):
        total = each(item, index, total)
    return total


def total(x: Any) -> Any:
    """sum(): N1, section 7, has it as an aggregate of `+` that begins with 0."""
    begin, *others = [raw(i) for i in items(x)] or [0]
    if isinstance(begin, str):
        raise ExpressionError("sum() works on numbers and quantities")
    return reduce(operators.add, others, operators.positive(begin))


def least(x: Any) -> Any:
    """min(): N1, section 7; nothing of nothing."""
    return _extreme(x, operators.less)


def greatest(x: Any) -> Any:
    """max(): N1, section 7; nothing of nothing."""
    return _extreme(x, operators.greater)


def average(x: Any) -> Any:
    """avg(): the sum by the count; nothing of nothing."""
    return operators.divide(total(x), count(x))


def coalesce(x: Any, *arguments: Callable[[Any], Any]) -> Any:
    """The first argument that is not empty, the others unread (FHIRPath's continuation)."""
    return next((found for argument in arguments if exists(found := argument(x))), None)


def sort(x: Any, *keys: tuple[Callable[[Any], Any], bool]) -> list[Any]:
    """By the keys in turn, each (function, descending); what has no key comes first either way."""

    def order(a: Any, b: Any) -> int:
        for key, descending in keys:
            left, right = single(key(a), "sort"), single(key(b), "sort")
            if left is None or right is None:
                found = (left is not None) - (right is not None)
            else:
                found = (operators.order(left, right) or 0) * (-1 if descending else 1)
            if found:
                return found
        return 0

    return sorted(items(x), key=cmp_to_key(order))


def apply(x: Any, to: Callable[[Any], Any]) -> Any:
    """What a function gives for the one item, or for nothing."""
    found = items(x)
    if len(found) > 1:
        raise ExpressionError("iif() works on one item, and there are several")
    return to(found[0] if found else None)


def extension(x: Any, url: Any) -> list[Any]:
    wanted = single(url, "extension")
    return [e for e in items(step(x, "extension")) if raw(first(step(e, "url"))) == wanted]


def has_value(x: Any) -> bool:
    """One primitive that has a value, not only an extension."""
    found = items(x)
    return len(found) == 1 and raw(found[0]) is not None and not isinstance(raw(found[0]), dict)


def get_value(x: Any) -> Any:
    return single(x, "getValue") if has_value(x) else None


def resolve(x: Any, root: Any) -> list[Any]:
    """References to contained resources and to entries of the same Bundle; nothing is fetched."""
    whole = root.value if root.__class__ is Element else root
    if not isinstance(whole, dict):
        return []
    known: dict[str, Any] = {}
    for contained in items(whole.get("contained")):
        if isinstance(contained, dict):
            known[f"#{contained.get('id')}"] = contained
    for entry in items(whole.get("entry")):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            known[f"{resource.get('resourceType')}/{resource.get('id')}"] = resource
            known[str(entry.get("fullUrl"))] = resource
    found = []
    for item in items(x):
        data = raw(item)
        target = known.get(str(data.get("reference") if isinstance(data, dict) else data))
        if target is not None:
            found.append(root.model.root(target) if root.__class__ is Element else target)
    return found


def conforms_to(x: Any, url: Any) -> bool | None:
    """Whether a resource is of a base type of FHIR; profiles need the function that the caller gives."""
    wanted, found = single(url, "conformsTo"), items(x)
    if wanted is None or not found:
        return None
    name = str(wanted).removeprefix("http://hl7.org/fhir/StructureDefinition/")
    if "/" in name or ":" in name:
        raise ExpressionError("conformsTo() names a profile that is not known here")
    return all(conversion.is_type(i, name) is True for i in found)


def comparable(x: Any, other: Any) -> bool | None:
    a, b = single(x, "comparable"), single(other, "comparable")
    if a is None or b is None:
        return None
    return isinstance(a, quantities.Quantity) and isinstance(b, quantities.Quantity) and quantities.comparable(a, b)


def _extreme(x: Any, before: Callable[[Any, Any], bool | None]) -> Any:
    found = items(x)
    best = found[0] if found else None
    for item in found[1:]:
        if before(item, best):
            best = item
    return best


def _booleans(x: Any, what: str) -> list[bool]:
    found = [raw(i) for i in items(x)]
    if not all(isinstance(i, bool) for i in found):
        raise ExpressionError(f"{what}() works on booleans")
    return found


def _whole(x: Any, what: str) -> int:
    value = single(x, what)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ExpressionError(f"{what} takes one whole number")
    return value


_to = conversion
_CONVERSIONS: dict[str, Callable[..., Any]] = {
    "Boolean": _to.to_boolean, "Integer": _to.to_integer, "Decimal": _to.to_decimal, "String": _to.to_string,
    "Date": _to.to_date, "DateTime": _to.to_date_time, "Time": _to.to_time, "Quantity": _to.to_quantity,
}  # fmt: skip

FUNCTIONS: MappingProxyType[str, tuple[Callable[..., Any], int, int]] = MappingProxyType({
    "empty": (empty, 0, 0), "not": (negate, 0, 0), "count": (count, 0, 0), "distinct": (operators.distinct, 0, 0),
    "isDistinct": (is_distinct, 0, 0), "allTrue": (all_true, 0, 0), "anyTrue": (any_true, 0, 0),
    "allFalse": (all_false, 0, 0), "anyFalse": (any_false, 0, 0), "subsetOf": (subset_of, 1, 1),
    "supersetOf": (superset_of, 1, 1), "single": (only, 0, 0), "first": (first, 0, 0), "last": (last, 0, 0),
    "tail": (tail, 0, 0), "skip": (skip, 1, 1), "take": (take, 1, 1), "intersect": (intersect, 1, 1),
    "exclude": (exclude, 1, 1), "union": (operators.union, 1, 1), "combine": (combine, 1, 1),
    "children": (children, 0, 0), "descendants": (descendants, 0, 0), "type": (conversion.type_of, 0, 0),
    "extension": (extension, 1, 1), "hasValue": (has_value, 0, 0), "getValue": (get_value, 0, 0),
    "conformsTo": (conforms_to, 1, 1), "comparable": (comparable, 1, 1),
    "upper": (strings.upper, 0, 0), "lower": (strings.lower, 0, 0), "trim": (strings.trim, 0, 0),
    "length": (strings.length, 0, 0), "toChars": (strings.to_chars, 0, 0), "indexOf": (strings.index_of, 1, 1),
    "lastIndexOf": (strings.last_index_of, 1, 1), "substring": (strings.substring, 1, 2),
    "startsWith": (strings.starts_with, 1, 1), "endsWith": (strings.ends_with, 1, 1),
    "contains": (strings.holds_text, 1, 1), "replace": (strings.replace, 2, 2), "matches": (strings.matches, 1, 1),
    "matchesFull": (strings.matches_full, 1, 1), "replaceMatches": (strings.replace_matches, 2, 2),
    "split": (strings.split, 1, 1), "join": (strings.join, 0, 1), "encode": (strings.encode, 1, 1),
    "decode": (strings.decode, 1, 1), "escape": (strings.escape, 1, 1), "unescape": (strings.unescape, 1, 1),
    "abs": (mathematics.absolute, 0, 0), "ceiling": (mathematics.ceiling, 0, 0), "floor": (mathematics.floor, 0, 0),
    "truncate": (mathematics.truncate, 0, 0), "round": (mathematics.round_to, 0, 1), "exp": (mathematics.exp, 0, 0),
    "ln": (mathematics.ln, 0, 0), "log": (mathematics.log, 1, 1), "power": (mathematics.power, 1, 1),
    "sqrt": (mathematics.sqrt, 0, 0), "precision": (mathematics.precision, 0, 0),
    "lowBoundary": (mathematics.low_boundary, 0, 1), "highBoundary": (mathematics.high_boundary, 0, 1),
    "sum": (total, 0, 0), "min": (least, 0, 0), "max": (greatest, 0, 0), "avg": (average, 0, 0),
    **{f"to{name}": (function, 0, 1 if name == "Quantity" else 0) for name, function in _CONVERSIONS.items()},
    **{f"convertsTo{name}": (conversion.converts(function), 0, 1 if name == "Quantity" else 0)
       for name, function in _CONVERSIONS.items()},
})  # fmt: skip
