"""Are the profiles right, and is what is generated from them as they are? With file and line, for `adapter check`.

SUSHI finds more, when `make profiles` runs; here it is told without node, and what was forgotten to be generated too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhirpathpy.models import models

from adapter.catalogue.files import Found, read_json
from adapter.catalogue.profiles import read_profiles
from adapter.core.fhir.package import CANONICAL
from adapter.core.fhir.shorthand import Entity, Rule, Shorthand, inserted, read
from adapter.core.mapping.elements import Model
from adapter.core.mapping.expression_error import ExpressionError
from adapter.core.mapping.fhirpath import compile_expression
from adapter.core.partner import Release
from adapter.errors import Finding, Misconfigured

_KINDS = {
    "Profile": "StructureDefinition",
    "Extension": "StructureDefinition",
    "ValueSet": "ValueSet",
    "CodeSystem": "CodeSystem",
}
_DISCRIMINATORS = frozenset({"value", "exists", "pattern", "type", "profile"})
_CARD = re.compile(r"(\S+)\s+(\d+)\.\.(\d+|\*)")
_BOUND = re.compile(r"(\S+)\s+from\s+(\S+)\s+\((\w+)\)")
_ONLY = re.compile(r"(\S+)\s+only\s+(.+)")
_CONTAINS = re.compile(r"(\S+)\s+contains\s*(.*)")
_NAMED = re.compile(r"(?:\S+\s+contains\s+)?(\S+)\s+(?:named\s+(\S+)\s+)?(\d+)\.\.(\d+|\*).*")
_OBEYS = re.compile(r"(?:\S+\s+)?obeys\s+(.+)")
_CARET = re.compile(r"(?:(\S+)\s+)?\^(\S+)\s*=\s*(.+)")
_CODE = re.compile(r"(\S+)\s+=\s+(\$?[^\s#]*)#(\S+)")
_SLICE = re.compile(r"\[(?!x\])([^\]]*)\]")
_FRESH = "run `make profiles`"
Known = Mapping[str, Mapping[str, Any]]


def check_shorthand(root: Path, found: Found) -> None:
    """Remarks on profiles/fsh, profiles/fsh-r5 and profiles/generated of this folder; none where no sources are."""
    told: set[Finding] = set()
    for release in ("R4", "R5"):
        shorthand = _sources(root, release, found)
        if not shorthand.entities:
            return
        try:
            generated = read_profiles(root, release)
        except Misconfigured as wrong:
            told |= set(wrong.findings or [Finding(f"profiles/generated/{release.lower()}", 0, wrong.detail)])
            generated = {}
        checks = _Checks(root, release, shorthand, generated, Model(models[release.lower()], strict=False))
        told |= set(checks.all())
    found.remarks.extend(told)


def _sources(root: Path, release: Release, found: Found) -> Shorthand:
    folders = ("fsh",) if release == "R4" else ("fsh", "fsh-r5")
    paths = {path.name: path for each in folders for path in sorted((root / "profiles" / each).glob("*.fsh"))}
    shorthand = Shorthand()
    for name, path in sorted(paths.items()):
        file = f"profiles/{path.parent.name}/{name}"
        try:
            read(path.read_text("utf-8"), file, shorthand)
        except (OSError, UnicodeDecodeError):
            found.remarks.append(Finding(file, 0, "cannot be read as UTF-8"))
    return shorthand


@dataclass(frozen=True)
class _Checks:
    """The sources of one release, held against FHIR and against what was generated."""

    root: Path
    release: Release
    shorthand: Shorthand
    generated: Known
    model: Model

    def all(self) -> Iterator[Finding]:
        ids = {(_KINDS[each.kind], each.keyword("Id")) for each in self.shorthand.entities if each.kind in _KINDS}
        for entity in self.shorthand.entities:
            match entity.kind:
                case "Invariant":
                    yield from self._invariant(entity)
                case "Profile" | "Extension":
                    yield from self._rules(entity)
            if entity.kind in _KINDS:
                yield from self._is_fresh(entity)
        yield from self._is_ours(ids)

    def _invariant(self, entity: Entity) -> Iterator[Finding]:
        try:
            compile_expression(entity.keyword("Expression"), model=self.model)
        except ExpressionError as wrong:
            reason = f"the expression of {entity.name} cannot be compiled: {wrong}"
            yield Finding(entity.file, entity.at("Expression"), reason)

    def _rules(self, entity: Entity) -> Iterator[Finding]:
        parent = entity.keyword("Parent") or ("Extension" if entity.kind == "Extension" else "")
        type_ = self._type(parent)
        if type_ is None:
            yield Finding(
                entity.file, entity.at("Parent"), f"there is no type {parent or 'named'} in FHIR {self.release}"
            )
            return
        for context in entity.keyword("Context").split(", ") if entity.kind == "Extension" else ():
            if context and not self._is_path(context):
                yield Finding(entity.file, entity.at("Context"), f"there is no {context} in FHIR {self.release}")
        for file, rule in self.shorthand.rules(entity):
            for line, detail in self._rule(type_, rule):
                yield Finding(file, line, detail)

    def _type(self, parent: str) -> str | None:
        """The type of FHIR that a parent is, or is a profile of."""
        profile = self.shorthand.named("Profile", parent)
        if profile is not None and profile.keyword("Parent") != parent:
            return self._type(profile.keyword("Parent"))
        return parent if parent in self.model.names else None

    def _rule(self, type_: str, rule: Rule) -> Iterator[tuple[int, str]]:
        text = rule.text
        for name in sorted(set(re.findall(r"\$[A-Za-z][A-Za-z0-9_-]*", re.sub(r'"[^"]*"', "", text))) - {"$this"}):
            if name not in self.shorthand.aliases:
                yield rule.line, f"there is no alias {name}"
        if name := inserted(text)[0]:
            yield rule.line, f"there is no RuleSet {name}"
        elif obeyed := _OBEYS.fullmatch(text):
            for name in obeyed[1].split(" and "):
                if name.strip() not in self.shorthand.names("Invariant"):
                    yield rule.line, f"there is no Invariant {name.strip()}"
        elif caret := _CARET.fullmatch(text):
            yield from self._caret(type_, rule, caret[1] or "", caret[2], caret[3])
        else:
            path = text.split()[0]
            if not self._has(type_, path):
                yield rule.line, f"{type_} of FHIR {self.release} has no element {path}"
            else:
                yield from self._element(rule, text, path)

    def _element(self, rule: Rule, text: str, path: str) -> Iterator[tuple[int, str]]:
        if only := _ONLY.fullmatch(text):
            for name in re.findall(r"[A-Za-z0-9$:/.-]+", re.sub(r"\bor\b", " ", only[2].removesuffix(" MS"))):
                if name not in self.model.names | self.shorthand.names("Profile") and not name.startswith(
                    ("http", "$")
                ):
                    yield rule.line, f"there is no type {name} in FHIR {self.release}"
        elif bound := _BOUND.match(text):
            if not self._is_there("ValueSet", bound[2]):
                yield rule.line, f"there is no value set {bound[2]}"
        elif code := _CODE.match(text):
            system = self.shorthand.aliases.get(code[2], code[2])
            if system.startswith(CANONICAL) and code[3] not in self._codes(system):
                yield rule.line, f"the code system {system} has no code {code[3]}"
        elif _CONTAINS.match(text) and path.rpartition(".")[2] == "extension":
            known = self.shorthand.names("Extension")
            for line, part in rule.lines:
                found = _NAMED.match(part)
                if found and found[2] and found[1] not in known and not found[1].startswith(("$", "http")):
                    yield line, f"there is no Extension {found[1]}"

    def _caret(self, type_: str, rule: Rule, path: str, name: str, value: str) -> Iterator[tuple[int, str]]:
        if path and not self._has(type_, path):
            yield rule.line, f"{type_} of FHIR {self.release} has no element {path}"
        elif name.endswith("discriminator.type") and value.lstrip("#") not in _DISCRIMINATORS:
            yield (
                rule.line,
                f"slices are told apart by {', '.join(sorted(_DISCRIMINATORS))}, not by {value.lstrip('#')}",
            )
        elif name.endswith("discriminator.path"):
            inner = value.strip('"')
            if inner != "$this" and "(" not in inner and not self._has(type_, f"{path}.{inner}"):
                yield rule.line, f"{path} has no element {inner} to tell its slices apart by"

    def _is_path(self, context: str) -> bool:
        type_, _, path = context.partition(".")
        return type_ in self.model.names and (not path or self._has(type_, path))

    def _has(self, type_: str, path: str) -> bool:
        """Whether a type has this element; slices (`category[plan]`) are those of the element before them."""
        at: str | None = type_
        for step in _SLICE.sub("", path).split("."):
            name = step.removesuffix("[x]")
            if at is None:
                return False
            if self.model.choices(at, name):
                at = "Element"
                continue
            at = self.model.below(at, name)
        return at is not None

    def _is_there(self, kind: str, name: str) -> bool:
        if name.startswith(CANONICAL):
            return self._url(kind, name.rpartition("/")[2])
        return name.startswith(("http", "$")) or name in self.shorthand.names(kind)

    def _url(self, kind: str, id_: str) -> bool:
        mapped = (self.root / "mappings" / "codes" / f"{id_}.json").is_file()
        return mapped or any(_KINDS.get(e.kind) == kind and e.keyword("Id") == id_ for e in self.shorthand.entities)

    def _codes(self, system: str) -> frozenset[str]:
        definition = self.generated.get(f"CodeSystem-{system.rpartition('/')[2]}.json", {})
        return frozenset(each["code"] for each in definition.get("concept", ()))

    def _is_fresh(self, entity: Entity) -> Iterator[Finding]:
        """Title, description, cardinalities and bindings of the source are those of the generated definition."""
        id_ = entity.keyword("Id")
        name = f"{_KINDS[entity.kind]}-{id_}.json"
        made = self.generated.get(name)
        if made is None:
            detail = f"nothing is generated from this for {self.release}: {_FRESH}"
            yield Finding(entity.file, entity.at("Id"), detail)
            return
        for keyword, element in (("Title", "title"), ("Description", "description")):
            if keyword in entity.keywords and entity.keyword(keyword) != made.get(element):
                yield Finding(
                    entity.file, entity.at(keyword), f"differs from profiles/generated/{self._folder}/{name}: {_FRESH}"
                )
        if entity.kind in ("Profile", "Extension"):
            yield from self._elements_fresh(entity, made)

    def _elements_fresh(self, entity: Entity, made: Mapping[str, Any]) -> Iterator[Finding]:
        elements = {each["id"]: each for each in made.get("snapshot", {}).get("element", ())}
        sliced = {id_.rpartition(":")[0] for id_ in elements if ":" in id_.rpartition(".")[2]}
        for (what, path), (file, line, wanted) in self._wanted(entity).items():
            id_ = made["type"] + "." + _SLICE.sub(r":\1", path)
            element = elements.get(id_)
            if element is None:
                continue  # a choice that is written with its type has an id of its own
            binding = element.get("binding", {})
            has = (str(element["min"]), element["max"]) if what == "cardinality" else (
                binding.get("valueSet", "").partition("|")[0], binding.get("strength", ""))  # fmt: skip
            # Slices that must be there raise the minimum of what they slice.
            if id_ in sliced and what == "cardinality" and int(has[0]) > int(wanted[0]):
                has = (wanted[0], has[1])
            if has != wanted:
                detail = f"the {what} of {path} is another one in profiles/generated/{self._folder}: {_FRESH}"
                yield Finding(file, line, detail)

    def _wanted(self, entity: Entity) -> dict[tuple[str, str], tuple[str, int, tuple[str, str]]]:
        """What the source says of cardinalities and bindings, by path: of several the last."""
        last: dict[tuple[str, str], tuple[str, int, tuple[str, str]]] = {}
        for file, rule in self.shorthand.rules(entity):
            if card := _CARD.match(rule.text):
                last["cardinality", card[1]] = file, rule.line, (card[2], card[3])
            elif bound := _BOUND.match(rule.text):
                last["binding", bound[1]] = file, rule.line, (self._canonical(bound[2]), bound[3])
            elif contains := _CONTAINS.match(rule.text):
                for line, part in rule.lines:
                    if found := _NAMED.match(part):
                        path = f"{contains[1]}[{found[2] or found[1]}]"
                        last["cardinality", path] = file, line, (found[3], found[4])
        return last

    def _canonical(self, name: str) -> str:
        entity = self.shorthand.named("ValueSet", name)
        return f"{CANONICAL}/ValueSet/{entity.keyword('Id')}" if entity else self.shorthand.aliases.get(name, name)

    @property
    def _folder(self) -> str:
        return self.release.lower()

    def _is_ours(self, ids: set[tuple[str, str]]) -> Iterator[Finding]:
        """Each generated definition bears the address that its file says, and has a source."""
        for name, made in self.generated.items():
            kind, id_ = made.get("resourceType", ""), made.get("id", "")
            if kind not in _KINDS.values():
                continue
            file = f"profiles/generated/{self._folder}/{name}"
            source = (
                read_json(self.root / file, file, Found()) if made.get("url") != f"{CANONICAL}/{kind}/{id_}" else None
            )
            if source:
                yield source.finding(f"its url must be {CANONICAL}/{kind}/{id_}: {_FRESH}", "url")
            if (kind, id_) not in ids and (kind == "StructureDefinition" or not self._mapped(made)):
                yield Finding(file, 1, f"no source in profiles/fsh defines it any more: {_FRESH}")

    def _mapped(self, made: Mapping[str, Any]) -> bool:
        """Whether a code list comes from the ConceptMaps: as their own, or as a system that they translate to."""
        return made["resourceType"] == "CodeSystem" or self._url("ValueSet", str(made["id"]))
