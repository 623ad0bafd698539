"""Quantities of FHIRPath and enough of UCUM to compare, convert and multiply the units that care plans use.

Source: FHIRPath N1 4.1.8 and 6.1-6.6; units from https://ucum.org/ucum. A unit that is not in the table is comparable
to itself only. Calendar durations (`1 year`) and definite durations (`1 'a'`) are equal up to weeks, not above.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

_BASE: dict[str, tuple[Decimal, str]] = {
    "m": (Decimal(1), "m"), "g": (Decimal(1), "g"), "s": (Decimal(1), "s"), "K": (Decimal(1), "K"),
    "mol": (Decimal(1), "mol"), "L": (Decimal("0.001"), "m3"), "l": (Decimal("0.001"), "m3"),
    "min": (Decimal(60), "s"), "h": (Decimal(3600), "s"), "d": (Decimal(86400), "s"), "wk": (Decimal(604800), "s"),
    "mo": (Decimal("2629800"), "s"), "a": (Decimal("31557600"), "s"), "Hz": (Decimal(1), "s-1"),
    "[in_i]": (Decimal("0.0254"), "m"), "[ft_i]": (Decimal("0.3048"), "m"), "[mi_i]": (Decimal("1609.344"), "m"),
    "[lb_av]": (Decimal("453.59237"), "g"), "[oz_av]": (Decimal("28.349523125"), "g"),
    "%": (Decimal("0.01"), ""), "1": (Decimal(1), ""), "10*": (Decimal(10), ""), "10^": (Decimal(10), ""),
    "Cel": (Decimal(1), "Cel"), "Pa": (Decimal(1), "Pa"), "J": (Decimal(1), "J"), "cal": (Decimal("4.184"), "J"),
    "m[Hg]": (Decimal("133322"), "Pa"), "V": (Decimal(1), "V"), "W": (Decimal(1), "W"), "N": (Decimal(1), "N"),
}  # fmt: skip
_PREFIXES = {
    "k": 3, "h": 2, "da": 1, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9, "p": -12, "M": 6, "G": 9,
}  # fmt: skip
_METRIC = frozenset({"m", "g", "s", "mol", "L", "l", "Hz", "Pa", "J", "cal", "V", "W", "N", "m[Hg]", "K"})
_TERM = re.compile(r"(10[*^]|1|%|[A-Za-z]*\[[^\]]*\]|[A-Za-z]+)?([+-]?\d+)?", re.ASCII)
_CALENDAR = {
    "year": (Decimal(12), "month"), "month": (Decimal(1), "month"), "week": (Decimal(604800), "s"),
    "day": (Decimal(86400), "s"), "hour": (Decimal(3600), "s"), "minute": (Decimal(60), "s"),
    "second": (Decimal(1), "s"), "millisecond": (Decimal("0.001"), "s"),
}  # fmt: skip
_TEXT = re.compile(r"([+-]?\d+(?:\.\d+)?)(?:\s*'([^']+)'|\s+([a-z]+))?", re.ASCII)
DEFINITE = {"wk": "week", "d": "day", "h": "hour", "min": "minute", "s": "second", "ms": "millisecond"}


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """A value with a unit: a UCUM code, or a calendar word as it was written (`days`)."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False

    def __str__(self) -> str:
        return f"{self.value:f} {self.unit}" if self.calendar else f"{self.value:f} '{self.unit}'"


def calendar_word(unit: str) -> str | None:
    """`days` → `day`; None where it is no calendar duration."""
    word = unit.removesuffix("s")
    return word if word in _CALENDAR else None


def read_quantity(text: str) -> Quantity | None:
    match = _TEXT.fullmatch(text.strip())
    if not match:
        return None
    if match[3]:
        return Quantity(Decimal(match[1]), match[3], True) if calendar_word(match[3]) else None
    return Quantity(Decimal(match[1]), match[2] or "1")


def from_json(data: dict[str, object]) -> Quantity | None:
    """A FHIR Quantity with a number; its code where it has one, otherwise its unit as written."""
    value = data.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return Quantity(Decimal(str(value)), str(data.get("code") or data.get("unit") or "1"))


