"""Write profiles/base: what FHIR says of the types that are exchanged here, trimmed to what the checker reads.

    python -m tests.validator.base_definitions            # write
    python -m tests.validator.base_definitions --check    # exit 1 where a file is not what would be written

Sources: the published definitions as HAPI FHIR packs them for Maven Central, hapi-fhir-validation-resources-r4 (FHIR
4.0.1, XML) and -r5 (FHIR 5.0.0 with its extensions 1.0.0 and terminology 5.1.0, JSON), in the version that pom.xml
pins. One line is one definition, in the order of kind and name: a new version is read as a difference of lines.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from adapter.core.fhir.models import TYPES
from tests.validator.hapi import TARGET, build

BASE = Path(__file__).resolve().parents[2] / "profiles" / "base"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
FHIR = "{http://hl7.org/fhir}"
LISTS = frozenset({
    "type", "profile", "targetProfile", "constraint", "element", "extension", "context", "contextInvariant", "concept",
    "include", "exclude", "filter", "valueSet", "property", "aggregation", "discriminator",
})  # fmt: skip
"""Where FHIR's JSON has a list; of the elements that are read here."""
SINGLE = frozenset({
    ("StructureDefinition", "type"), ("property", "type"), ("context", "type"), ("discriminator", "type"),
    ("binding", "valueSet"), ("filter", "property"),
})  # fmt: skip
KINDS = ("StructureDefinition", "ValueSet", "CodeSystem")
MAX_VALUE_SET = HL7 + "elementdefinition-maxValueSet"
FHIR_TYPE = HL7 + "structuredefinition-fhir-type"
EVERYWHERE = frozenset({"ele-1", "ext-1"})
"""Repeated by every snapshot on every element; the types have them at their roots."""

Definition = dict[str, Any]


def main(*arguments: str) -> int:
    build()
    stale = False
    for release, published in (("r4", r4()), ("r5", r5())):
        file = BASE / release / "definitions.ndjson"
        text = written(published)
        if "--check" in arguments:
            same = file.is_file() and file.read_text("utf-8") == text
            stale = stale or not same
            print(f"{file.relative_to(BASE.parents[1])}: {'fresh' if same else 'not what its tool writes'}")
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
            print(f"{file.relative_to(BASE.parents[1])}: {len(text.splitlines())} definitions, {len(text)} characters")
    return int(stale)


def r4() -> list[Definition]:
    """Every StructureDefinition, ValueSet and CodeSystem of FHIR R4."""
    base = "org/hl7/fhir/r4/model/"
    names = ("profile/profiles-types", "profile/profiles-resources", "extension/extension-definitions",
             "valueset/valuesets", "valueset/v2-tables", "valueset/v3-codesystems")  # fmt: skip
    with zipfile.ZipFile(_jar("r4")) as jar:
        return [each for name in names for each in _of_xml(jar.read(f"{base}{name}.xml"))]


def r5() -> list[Definition]:
    """Every StructureDefinition, ValueSet and CodeSystem of FHIR R5, its extensions and its terminology."""
    base = "org/hl7/fhir/r5/packages/"
    names = ("hl7.fhir.r5.core-5.0.0", "hl7.fhir.uv.extensions.r5-1.0.0", "hl7.terminology-5.1.0")
    with zipfile.ZipFile(_jar("r5")) as jar:
        return [each for name in names for each in _of_package(jar.read(f"{base}{name}.tgz"))]


def written(published: Iterable[Definition]) -> str:
    """The lines of one release's file."""
    pool: dict[str, dict[str, Definition]] = {kind: {} for kind in KINDS}
    for each in published:
        pool[each["resourceType"]].setdefault(each["url"], each)
    types = [trimmed(each) for each in pool["StructureDefinition"].values() if wanted(each)]
    types.sort(key=lambda each: (each["type"] == "Extension" and each["url"] != HL7 + "Extension", each["url"]))
    sets = sorted({each for one in types for each in bound(one)})
    codes = [made for url in sets if (made := enumerated(url, pool))]
    names = sorted(each["type"] for each in pool["StructureDefinition"].values() if _is_resource(each))
    lines = [{"resourceType": "Parameters", "parameter": [{"name": "resource", "valueCode": name} for name in names]}]
    return "".join(
        json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n" for each in [*lines, *types, *codes]
    )


