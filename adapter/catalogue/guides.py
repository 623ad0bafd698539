"""Reads what implementation guides ask of our resources (profiles/guides/*.yaml; every key is told in its README)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from fhirpathpy.models import models

from adapter.catalogue.files import Found, Place, Source, read_yaml
from adapter.core.fhir.guides import Asked, Guide, Profile, Rule, rule
from adapter.core.mapping.elements import Model
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.partner import DIALECTS, Dialect
from adapter.errors import Misconfigured

_HEAD = {"title", "version", "source", "canonical", "profiles"}
_PROFILE = {"type", "of", "elements"}
_ELEMENT = {"min", "max", "codes", "has", "to", "types", "where", "rule", "says"}
_SYSTEM = ("http://", "https://", "urn:")


def guides(root: Path, only: Dialect | None = None) -> dict[Dialect, Guide]:
    """Every guide, or one of them. `root` holds profiles/ (`files_root()`). Misconfigured: everything wrong in them."""
    found = Found()
    read = read_guides(root, found, only=only)
    if found.errors:
        raise Misconfigured("What guides ask for is wrong.", sorted(set(found.errors)))
    return read


def read_guides(root: Path, found: Found, *, only: Dialect | None = None) -> dict[Dialect, Guide]:
    """As `guides`, with an error noted for each thing that is wrong."""
    model = Model(models["r4"], strict=False)
    return {
        name: _Reader(read_yaml(root / "profiles" / "guides" / f"{name}.yaml", f"profiles/guides/{name}.yaml", found),
                      model, found).guide(name)
        for name in DIALECTS if only in (None, name)
    }  # fmt: skip


def profile_names(root: Path, found: Found, asked: Collection[Dialect]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Guide → mapping file → the profiles that its resources name, of the guides asked for; no rule is compiled."""
    named: dict[str, dict[str, tuple[str, ...]]] = {}
    for name in sorted(asked):
        source = read_yaml(root / "profiles" / "guides" / f"{name}.yaml", f"profiles/guides/{name}.yaml", found)
        by_file = named.setdefault(name, {})
        for profile, values in (source.values.get("profiles") or {}).items():
            for file in values.get("of", ()):
                by_file[file] = (*by_file.get(file, ()), f"{source.values.get('canonical', '')}{profile}")
    return named


class _Reader:
    """One file, read once: what is wrong is noted at its line."""

    def __init__(self, source: Source, model: Model, found: Found) -> None:
        self._source, self._model, self._found = source, model, found

    def guide(self, name: Dialect) -> Guide:
        values = self._source.values
        self._keys(values, _HEAD)
        for key in sorted(_HEAD - {"profiles"}):
            if not isinstance(values.get(key), str):
                self._wrong(f"{key}: is missing, or no text")
        profiles = values.get("profiles")
        made = [self._profile(url, each) for url, each in (profiles if isinstance(profiles, dict) else {}).items()]
        title, version, source = (str(values.get(key, "")) for key in ("title", "version", "source"))
        return Guide(name, title, version, source, tuple(each for each in made if each))

    def _profile(self, name: str, values: Any) -> Profile | None:
        here = ("profiles", name)
        if not isinstance(values, dict) or not isinstance(values.get("elements"), dict):
            self._wrong(f"{name}: must have a type, `of` and elements", *here)
            return None
        self._keys(values, _PROFILE, *here)
        type_ = values.get("type", "")
        if type_ not in self._model.names:
            self._wrong("there is no such type in FHIR", *here, "type")
        asked = tuple(
            each
            for path, facts in values["elements"].items()
            for each in self._asked(str(type_), str(path), facts, (*here, "elements", path))
        )
        url = f"{self._source.values.get('canonical', '')}{name}"
        return Profile(url, str(type_), frozenset(map(str, values.get("of", ()))), asked)

    def _asked(self, type_: str, path: str, facts: Any, here: Place) -> Iterator[Asked]:
        """What a list of conditions asks, or one."""
        if path and not self._is_element(type_, path):
            self._wrong(f"{type_} has no element {path}", *here)
        several = [((*here, place), each) for place, each in enumerate(facts)] if isinstance(facts, list) else []
        for place, each in several or [(here, facts)]:
            if not isinstance(each, dict):
                self._wrong("must be what is asked of this element", *place)
                continue
            self._keys(each, _ELEMENT, *place)
            yield Asked(
                path,
                least=each.get("min", 0),
                most=each.get("max"),
                words=frozenset(each.get("codes", ())),
                has=self._codes(each["has"], place) if "has" in each else None,
                to=frozenset(each.get("to", ())),
                types=frozenset(each.get("types", ())),
                where=next(((name, frozenset(types)) for name, types in each.get("where", {}).items()), None),
                rules=tuple(self._rule(path, each, place)),
            )

    def _rule(self, path: str, facts: Mapping[str, Any], here: Place) -> Iterator[Rule]:
        if "rule" not in facts:
            return
        try:
            yield rule(path, str(facts["rule"]), str(facts.get("says", "")), self._model)
        except ExpressionError as wrong:
            self._wrong(f"the rule cannot be read: {wrong}", *here, "rule")
        if not facts.get("says"):
            self._wrong("a rule has `says`: what it says in plain words", *here)

    def _codes(self, given: Any, here: Place) -> dict[str, Any]:
        if not isinstance(given, dict) or not all(str(system).startswith(_SYSTEM) for system in given):
            self._wrong("has: must be code systems with their codes, or with any", *here)
            return {}
        return {system: "any" if codes == "any" else frozenset(map(str, codes)) for system, codes in given.items()}

    def _is_element(self, type_: str, path: str) -> bool:
        """Whether FHIR has it: `participant.member` of CareTeam, `identifier.system` of Patient."""
        at: str | None = type_
        for step in path.split("."):
            if at and self._model.choices(at, step):
                return "." not in path
            at = self._model.below(at, step) if at else None
        return at is not None

    def _keys(self, values: Any, known: set[str], *here: str | int) -> None:
        for key in set(values if isinstance(values, dict) else ()) - known:
            self._wrong(f"{key}: is not a key of this file", *here, key)

    def _wrong(self, detail: str, *here: str | int) -> None:
        self._found.errors.append(self._source.finding(detail, *here))
