"""Text that remembers its place: what a template makes of it leads back to the row and column that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.core.onramp.places import Key, Place, Places, id_of


class Traced(str):
    """A text of a source's file, with its place. It is a text like any other for expressions and templates."""

    __slots__ = ("place",)
    place: Place

    def __new__(cls, text: str, place: Place) -> Traced:
        made = super().__new__(cls, text)
        made.place = place
        return made


def traced(value: Any, file: str, pointer: str = "") -> Any:
    """A JSON value of a file with every text traced to its JSON Pointer."""
    if isinstance(value, str):
        return Traced(value, Place(file, 0, pointer))
    if isinstance(value, dict):
        return {name: traced(each, file, f"{pointer}/{name}") for name, each in value.items()}
    if isinstance(value, list):
        return [traced(each, file, f"{pointer}/{index}") for index, each in enumerate(value)]
    return value


def plain(value: Any, places: Places, key: Key = ()) -> Any:
    """The value with ordinary texts; where each came from is noted, and of each record the first place in it."""
    if isinstance(value, Traced):
        places.leaf(key, value.place)
        return str(value)
    if isinstance(value, Mapping):
        if (place := _first(value)) is not None and key:
            places.row(key, Place(place.file, place.row, "" if place.row else place.column))
        return {name: plain(each, places, (*key, name)) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each, places, (*key, id_of(each, i))) for i, each in enumerate(value)]
    return value


def _first(value: Any) -> Place | None:
    if isinstance(value, Traced):
        return value.place
    for child in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        if (found := _first(child)) is not None:
            return found
    return None