def to_json(quantity: Quantity) -> dict[str, object]:
    """The FHIR Quantity: a whole number stays an integer."""
    value = int(quantity.value) if quantity.value == int(quantity.value) else quantity.value
    if quantity.calendar:
        return {"value": value, "unit": quantity.unit}
    return {"value": value, "unit": quantity.unit, "system": "http://unitsofmeasure.org", "code": quantity.unit}


def canonical(quantity: Quantity) -> tuple[Decimal, tuple[tuple[str, int], ...]]:
    """The value in base units, and its dimension."""
    factor, dimension = _unit(quantity)
    return quantity.value * factor, dimension


def comparable(a: Quantity, b: Quantity) -> bool:
    return _unit(a)[1] == _unit(b)[1]


def equal(a: Quantity, b: Quantity) -> bool | None:
    """None where the units have nothing in common."""
    x, y = canonical(a), canonical(b)
    return x[0] == y[0] if x[1] == y[1] else None


def equivalent(a: Quantity, b: Quantity) -> bool:
    """Equal at the precision of the less precise, in the coarser of both units."""
    a, b = _definite(a), _definite(b)
    (fa, da), (fb, db) = _unit(a), _unit(b)
    if da != db:
        return False
    coarse = max(fa, fb)
    digits = min(_digits(q.value) for q, f in ((a, fa), (b, fb)) if f == coarse)
    step = Decimal(1).scaleb(-digits)
    return (a.value * fa / coarse).quantize(step) == (b.value * fb / coarse).quantize(step)


def times(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.value * b.value, _joined(a, b, "."))


def divided(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.value / b.value, _joined(a, b, "/"))


def plus(a: Quantity, b: Quantity, sign: int = 1) -> Quantity | None:
    """In the unit of the first; None where the units have nothing in common."""
    (fa, da), (fb, db) = _unit(a), _unit(b)
    return Quantity(a.value + sign * b.value * fb / fa, a.unit, a.calendar) if da == db else None


def _joined(a: Quantity, b: Quantity, sign: str) -> str:
    if b.unit == "1":
        return a.unit
    if a.unit == "1" and sign == ".":
        return b.unit
    left, right = (_base_text(q) if q.calendar else q.unit for q in (a, b))
    if sign == "/" and re.search(r"[./]", right):
        swap = {".": "/", "/": "."}
        right = re.sub(r"[./]", lambda m: swap[m[0]], right)
    return f"{left}{sign}{right}"


def _base_text(quantity: Quantity) -> str:
    word = calendar_word(quantity.unit)
    longer = {"year": "a", "month": "mo"}.get(word or "", "1")
    return next((code for code, name in DEFINITE.items() if name == word), longer)


def _definite(quantity: Quantity) -> Quantity:
    return Quantity(quantity.value, _base_text(quantity)) if quantity.calendar else quantity


def _unit(quantity: Quantity) -> tuple[Decimal, tuple[tuple[str, int], ...]]:
    if quantity.calendar:
        factor, base = _CALENDAR[calendar_word(quantity.unit) or ""]
        return factor, ((base, 1),)
    factor = Decimal(1)
    powers: dict[str, int] = {}
    text = re.sub(r"\{[^}]*\}", "", quantity.unit)
    for sign, term in re.findall(r"([./]?)([^./]*)", text):
        if not term:
            continue
        scale, bases, power = _term(term)
        power = -power if sign == "/" else power
        factor *= scale**power
        for name, exponent in bases:
            powers[name] = powers.get(name, 0) + exponent * power
    return factor, tuple(sorted((n, p) for n, p in powers.items() if p))


def _term(term: str) -> tuple[Decimal, tuple[tuple[str, int], ...], int]:
    match = _TERM.fullmatch(term)
    if not match or not match[1]:
        return Decimal(1), ((term, 1),), 1
    symbol, power = match[1], int(match[2] or 1)
    if symbol in _BASE:
        factor, base = _BASE[symbol]
    else:
        prefix = next((p for p in ("da", *_PREFIXES) if symbol.startswith(p) and symbol[len(p) :] in _METRIC), None)
        if prefix is None:
            return Decimal(1), ((symbol, 1),), power
        factor, base = _BASE[symbol[len(prefix) :]]
        factor = factor.scaleb(_PREFIXES[prefix])
    name = base.rstrip("-0123456789")
    return factor, ((name, int(base.removeprefix(name) or 1)),) if name else (), power


def _digits(value: Decimal) -> int:
    return max(0, -int(value.normalize().as_tuple().exponent))
