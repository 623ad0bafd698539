"""The operators of FHIRPath on collections (FHIRPath N1, section 6): None is the empty answer."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, DecimalException
from typing import Any

from adapter.core.mapping import dates, quantities
from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.items import items, raw, single, truth
from adapter.core.mapping.quantities import Quantity

_READERS = {"date": dates.read_date, "dateTime": dates.read_date_time, "time": dates.read_time}
Number = (int, Decimal)


def equal(a: Any, b: Any) -> bool | None:
    """`=`"""
    if a.__class__ is str and b.__class__ is str:
        same_text: bool = a == b
        return same_text
    left, right = items(a), items(b)
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    undecided = False
    for x, y in zip(left, right, strict=True):
        same = same_item(x, y)
        if same is False:
            return False
        undecided = undecided or same is None
    return None if undecided else True


def unequal(a: Any, b: Any) -> bool | None:
    """`!=`"""
    same = equal(a, b)
    return None if same is None else not same


def same_item(x: Any, y: Any) -> bool | None:
    """Whether two items are equal; None where dates or units leave it undecided."""
    x, y = _aligned(raw(x), raw(y))
    if isinstance(x, bool) or isinstance(y, bool):
        return x is y
    if isinstance(x, Number) and isinstance(y, Number):
        return bool(x == y)
    if isinstance(x, Temporal) and isinstance(y, Temporal):
        if (x.kind == "time") != (y.kind == "time"):
            return False
        order = dates.compare(x, y)
        return None if order is None else order == 0
    if isinstance(x, Quantity) and isinstance(y, Quantity):
        return quantities.equal(x, y)
    if isinstance(x, dict) and isinstance(y, dict):
        return x.keys() == y.keys() and all(_same_json(x[k], y[k]) for k in x)
    return bool(x.__class__ is y.__class__ and x == y)


def equivalent(a: Any, b: Any) -> bool:
    """`~`: the same items in any order; text without regard to case and space, numbers at the lesser precision."""
    left, right = items(a), list(items(b))
    if len(left) != len(right):
        return False
    for x in left:
        found = next((i for i, y in enumerate(right) if _alike(x, y)), None)
        if found is None:
            return False
        del right[found]
    return True


def not_equivalent(a: Any, b: Any) -> bool:
    """`!~`"""
    return not equivalent(a, b)


def less(a: Any, b: Any) -> bool | None:
    order = _compared(a, b)
    return None if order is None else order < 0


def less_or_equal(a: Any, b: Any) -> bool | None:
    order = _compared(a, b)
    return None if order is None else order <= 0


def greater(a: Any, b: Any) -> bool | None:
    order = _compared(a, b)
    return None if order is None else order > 0


def greater_or_equal(a: Any, b: Any) -> bool | None:
    order = _compared(a, b)
    return None if order is None else order >= 0


def order(x: Any, y: Any) -> int | None:
    """-1, 0 or 1 for two System values that have an order; None where it is undecided."""
    x, y = _aligned(x, y)
    if isinstance(x, Temporal) and isinstance(y, Temporal) and (x.kind == "time") == (y.kind == "time"):
        return dates.compare(x, y)
    if isinstance(x, Quantity) and isinstance(y, Quantity):
        (x, unit), (y, other) = quantities.canonical(x), quantities.canonical(y)
        if unit != other:
            return None
    elif (
        isinstance(x, bool)
        or isinstance(y, bool)
        or not ((isinstance(x, Number) and isinstance(y, Number)) or (isinstance(x, str) and isinstance(y, str)))
    ):
        raise ExpressionError("values of these types have no order")
    return 0 if x == y else 1 if x > y else -1


def both(a: Any, b: Any) -> bool | None:
    """`and`"""
    x, y = truth(a), truth(b)
    return False if x is False or y is False else None if x is None or y is None else True


def either(a: Any, b: Any) -> bool | None:
    """`or`"""
    x, y = truth(a), truth(b)
    return True if x is True or y is True else None if x is None or y is None else False


def one_of(a: Any, b: Any) -> bool | None:
    """`xor`"""
    x, y = truth(a), truth(b)
    return None if x is None or y is None else x is not y


def implies(a: Any, b: Any) -> bool | None:
    """`implies`"""
    x, y = truth(a), truth(b)
    if x is False or y is True:
        return True
    return None if x is None or y is None else False


def union(a: Any, b: Any) -> list[Any]:
    """`|`: the items of both, each once."""
    return distinct([*items(a), *items(b)])


def distinct(x: Any) -> list[Any]:
    kept: list[Any] = []
    for item in items(x):
        if not any(same_item(item, other) is True for other in kept):
            kept.append(item)
    return kept


def contains(a: Any, b: Any) -> bool | None:
    """`a contains b`, and `b in a`: None where there is nothing to look for."""
    wanted = items(b)
    if not wanted:
        return None
    if len(wanted) > 1:
        raise ExpressionError("`in` and `contains` look for one item, and there are several")
    return any(same_item(item, wanted[0]) is True for item in items(a))


def add(a: Any, b: Any) -> Any:
    """`+`"""
    x, y = single(a, "+"), single(b, "+")
    if x is None or y is None:
        return None
    if isinstance(x, str) and isinstance(y, str):
        return x + y
    return _moved(x, y, 1) if isinstance(y, Quantity) else _number("+", x) + _number("+", y)


def subtract(a: Any, b: Any) -> Any:
    """`-`"""
    x, y = single(a, "-"), single(b, "-")
    if x is None or y is None:
        return None
    return _moved(x, y, -1) if isinstance(y, Quantity) else _number("-", x) - _number("-", y)


def multiply(a: Any, b: Any) -> Any:
    """`*`"""
    x, y = single(a, "*"), single(b, "*")
    if x is None or y is None:
        return None
    if isinstance(x, Quantity) or isinstance(y, Quantity):
        return quantities.times(_as_quantity(x), _as_quantity(y))
    return _number("*", x) * _number("*", y)


def divide(a: Any, b: Any) -> Any:
    """`/`: always a decimal; nothing for a division by zero."""
    x, y = single(a, "/"), single(b, "/")
    if x is None or y is None:
        return None
    if isinstance(x, Quantity) or isinstance(y, Quantity):
        left, right = _as_quantity(x), _as_quantity(y)
        return quantities.divided(left, right) if right.value else None
    below = _number("/", y)
    return Decimal(_number("/", x)) / Decimal(below) if below else None


def whole_divide(a: Any, b: Any) -> Any:
    """`div`: without remainder, towards zero."""
    x, y = single(a, "div"), single(b, "div")
    if x is None or y is None or not _number("div", y):
        return None
    try:
        return int(Decimal(_number("div", x)) // Decimal(y))
    except DecimalException:
        return None


def modulo(a: Any, b: Any) -> Any:
    """`mod`: the remainder of `div`."""
    x, y = single(a, "mod"), single(b, "mod")
    if x is None or y is None or not _number("mod", y):
        return None
    rest = Decimal(_number("mod", x)) % Decimal(y)
    return int(rest) if isinstance(x, int) and isinstance(y, int) else rest


def join_text(a: Any, b: Any) -> str:
    """`&`: both texts, an empty one for nothing."""
    x, y = single(a, "&"), single(b, "&")
    if not isinstance(x, str | None) or not isinstance(y, str | None):
        raise ExpressionError("`&` joins text only: use toString()")
    return (x or "") + (y or "")


def negative(a: Any) -> Any:
    x = single(a, "-")
    if isinstance(x, Quantity):
        return Quantity(-x.value, x.unit, x.calendar)
    return None if x is None else -_number("-", x)


def positive(a: Any) -> Any:
    x = single(a, "+")
    return x if x is None or isinstance(x, Quantity) else _number("+", x)


def _compared(a: Any, b: Any) -> int | None:
    x, y = single(a, "a comparison"), single(b, "a comparison")
    return None if x is None or y is None else order(x, y)


def _aligned(x: Any, y: Any) -> tuple[Any, Any]:
    """Plain JSON does not say which text is a date and which object a Quantity: the other side says it."""
    if isinstance(y, Temporal) and isinstance(x, str):
        x = read_like(x, y) or x
    elif isinstance(x, Temporal) and isinstance(y, str):
        y = read_like(y, x) or y
    elif isinstance(y, Quantity) and not isinstance(x, Quantity):
        x = (quantities.from_json(x) or x) if isinstance(x, dict) else _as_quantity(x) if _is_number(x) else x
    elif isinstance(x, Quantity) and not isinstance(y, Quantity):
        y = (quantities.from_json(y) or y) if isinstance(y, dict) else _as_quantity(y) if _is_number(y) else y
    return x, y


def read_like(text: str, like: Temporal) -> Temporal | None:
    if like.kind == "time":
        return dates.read_time(text)
    return dates.read_date(text) or dates.read_date_time(text)


def _alike(a: Any, b: Any) -> bool:
    x, y = _aligned(raw(a), raw(b))
    if isinstance(x, str) and isinstance(y, str):
        return " ".join(x.lower().split()) == " ".join(y.lower().split())
    if _is_number(x) and _is_number(y):
        return _rounded_same(Decimal(x), Decimal(y))
    if isinstance(x, Temporal) and isinstance(y, Temporal):
        return dates.same_precision(x, y) and dates.compare(x, y) == 0
    if isinstance(x, Quantity) and isinstance(y, Quantity):
        return quantities.equivalent(x, y)
    if isinstance(x, dict) and isinstance(y, dict):
        return x.keys() == y.keys() and all(equivalent(x[k], y[k]) for k in x)
    return same_item(a, b) is True


def _rounded_same(x: Decimal, y: Decimal) -> bool:
    digits = min(_digits(x), _digits(y))
    step = Decimal(1).scaleb(-digits)
    return x.quantize(step, ROUND_HALF_UP) == y.quantize(step, ROUND_HALF_UP)


def _digits(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))


def _same_json(x: Any, y: Any) -> bool:
    if isinstance(x, list) and isinstance(y, list):
        return len(x) == len(y) and all(_same_json(i, j) for i, j in zip(x, y, strict=True))
    return same_item(x, y) is True


def _moved(x: Any, y: Quantity, sign: int) -> Any:
    if isinstance(x, str):
        x = dates.read_date(x) or dates.read_date_time(x) or x
    if isinstance(x, Temporal):
        unit = quantities.calendar_word(y.unit) if y.calendar else _definite(y.unit)
        if unit is None:
            raise ExpressionError(f"`{y.unit}` cannot be added to a date or time")
        return dates.plus(x, sign * y.value, unit)
    return quantities.plus(_as_quantity(x), y, sign)


def _definite(unit: str) -> str | None:
    return quantities.DEFINITE.get(unit) or (unit if unit in dates.CALENDAR_UNITS else None)


def _is_number(x: Any) -> bool:
    return isinstance(x, Number) and not isinstance(x, bool)


def _number(what: str, x: Any) -> Any:
    if not _is_number(x):
        raise ExpressionError(f"`{what}` does not work on values of these types")
    return x


def _as_quantity(x: Any) -> Quantity:
    if isinstance(x, Quantity):
        return x
    if isinstance(x, dict):
        found = quantities.from_json(x)
        if found:
            return found
    return Quantity(Decimal(_number("a quantity", x)))
