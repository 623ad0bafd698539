"""Which leaf of the case each leaf of a view is: the case's texts carry their own JSON Pointers through the view."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from tests.core.consent.proofs.flesh import scalars
from tests.core.consent.proofs.generators import Situation


class Traced(str):
    """A text that knows where in the case it stands."""

    __slots__ = ("pointer",)
    pointer: str


def traced(case: dict[str, Any]) -> dict[str, Any]:
    """The same case, every text of it traced."""
    found: dict[str, Any] = _traced(case, "")
    return found


def _traced(value: Any, at: str) -> Any:
    if isinstance(value, dict):
        return {name: _traced(child, f"{at}/{name}") for name, child in value.items()}
    if isinstance(value, list):
        return [_traced(child, f"{at}/{index}") for index, child in enumerate(value)]
    if isinstance(value, str):
        text = Traced(value)
        text.pointer = at
        return text
    return value


def leaves_in_view(s: Situation) -> dict[str, Any]:
    """JSON Pointer into the case → value in the view, for every leaf but what the view computes itself."""
    shown = s.but(traced(s.case)).view().case
    return dict(_places(shown, s.case, ""))


def _places(shown: dict[str, Any], source: dict[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    for name, value in shown.items():
        if name == "path" or (at == "" and name == "consents"):
            continue
        below, there = f"{at}/{name}", source[name]
        if isinstance(value, dict):
            yield from _places(value, there, below)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    index = _index(one, there, below)
                    yield from _places(one, there[index], f"{below}/{index}")
                else:
                    yield one.pointer, str(one)
        else:
            # A family member who may not be named is `family` there: then it is not the value of the case.
            yield below, str(value) if isinstance(value, Traced) else value


def _index(entry: dict[str, Any], source: list[Any], at: str) -> int:
    if "id" in entry:
        return next(i for i, each in enumerate(source) if each["id"] == entry["id"])
    found = {each.pointer for _, each in scalars(entry) if isinstance(each, Traced)}
    places = {int(pointer.removeprefix(f"{at}/").split("/")[0]) for pointer in found}
    assert len(places) == 1, f"cannot tell which entry of {at} this is"
    return places.pop()


def changed(case: dict[str, Any]) -> dict[str, Any]:
    """A copy to change."""
    return copy.deepcopy(case)
