"""The names of one compiled source: what they stand for when it runs, and the constants that are made before it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import Any

from adapter.core.mapping import conversion, dates, environment, functions, items, operators
from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.quantities import Quantity

_RESERVED = frozenset({
    "this", "env", "context", "values", "record", "Decimal", "NULL", "enumerate", "any", "all",
    *(name for module in (items, operators, functions, conversion, environment, dates) for name in vars(module)),
    *(function.__name__ for function, _, _ in functions.FUNCTIONS.values()),
})  # fmt: skip


class Names:
    """Names that nothing else in the source has. `namespace`: what it is run with; `constants`: name → Python text."""

    def __init__(self, custom: Collection[str]) -> None:
        self._taken: set[str] = {*_RESERVED, *custom}
        self._runtime: dict[int, str] = {}
        self.constants: dict[str, str] = {}
        self.namespace: dict[str, Any] = {}

    def new(self, wish: str) -> str:
        """A Python name like the wish that nothing else in this source has."""
        base = re.sub(r"\W", "_", wish, flags=re.ASCII).strip("_") or "value"
        if keyword.iskeyword(base) or base[0].isdigit():
            base = f"{base}_" if not base[0].isdigit() else f"_{base}"
        found, number = base, 1
        while found in self._taken or found in self.namespace:
            number += 1
            found = f"{base}_{number}"
        self._taken.add(found)
        return found

    def runtime(self, function: Callable[..., Any], name: str = "") -> str:
        """The name under which the source calls a function."""
        found = self._runtime.get(id(function))
        if found is None:
            found = name or function.__name__
            if found in self.namespace or (found in self._taken and found not in _RESERVED and name == ""):
                found = self.new(found)
            self._runtime[id(function)] = found
            self.namespace[found] = function
        return found

    def constant(self, value: Any) -> str:
        """The Python text of a literal; decimals, dates and quantities are made once, before the function."""
        if value is None or isinstance(value, bool | int | str):
            return repr(value)
        if isinstance(value, Decimal):
            return self._made("decimal", f"{self.runtime(Decimal)}({str(value)!r})")
        if isinstance(value, Temporal):
            readers = {"date": dates.read_date, "dateTime": dates.read_date_time, "time": dates.read_time}
            return self._made(value.kind, f"{self.runtime(readers[value.kind])}({value.text!r})")
        made = f"{self.runtime(Decimal)}({str(value.value)!r}), {value.unit!r}, {value.calendar!r}"
        return self._made("quantity", f"{self.runtime(Quantity)}({made})")

    def _made(self, wish: str, text: str) -> str:
        for name, made in self.constants.items():
            if made == text:
                return name
        name = self.new(f"{wish}_1")
        self.constants[name] = text
        return name