def wanted(definition: Definition) -> bool:
    """A type that is exchanged, a datatype or a type above them; and FHIR's own extensions."""
    if definition["type"] == "Extension":
        return True
    if definition.get("derivation") == "constraint":
        return definition["kind"] == "complex-type" and definition["type"] == "Quantity"
    name = definition["type"]
    return (
        definition["kind"] in ("complex-type", "primitive-type") or name in TYPES or _true(definition.get("abstract"))
    )


def trimmed(definition: Definition) -> Definition:
    """A StructureDefinition with what the checker reads."""
    kept = {name: definition[name] for name in ("resourceType", "url", "version", "kind", "abstract", "type",
            "baseDefinition", "derivation") if name in definition}  # fmt: skip
    kept["abstract"] = _true(kept.get("abstract"))
    if definition["type"] == "Extension":
        kept["context"] = [{k: c[k] for k in ("type", "expression")} for c in definition.get("context", [])]
    elements = [element(each, definition["url"]) for each in definition["snapshot"]["element"]]
    if definition["kind"] == "primitive-type":
        elements = elements[:1]  # a primitive's format is the checker's own knowledge
    return kept | {"snapshot": {"element": elements}}


def element(given: Definition, own: str) -> Definition:
    """An ElementDefinition with what the checker reads."""
    kept: Definition = {"id": given["id"], "path": given["path"], "min": int(given.get("min", 0)), "max": given["max"]}
    for name, value in given.items():
        if name.startswith(("fixed", "pattern")) or name in ("contentReference", "sliceName", "slicing"):
            kept[name] = value
        elif name == "maxLength":
            kept[name] = int(value)
    if _true(given.get("isModifier")):
        kept["isModifier"] = True
    if types := [_type(each) for each in given.get("type", [])]:
        kept["type"] = types
    if sets := _sets(given.get("binding")):
        kept["binding"] = sets
    constraints = [_constraint(each) for each in given.get("constraint", []) if _is_own(each, given, own)]
    return kept | ({"constraint": constraints} if constraints else {})


def bound(definition: Definition) -> Iterator[str]:
    """The ValueSets that a definition holds codes against."""
    for each in definition["snapshot"]["element"]:
        if binding := each.get("binding"):
            yield from (url.split("|")[0] for url in _urls(binding))


def enumerated(url: str, pool: dict[str, dict[str, Definition]]) -> Definition | None:
    """A ValueSet with each code in it; None where the published material does not say which they are."""
    codes = _codes(url, pool, ())
    if not codes:
        return None
    systems: dict[str, list[str]] = {}
    for system, code in sorted(codes):
        systems.setdefault(system, []).append(code)
    include = [
        {"system": system, "concept": [{"code": code} for code in sorted(each)]} for system, each in systems.items()
    ]
    return {"resourceType": "ValueSet", "url": url, "compose": {"include": include}}


def _codes(url: str, pool: dict[str, dict[str, Definition]], within: tuple[str, ...]) -> set[tuple[str, str]] | None:
    found = pool["ValueSet"].get(url.split("|")[0])
    if found is None or url in within or "compose" not in found:
        return None
    codes: set[tuple[str, str]] = set()
    for include in found["compose"].get("include", []):
        some = _included(include, pool, (*within, url))
        if some is None:
            return None
        codes |= some
    for exclude in found["compose"].get("exclude", []):
        some = _included(exclude, pool, (*within, url))
        if some is None:
            return None
        codes -= some
    return codes


def _included(include: Definition, pool: dict[str, dict[str, Definition]], within: tuple[str, ...]) -> Any:
    groups = [_codes(url, pool, within) for url in include.get("valueSet", [])]
    if system := include.get("system"):
        if include.get("concept"):
            groups.append({(system, each["code"]) for each in include["concept"]})
        else:
            groups.append(_filtered(pool["CodeSystem"].get(system), include.get("filter", [])))
    if not groups or any(group is None for group in groups):
        return None
    return set.intersection(*[set(group or ()) for group in groups])


