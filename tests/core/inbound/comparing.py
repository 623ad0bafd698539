"""What is different between a record as a partner saw it and the record that came back: by leaf, without values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

Difference = tuple[str, str]
"""(lost | given | changed | order, the leaf or entry: `goals.steps.note`)."""


def plain(value: Any) -> Any:
    """A view without the paths that it adds: what a record holds."""
    if isinstance(value, dict):
        return {name: plain(child) for name, child in value.items() if name != "path"}
    return [plain(child) for child in value] if isinstance(value, list) else value


def differences(sent: Any, back: Any, at: str) -> Iterator[Difference]:
    """Lists of entries are compared entry by entry, each with the one that is most like it, whatever their order."""
    if isinstance(sent, dict) and isinstance(back, dict):
        for name in sent:
            yield from (
                differences(sent[name], back[name], f"{at}.{name}") if name in back else [("lost", f"{at}.{name}")]
            )
        yield from (("given", f"{at}.{name}") for name in back if name not in sent)
    elif isinstance(sent, list) and isinstance(back, list):
        yield from _of_lists(sent, back, at)
    elif sent != back:
        yield "changed", at


def kept(sent: Any, back: Any, at: str) -> Iterator[str]:
    """The leaves and entries of what was sent that came back as they were."""
    if isinstance(sent, dict) and isinstance(back, dict):
        for name, child in sent.items():
            yield from kept(child, back[name], f"{at}.{name}") if name in back else ()
    elif isinstance(sent, list) and isinstance(back, list):
        if sent and not isinstance(sent[0], dict):
            yield from (at for each in sent if each in back)
        for one, other in _pairs(sent, back):
            yield at
            yield from kept(one, other, at)
    elif sent == back:
        yield at


def _of_lists(sent: list[Any], back: list[Any], at: str) -> Iterator[Difference]:
    if any(isinstance(each, dict) for each in (*sent, *back)):
        pairs = _pairs(sent, back)
        for one, other in pairs:
            yield from differences(one, other, at)
        yield from (("lost", at) for _ in range(len(sent) - len(pairs)))
        yield from (("given", at) for _ in range(len(back) - len(pairs)))
        places = [next(n for n, each in enumerate(back) if each is other) for _, other in pairs]
    else:
        yield from (("lost", at) for _ in (Counter(map(str, sent)) - Counter(map(str, back))).elements())
        yield from (("given", at) for _ in (Counter(map(str, back)) - Counter(map(str, sent))).elements())
        places = [back.index(each) for each in sent if each in back]
    if places != sorted(places):
        yield "order", at


def _pairs(sent: list[Any], back: list[Any]) -> list[tuple[Any, Any]]:
    """Each entry with the one of the other side that has its id, else, the most alike first, most leaves in common."""
    ones = [(number, each) for number, each in enumerate(sent) if isinstance(each, dict)]
    others = [(number, each) for number, each in enumerate(back) if isinstance(each, dict)]
    ranked = sorted(
        ((-_alike(one, other), abs(n - m), n, m) for n, one in ones for m, other in others if _alike(one, other) > 0)
    )
    found: dict[int, int] = {}
    for _, _, n, m in ranked:
        if n not in found and m not in found.values():
            found[n] = m
    return [(sent[n], back[m]) for n, m in sorted(found.items())]


def _alike(one: dict[str, Any], other: dict[str, Any]) -> int:
    if "id" in one and one.get("id") == other.get("id"):
        return 1000
    return sum(1 for name, value in one.items() if name in other and other[name] == value)
