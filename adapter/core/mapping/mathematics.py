"""The math functions of FHIRPath (N1, section 5.7), and the precision and boundaries of values (its continuation)."""

from __future__ import annotations

import calendar
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal, DecimalException
from typing import Any

from adapter.core.mapping import dates
from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.items import single
from adapter.core.mapping.quantities import Quantity

_MOST_DIGITS = 31


def _number(x: Any, what: str) -> Any:
    value = single(x, what)
    if value is None or (isinstance(value, int | Decimal) and not isinstance(value, bool)):
        return value
    raise ExpressionError(f"{what}() works on numbers")


def absolute(x: Any) -> Any:
    value = single(x, "abs")
    if isinstance(value, Quantity):
        return Quantity(abs(value.value), value.unit, value.calendar)
    value = _number(value, "abs")
    return None if value is None else abs(value)


def ceiling(x: Any) -> int | None:
    value = _number(x, "ceiling")
    return None if value is None else int(Decimal(value).to_integral_value(ROUND_CEILING))


def floor(x: Any) -> int | None:
    value = _number(x, "floor")
    return None if value is None else int(Decimal(value).to_integral_value(ROUND_FLOOR))


def truncate(x: Any) -> int | None:
    value = _number(x, "truncate")
    return None if value is None else int(value)


def round_to(x: Any, digits: Any = None) -> Any:
    """Half away from zero; without digits to a whole number."""
    value, places = _number(x, "round"), _number(digits, "round") or 0
    if value is None:
        return None
    if places < 0:
        raise ExpressionError("round() takes no negative number of digits")
    rounded = _quantized(Decimal(value), int(places), ROUND_HALF_UP)
    return int(rounded) if isinstance(value, int) or not places else rounded


def exp(x: Any) -> Decimal | None:
    value = _number(x, "exp")
    return None if value is None else _kept(lambda: Decimal(value).exp())


def ln(x: Any) -> Decimal | None:
    value = _number(x, "ln")
    return None if value is None or value <= 0 else Decimal(value).ln()


def log(x: Any, base: Any) -> Decimal | None:
    value, root = _number(x, "log"), _number(base, "log")
    if value is None or root is None or value <= 0 or root <= 0 or root == 1:
        return None
    return _clean(Decimal(value).ln() / Decimal(root).ln())


def power(x: Any, exponent: Any) -> Any:
    """A whole number for whole numbers; nothing where the result is not a real number."""
    value, to = _number(x, "power"), _number(exponent, "power")
    if value is None or to is None or (value < 0 and to != int(to)) or abs(to) > 1000:
        return None
    if isinstance(value, int) and isinstance(to, int) and to >= 0:
        return value**to
    return _kept(lambda: Decimal(value) ** Decimal(to))


def sqrt(x: Any) -> Decimal | None:
    value = _number(x, "sqrt")
    return None if value is None or value < 0 else Decimal(value).sqrt()


def precision(x: Any) -> int | None:
    """Digits after the point of a decimal, digits of a date or time."""
    value = single(x, "precision")
    if isinstance(value, Temporal):
        return sum(c.isdigit() for c in _bare(value))
    if isinstance(value, Decimal):
        return max(0, -int(value.as_tuple().exponent))
    if value is None or isinstance(value, int):
        return None if value is None else 0
    raise ExpressionError("precision() works on decimals, dates and times")


def low_boundary(x: Any, digits: Any = None) -> Any:
    """The least value that this one may stand for, at the given precision."""
    return _boundary(single(x, "lowBoundary"), _number(digits, "lowBoundary"), low=True)


def high_boundary(x: Any, digits: Any = None) -> Any:
    """The greatest value that this one may stand for, at the given precision."""
    return _boundary(single(x, "highBoundary"), _number(digits, "highBoundary"), low=False)


def _boundary(value: Any, digits: int | None, *, low: bool) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        value = dates.read_date(value) or dates.read_date_time(value) or dates.read_time(value) or value
    if isinstance(value, Temporal):
        return _moment_boundary(value, digits, low=low)
    if isinstance(value, Quantity):
        edge = _boundary(value.value, digits, low=low)
        return None if edge is None else Quantity(edge, value.unit, value.calendar)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ExpressionError("boundaries are those of numbers, quantities, dates and times")
    places = 8 if digits is None else int(digits)
    if not 0 <= places <= _MOST_DIGITS:
        return None
    number = Decimal(value)
    shown = max(0, -int(number.as_tuple().exponent))
    if number and shown > places and not _quantized(number, places, ROUND_DOWN):
        return _quantized(Decimal(0), places, ROUND_DOWN)
    half = Decimal(5).scaleb(-shown - 1)
    return _quantized(number - half if low else number + half, places, ROUND_FLOOR if low else ROUND_CEILING)


def _moment_boundary(value: Temporal, digits: int | None, *, low: bool) -> Temporal | None:
    sizes = {2: 1, 4: 2, 6: 3, 9: 3} if value.kind == "time" else {4: 1, 6: 2, 8: 3, 10: 4, 12: 5, 14: 6, 17: 6}
    wanted = digits if digits is not None else {"time": 9, "date": 8}.get(value.kind, 17)
    size = sizes.get(int(wanted))
    if size is None:
        return None
    if value.kind == "time":
        filled = _filled(value.parts, (0, 0), low=low)
        return dates.written_time(filled[:size])
    parts = value.parts
    if len(parts) < 2:
        parts = (*parts, 1 if low else 12)
    if len(parts) < 3:
        parts = (*parts, 1 if low else calendar.monthrange(parts[0], parts[1])[1])
    if size <= 3:
        return dates.written("date", parts[:size], None)
    if len(parts) == 3:
        parts = (*parts, 0, 0) if low else (*parts, 23, 59)
    # FHIR has no hour without its minute: an hour alone is that hour's minute 00.
    parts = (*parts[:3], *_filled(parts[3:], (0, 0), low=low))
    offset = value.offset if value.offset is not None else (14 * 60 if low else -12 * 60)
    return dates.written("dateTime", parts[:size], offset)


def _filled(clock: tuple[Any, ...], empty: tuple[int, int], *, low: bool) -> tuple[Any, ...]:
    clock = (*clock, *empty[len(clock) :])
    if len(clock) < 3:
        return (*clock, Decimal("0.000") if low else Decimal("59.999"))
    second = clock[2]
    whole = second == int(second) and int(second.as_tuple().exponent) == 0
    edge = Decimal("0.999") if whole and not low else Decimal("0.000")
    return (*clock[:2], (second + edge).quantize(Decimal("0.001"), ROUND_DOWN))


def _bare(value: Temporal) -> str:
    text = value.text
    return text[: text.index("T") + 1] + text.partition("T")[2].partition("Z")[0].partition("+")[0].partition("-")[0] \
        if "T" in text else text  # fmt: skip


def _quantized(value: Decimal, places: int, rounding: str) -> Decimal:
    try:
        return value.quantize(Decimal(1).scaleb(-places), rounding)
    except DecimalException:
        return value


def _clean(value: Decimal) -> Decimal:
    """Without the last digit's noise of a quotient of logarithms."""
    near = value.quantize(Decimal("1e-20")) if abs(value) < 10**7 else value
    return near.normalize() if near == near.to_integral_value() else value


def _kept(work: Any) -> Decimal | None:
    try:
        return Decimal(work())
    except DecimalException:
        return None
