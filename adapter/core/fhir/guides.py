"""Does a resource meet what an implementation guide asks, of those that partners name (docs/guides.md)?

The facts of a guide are data (profiles/guides/*.yaml); only what one of our resources could miss is there. It is asked
apart from the checker: a guide's profile is somebody else's, and a resource that misses it still is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adapter.core.mapping.fhirpath import Expression, Model, compile_expression
from adapter.core.partner import Dialect
from adapter.errors import Problem

Codes = Mapping[str, frozenset[str] | Literal["any"]]
"""Code system → the codes that are meant; "any": all of that system."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition on a whole resource, and what it says in plain words."""

    holds: Expression
    says: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of one element. `path` is relative to the resource; choices have their name without a type."""

    path: str
    least: int = 0
    most: int | None = None
    words: frozenset[str] = frozenset()
    """The codes that a primitive may be."""
    has: Codes | None = None
    """One of its values has a coding of these."""
    to: frozenset[str] = frozenset()
    """The types that a reference may lead to."""
    types: frozenset[str] = frozenset()
    """The types that a choice may have: {"DateTime", "Period"}."""
    where: tuple[str, frozenset[str]] | None = None
    """It is only asked where this element beside it leads to one of these types."""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile of a guide: its canonical URL, the type, and the mapping files whose resources are to meet it."""

    url: str
    type: str
    of: frozenset[str]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """A guide at one version."""

    id: Dialect
    title: str
    version: str
    source: str
    profiles: tuple[Profile, ...]

    def of(self, mapping: str) -> tuple[Profile, ...]:
        """The profiles that what a mapping file makes is to meet."""
        return tuple(each for each in self.profiles if mapping in each.of)

    def wanted(self, resource: Mapping[str, Any], own: str) -> tuple[Profile, ...]:
        """The profiles that a resource is to meet: those that it claims, those of the mapping file that made it (`own`:
        how our profiles' addresses begin), else, where it
        claims nothing, the one that the guide has for its type, if that is only one."""
        meta = resource.get("meta")
        given = meta.get("profile") if isinstance(meta, Mapping) else None
        claimed = [each.partition("|")[0] for each in given if isinstance(each, str)] if isinstance(given, list) else []
        names = {each.removeprefix(own) for each in claimed if each.startswith(own)}
        if found := tuple(each for each in self.profiles if each.url in claimed or each.of & names):
            return found
        alike = tuple(each for each in self.profiles if each.type == resource.get("resourceType"))
        return alike if len(alike) == 1 and not claimed else ()


def rule(path: str, condition: str, says: str, model: Model) -> Rule:
    """The condition holds for each value of the element; with an empty path, for the resource. ExpressionError."""
    text = f"{path}.all({condition})" if path else condition
    return Rule(compile_expression(text, model=model, variables=()), says)


def missed(guide: Guide, resource: Mapping[str, Any], own: str) -> list[Problem]:
    """Where a resource, or the resources of a Bundle, miss what the guide asks of them."""
    entries = resource.get("entry") if resource.get("resourceType") == "Bundle" else None
    if not isinstance(entries, list):
        return [each for profile in guide.wanted(resource, own) for each in problems(profile, resource, {})]
    held = [
        (at, each)
        for at, each in enumerate(entries)
        if isinstance(each, Mapping) and isinstance(each.get("resource"), Mapping)
    ]
    among = {str(each["fullUrl"]): each["resource"] for _, each in held if "fullUrl" in each}
    return [
        Problem(f"/entry/{at}/resource{problem.pointer}", problem.detail)
        for at, each in held
        for profile in guide.wanted(each["resource"], own)
        for problem in problems(profile, each["resource"], among)
    ]


def problems(profile: Profile, resource: Mapping[str, Any], among: Mapping[str, Mapping[str, Any]]) -> list[Problem]:
    """Where a resource misses a profile; `among`: the resources that references name, as `Checker.problems` has it."""
    if resource.get("resourceType") != profile.type:
        return [Problem("", f"is no {profile.type}")]
    found = [problem for asked in profile.asked for problem in _problems(asked, resource, among)]
    return sorted(set(found))


def _problems(asked: Asked, resource: Mapping[str, Any], among: Mapping[str, Mapping[str, Any]]) -> Iterator[Problem]:
    *above, name = asked.path.split(".")
    for pointer, holder in _holders(resource, above, ""):
        values = _values(holder, name)
        here = f"{pointer}/{name}"
        if asked.types and (wrong := _choices(holder, name) - asked.types):
            yield Problem(here, f"may not be {' or '.join(sorted(wrong))}")
        if asked.where and not any(_type(each, among) in asked.where[1] for each in _values(holder, asked.where[0])):
            continue
        if len(values) < asked.least:
            yield Problem(here, "is missing")
        if asked.most is not None and len(values) > asked.most:
            yield Problem(here, "may not be there" if not asked.most else "is there too often")
        if asked.words and any(isinstance(each, str) and each not in asked.words for each in values):
            yield Problem(here, "has a code that is not allowed")
        if asked.has is not None and values and not any(_coded(each, asked.has) for each in values):
            yield Problem(here, "has none of the codes that are asked for")
        if asked.to and any((type_ := _type(each, among)) and type_ not in asked.to for each in values):
            yield Problem(here, "leads to a type that is not allowed")
    for each in asked.rules:
        if not each.holds.holds(resource):
            yield Problem(f"/{asked.path.replace('.', '/')}" if asked.path else "", each.says)


def _holders(value: Mapping[str, Any], path: Sequence[str], pointer: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects at the end of a path, each with its JSON Pointer."""
    if not path:
        yield pointer, value
        return
    inner = value.get(path[0])
    places = enumerate(inner) if isinstance(inner, list) else [(None, inner)]
    for place, each in places:
        if isinstance(each, Mapping):
            here = f"{pointer}/{path[0]}" + ("" if place is None else f"/{place}")
            yield from _holders(each, path[1:], here)


def _values(holder: Mapping[str, Any], name: str) -> list[Any]:
    """The values of an element, choices too; one without a value, that says why, counts."""
    if not name:
        return []
    keys = [key for key in holder if key == name or _is_choice(key, name)]
    found = [each for key in keys for each in (holder[key] if isinstance(holder[key], list) else [holder[key]])]
    if not found:
        beside = holder.get(f"_{name}")
        found = [each for each in (beside if isinstance(beside, list) else [beside]) if each]
    return found


def _choices(holder: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(key.removeprefix(name) for key in holder if _is_choice(key, name))


def _is_choice(key: str, name: str) -> bool:
    return key.startswith(name) and key[len(name) : len(name) + 1].isupper() and key not in _NO_CHOICE


_NO_CHOICE = frozenset({"statusReason", "statusHistory", "codeFilter"})


def _coded(value: Any, wanted: Codes) -> bool:
    if not isinstance(value, Mapping):
        return False
    return any(
        (codes := wanted.get(each.get("system", ""))) is not None and (codes == "any" or each.get("code") in codes)
        for each in value.get("coding", ())
    )


def _type(value: Any, among: Mapping[str, Mapping[str, Any]]) -> str:
    """The type that a reference leads to, where it is known."""
    if not isinstance(value, Mapping):
        return ""
    to = value.get("reference", "")
    if to in among:
        return str(among[to].get("resourceType", ""))
    type_, slash, _ = to.rpartition("/")[0].rpartition("/")[2], "/" in to, to
    return str(value.get("type", "")) or (type_ if slash and type_[:1].isupper() else "")
