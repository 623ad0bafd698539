"""What an expression may know besides its input: variables, the time it is given, and the caller's functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapter.core.mapping import dates
from adapter.core.mapping.dates import Temporal
from adapter.core.mapping.expression_error import ExpressionError

Function = Callable[..., list[Any]]
"""Called as `function(env, items, *arguments)`: the input and every argument as a list; gives a list."""


class Variables(dict[str, Any]):
    """Variables by their names without `%`; one that is not there is an error of the expression."""

    def __missing__(self, name: str) -> Any:
        raise ExpressionError(f"there is no variable %{name}")


class Env:
    """One evaluation. `extra` is the caller's own: custom functions read it, the compiler does not."""

    __slots__ = ("extra", "functions", "now", "variables")

    def __init__(
        self,
        variables: Mapping[str, Any] | None = None,
        now: datetime | None = None,
        functions: Mapping[str, Function] | None = None,
        extra: Any = None,
    ) -> None:
        # Written out, not a dataclass: one is made for every record that is mapped.
        self.variables = variables if variables.__class__ is Variables else Variables(variables or ())
        self.now = now
        self.functions = functions or {}
        self.extra = extra


def now(env: Env) -> Temporal:
    return dates.of_instant(_given(env))


def today(env: Env) -> Temporal:
    """The day in the time zone of the `now` that was given."""
    day = _given(env).date()
    return dates.written("date", (day.year, day.month, day.day), None)


def time_of_day(env: Env) -> Temporal:
    moment = dates.of_instant(_given(env))
    return dates.written_time(moment.parts[3:])


def _given(env: Env) -> datetime:
    if env.now is None:
        raise ExpressionError("now(), today() and timeOfDay() need the time that the caller gives, and none was given")
    return env.now
