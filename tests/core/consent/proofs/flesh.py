"""Fills a record of any collection from its schema: every field there is, with a marker of its own in every text."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

MAPPINGS = Path(__file__).parents[4] / "mappings"
STEERED_BY_HAND = frozenset(("topics", "topics_lifted", "reviewed", "id"))
"""Fields that the generators set themselves: at random they would empty most views."""
_ORDERED = (("start", "end"), ("since", "until"), ("from", "to"))


@cache
def schema(collection: str) -> dict[str, Any]:
    """The committed schema of one record of the collection."""
    found: dict[str, Any] = json.loads((MAPPINGS / "records" / f"{collection}.schema.json").read_text("utf-8"))
    return found


@cache
def codes(name: str) -> tuple[str, ...]:
    """Every code that the ConceptMap `name` translates, in its order."""
    path = MAPPINGS / "codes" / f"{name}.json"
    if not path.is_file():
        return ()
    groups = json.loads(path.read_text("utf-8")).get("group", ())
    return tuple(dict.fromkeys(each["code"] for group in groups for each in group["element"]))


class Markers:
    """Unique words, none the beginning of another, that no code, date or identifier of ours can hold by chance."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._given: set[str] = set()

    def word(self) -> str:
        """Nine letters, the first two and last always `qz` and `x`: `qzkfwmpax`."""
        while True:
            word = "qz" + "".join(self._random.choices("bcdfghjklmnpqrstvw", k=7)) + "x"
            if word not in self._given:
                self._given.add(word)
                return word


class Flesh:
    """Fields that may be anything, filled at random; `full`: how likely each is there, in 100."""

    def __init__(self, random: Random, markers: Markers, paths: Mapping[str, list[str]], days: list[str], full: int):
        self.random, self.markers, self.paths, self.days, self.full = random, markers, paths, days, full

    def record(self, collection: str, **given: Any) -> dict[str, Any]:
        """A record by its schema; `given` fields are as they are, and None keeps a field away."""
        return self.filled(schema(collection), given, collection)

    def entry(self, collection: str, listing: str, **given: Any) -> dict[str, Any]:
        """One entry of a list of a record."""
        return self.filled(schema(collection)["properties"][listing]["items"], given, f"{collection}.{listing}")

    def filled(self, node: Mapping[str, Any], given: Mapping[str, Any], at: str) -> dict[str, Any]:
        required = {*node.get("required", ())}
        properties = node["properties"]
        if "anyOf" in node:
            required |= set(self.random.choice(node["anyOf"]).get("required", ()))
        made: dict[str, Any] = {}
        for name, sub in properties.items():
            if name in given:
                if given[name] is not None:
                    made[name] = given[name]
            elif name in STEERED_BY_HAND and name not in required:
                continue
            elif (name in required or self._chance(self.full)) and (
                value := self.value(sub, f"{at}.{name}")
            ) is not None:
                made[name] = value
        for first, last in _ORDERED:
            if isinstance(made.get(first), str) and isinstance(made.get(last), str) and made[last] < made[first]:
                if first not in given and last not in given:
                    made[first], made[last] = made[last], made[first]
                else:
                    del made[last if last not in given else first]
        if not made and node.get("minProperties"):
            found = ((name, self.value(sub, f"{at}.{name}")) for name, sub in properties.items())
            made |= dict([next((name, value) for name, value in found if value is not None)])
        return made

    def value(self, node: Mapping[str, Any], at: str) -> Any:
        if "properties" in node:
            return self.filled(node, {}, at) or None
        if node.get("type") == "array":
            count = max(node.get("minItems", 0), self.random.choice((1, 1, 2, 3)))
            found = [each for _ in range(count) if (each := self.value(node["items"], at)) is not None]
            scalars = all(isinstance(each, str) for each in found)
            return (list(dict.fromkeys(found)) if scalars else found) or None
        if "x-ref" in node:
            return self._reference(node["x-ref"])
        if "enum" in node:
            return self.random.choice(node["enum"])
        if "x-codes" in node:
            return self._code(node["x-codes"], at)
        if "anyOf" in node:
            return self.value({**node["anyOf"][0], **{k: v for k, v in node.items() if k.startswith("x-")}}, at)
        return self._scalar(node, at)

    def _reference(self, kinds: list[str]) -> str | None:
        there = [path for kind in kinds for path in self.paths.get(kind, [kind] if kind in ("child", "family") else [])]
        return self.random.choice(there) if there else None

    def _code(self, name: str, at: str) -> Any:
        if name == "progress-rating":
            return self.random.randrange(-2, 3)
        known = codes(name)
        return "zz-of-our-own" if not known or self._chance(3) else self.random.choice(known)

    def _scalar(self, node: Mapping[str, Any], at: str) -> Any:
        match node.get("type"):
            case "boolean":
                return self._chance(50)
            case "integer":
                return self.random.randrange(node.get("minimum", 1), min(node.get("maximum", 9), 9) + 1)
            case "number":
                return self.random.randrange(1, 40)
        if node.get("format") in ("date", "date-time"):
            return self.random.choice(self.days)
        return self._text(node, at.rsplit(".", 1)[1])

    def _text(self, node: Mapping[str, Any], name: str) -> str:
        word = self.markers.word()
        if node.get("contentEncoding") == "base64":
            return base64.b64encode(f"A letter, {word}, in which all of it is written".encode()).decode()
        match name:
            case "id":
                return f"{name}-{word}"
            case "system":
                return f"urn:{word}"
            case "code" | "language":
                return self.random.choice(("en", "fr", "oj", "en-CA"))
            case "content_type":
                return "text/plain"
            case "every":
                return self.random.choice(("P30D", "P6M", "P1Y"))
            case "link":
                return f"https://agency.example.ca/{word}"
        if node.get("x-text"):
            return f"Said of {word} and then {word} again"
        return (
            f"{word} {self.markers.word()}" if self._chance(20) and not node.get("x-identifier") else word.capitalize()
        )

    def _chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent


def scalars(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a JSON value with its JSON Pointer."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from scalars(child, f"{at}/{name}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from scalars(child, f"{at}/{index}")
    else:
        yield at, value
