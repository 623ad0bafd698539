"""A second case that differs from a first only where a partner may not look, and nothing of that steers decisions."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.core.consent.proofs.flesh import Markers, codes
from tests.core.consent.proofs.generators import Situation
from tests.core.consent.proofs.layout import Spot, lay_out
from tests.core.consent.proofs.leaves import leaves_in_view

PLAIN = ("strengths", "needs", "goals", "assessments", "contacts", "risks")
"""Collections of which whole records may come and go: no record of them steers anything but itself."""
STEERING_FIELDS = ("organization", "originator")
"""A worker's employer and a document's originator: the sector of whom they name steers (consent.md, *Topics*)."""


def otherwise(s: Situation, random: Random, *later: Situation) -> dict[str, Any]:
    """The case with every withheld leaf that does not steer perhaps changed, removed, doubled; valid like the first.

    `later`: the same at other times: what is permitted then stays too."""
    return _Other(s, random, later).make()


class _Other:
    def __init__(self, s: Situation, random: Random, later: Iterable[Situation]) -> None:
        self.s, self.random = s, random
        self.markers = Markers(random.randrange(1 << 30) | 1 << 31)
        self.case = copy.deepcopy(s.case)
        self.seen = frozenset(pointer for each in (s, *later) for pointer in leaves_in_view(each))
        self.spots = lay_out(s.case)
        self.in_view = {path for pointer in self.seen if pointer in self.spots for path in self.spots[pointer].chain}
        self.valid = s.rulebook.schemas.validator.is_valid
        self.named = json.dumps([s.case.get("consents"), [r.get("shares") for r in s.case.get("referrals", ())]])

    def make(self) -> dict[str, Any]:
        for spot in self.spots.values():
            if self._is_free(spot) and self.chance(65):
                self._change(spot)
        self._entries(self.case, "")
        for collection in PLAIN:
            self._records(collection)
        assert self.valid(self.case)
        return self.case

    def _is_free(self, spot: Spot) -> bool:
        node = spot.node
        if spot.pointer in self.seen or spot.steers or node.get("x-id") or spot.collection == "consents":
            return False
        if node.get("x-codes") in self.s.rulebook.topics or spot.field in STEERING_FIELDS:
            return False
        if spot.collection in ("goals", "care_teams") and str(spot.value).startswith("people/"):
            return False  # permitted though not shown: whether "a family member" stands in depends on who it is
        if spot.collection == "organizations" and spot.field in ("system", "value"):
            return False  # one of them says which is the coordinating agency
        if node.get("x-part-by") and spot.field in ("code", "type"):
            return False
        return not ("x-ref" in node and str(spot.value).split("/")[0] in ("organizations", "providers", "consents"))

    def _change(self, spot: Spot) -> None:
        *way, last = spot.pointer.split("/")[1:]
        holder = _at(self.case, way)
        key: Any = int(last) if isinstance(holder, list) else last
        before = holder[key]
        if isinstance(holder, dict) and self.chance(20):
            del holder[key]
        else:
            holder[key] = self._instead(spot)
        if not self.valid(self.case) or not _in_order(holder):
            holder[key] = before

    def _instead(self, spot: Spot) -> Any:
        node, value = spot.node, spot.value
        if "x-ref" in node:
            there = {path for each in self.spots.values() for path in each.chain if path not in self.in_view}
            kinds = {kind.split("/")[0] for kind in node["x-ref"]} - {"organizations", "providers"}
            fit = sorted(path for path in there if path.split("/")[0] in kinds and path.count("/") == value.count("/"))
            return self.random.choice(fit) if fit else value
        if isinstance(value, bool):
            return not value
        if isinstance(value, int | float):
            return value + self.random.choice((-1, 1))
        if "enum" in node or "x-codes" in node:
            return self.random.choice(node.get("enum") or codes(node["x-codes"]) or [value])
        if node.get("format") or "anyOf" in node:
            return (date.fromisoformat(value[:10]) + timedelta(days=self.random.randrange(-20, 20))).isoformat()
        word = self.markers.word()
        if "contentEncoding" in node or "pattern" in node and not node["pattern"].startswith("^[^"):
            return value
        return f"Otherwise {word}, and longer than it was" if node.get("x-text") else word

    def _entries(self, value: Any, at: str) -> None:
        """Entries of which nothing is seen and nothing steers: fewer, or more."""
        if isinstance(value, dict):
            for name, child in list(value.items()):
                if f"{at}/{name}" != "/consents":
                    self._entries(child, f"{at}/{name}")
        elif isinstance(value, list):
            for index in reversed(range(len(value))):
                if at.count("/") > 1 and self._loose(f"{at}/{index}") and self.chance(40):
                    self._less_or_more(value, index)
                else:
                    self._entries(value[index], f"{at}/{index}")

    def _loose(self, at: str) -> bool:
        inside = [spot for p, spot in self.spots.items() if p == at or p.startswith(f"{at}/")]
        ids = [spot.chain[-1] for spot in inside if spot.node.get("x-id")]
        free = all(self._is_free(spot) or spot.node.get("x-id") for spot in inside)
        return free and not any(p == at or p.startswith(f"{at}/") for p in self.seen) and not self._referred(ids)

    def _less_or_more(self, entries: list[Any], index: int) -> None:
        one = entries[index]
        if len(entries) > 1 and self.chance(50):
            del entries[index]
        elif isinstance(one, dict):
            entries.insert(index, self._anew(one))
        if not self.valid(self.case):
            raise AssertionError("an entry more or less made the case invalid")

    def _records(self, collection: str) -> None:
        """Records of which nothing is seen and that nobody refers to: gone, or once more under another id."""
        for record in list(self.case.get(collection, ())):
            path = f"{collection}/{record['id']}"
            if path in self.in_view or self._referred([path]) or not self.chance(40):
                continue
            if self.chance(50):
                self.case[collection].remove(record)
            else:
                self.case[collection].insert(self.random.randrange(3), self._anew(record))

    def _referred(self, paths: list[str]) -> bool:
        text = json.dumps(self.case)
        return any(path in self.named or f'"{path}' in text for path in paths)

    def _anew(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = copy.deepcopy(dict(record))
        for name, value in found.items():
            if name == "id":
                found[name] = self.markers.word()
            elif isinstance(value, list):
                found[name] = [self._anew(one) if isinstance(one, dict) else one for one in value]
        return found

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent


def _at(value: Any, way: list[str]) -> Any:
    for step in way:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def _in_order(holder: Any) -> bool:
    if not isinstance(holder, dict):
        return True
    pairs = (("start", "end"), ("since", "until"), ("from", "to"))
    return all(str(holder.get(first, "")) <= str(holder.get(last, "~")) for first, last in pairs)