def _filtered(system: Definition | None, filters: list[Definition]) -> set[tuple[str, str]] | None:
    if system is None or system.get("content") != "complete":
        return None
    tree = list(_tree(system.get("concept", []), ()))
    codes = {code for code, _, _ in tree}
    for each in filters:
        op, value = each["op"], each["value"]
        if each["property"] == "concept" and op in ("is-a", "descendent-of"):
            own = {value} if op == "is-a" else set()
            codes &= {code for code, above, _ in tree if value in above} | own
        elif each["property"] == "concept" and op == "is-not-a":
            codes -= {code for code, above, _ in tree if value in above or code == value}
        elif op == "=":
            codes &= {code for code, _, properties in tree if properties.get(each["property"]) == value}
        elif op == "regex" and each["property"] == "code":
            codes = {code for code in codes if re.fullmatch(value, code)}
        else:
            return None
    return {(system["url"], code) for code in codes}


def _tree(concepts: list[Definition], above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...], dict[str, str]]]:
    """Each code, all codes above it (by nesting, and by v3's `subsumedBy`), and its properties."""
    for each in concepts:
        properties = {
            p["code"]: str(next(v for k, v in p.items() if k.startswith("value"))) for p in each.get("property", [])
        }
        yield each["code"], above, properties
        yield from _tree(each.get("concept", []), (*above, each["code"]))


def _type(given: Definition) -> Definition:
    code = given["code"]
    if code.startswith("http://hl7.org/fhirpath/"):
        told = next((e for e in given.get("extension", []) if e["url"] == FHIR_TYPE), {})
        code = told.get("valueUrl") or told.get("valueUri") or code.rpartition(".")[2].lower()
    kept = {"code": code}
    return kept | {name: given[name] for name in ("profile", "targetProfile") if given.get(name)}


def _sets(binding: Definition | None) -> Definition:
    """A binding that a code must meet: required, or the largest set that one may be extended to."""
    if binding is None:
        return {}
    most = next((e for e in binding.get("extension", []) if e["url"] == MAX_VALUE_SET), None)
    if binding["strength"] == "required":
        return {"strength": "required", "valueSet": binding["valueSet"]} if "valueSet" in binding else {}
    if most is None:
        return {}
    url = most.get("valueCanonical") or most.get("valueUri")
    return {"strength": binding["strength"], "extension": [{"url": MAX_VALUE_SET, "valueCanonical": url}]}


def _urls(binding: Definition) -> Iterator[str]:
    if "valueSet" in binding:
        yield binding["valueSet"]
    yield from (each["valueCanonical"] for each in binding.get("extension", []))


def _constraint(given: Definition) -> Definition:
    kept = {name: given[name] for name in ("key", "severity", "human", "expression") if name in given}
    kept["human"] = re.sub(r"\s+", " ", kept.get("human", "")).strip()
    return kept


def _is_own(constraint: Definition, given: Definition, own: str) -> bool:
    root = "." not in given["path"]
    return root or (constraint["key"] not in EVERYWHERE and constraint.get("source", own) == own)


def _true(given: Any) -> bool:
    return given in (True, "true")


def _is_resource(definition: Definition) -> bool:
    return definition["kind"] == "resource" and definition.get("derivation") == "specialization"


def _jar(release: str) -> Path:
    return next((TARGET / "lib").glob(f"hapi-fhir-validation-resources-{release}-*.jar"))


def _of_package(data: bytes) -> Iterator[Definition]:
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            if name.startswith(KINDS) and name.endswith(".json"):
                file = archive.extractfile(member)
                assert file
                definition = json.load(file)
                if definition["resourceType"] in KINDS and definition.get("url"):
                    yield definition


def _of_xml(data: bytes) -> Iterator[Definition]:
    for resource in ElementTree.fromstring(data).iterfind(f"{FHIR}entry/{FHIR}resource/*"):
        kind = resource.tag.removeprefix(FHIR)
        if kind in KINDS and resource.find(f"{FHIR}url") is not None:
            yield {"resourceType": kind} | _object(resource, kind)


def _object(node: ElementTree.Element, name: str) -> Definition:
    made: Definition = {k: v for k, v in node.attrib.items() if k in ("id", "url")}
    for child in node:
        if not child.tag.startswith(FHIR):
            continue  # narrative
        key = child.tag.removeprefix(FHIR)
        value: Any = _object(child, key) if len(child) or "value" not in child.attrib else child.attrib["value"]
        if key in LISTS and (name, key) not in SINGLE:
            made.setdefault(key, []).append(value)
        else:
            made[key] = value
    return made


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
