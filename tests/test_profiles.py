"""The profiles say what the adapter does: codes, mappings, /fhir and examples are in profiles/generated as they are."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter.catalogue import files_root, findings
from adapter.catalogue.files import Found
from adapter.catalogue.profile_checks import check_profiles
from adapter.catalogue.profiles import archive, read_profiles
from adapter.core.fhir.capability import statement
from adapter.core.fhir.models import problems
from adapter.core.fhir.package import CANONICAL, DEFINITIONS
from adapter.core.fhir.search import PARAMETERS
from adapter.core.mapping.resources import PROFILES
from adapter.core.partner import Release
from adapter.errors import Finding, Misconfigured

ROOT = files_root()
MAPS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "mappings" / "codes").glob("*.json"))}
RELEASES: tuple[Release, ...] = ("R4", "R5")
HL7 = "http://hl7.org/fhir/"


Resources = dict[str, dict[str, Any]]


@cache
def generated(release: Release) -> Resources:
    return read_profiles(ROOT, release)


def by_url(release: Release) -> Resources:
    return {each["url"]: each for each in generated(release).values() if "url" in each}


def mapping_files() -> list[tuple[Release, str]]:
    """(release, name) of each mapping file; R5 has those of R4 too, where it has any."""
    stems = {each: {path.stem for path in (ROOT / "mappings" / each).glob("*.yaml")} for each in ("r4", "r5")}
    r5 = stems["r4"] | stems["r5"] if stems["r5"] else set()
    return [*(("R4", name) for name in sorted(stems["r4"])), *(("R5", name) for name in sorted(r5))]


@pytest.fixture(scope="module")
def r4() -> Resources:
    return generated("R4")


def codes(system: dict[str, Any]) -> dict[str, str]:
    return {concept["code"]: concept["display"] for concept in system["concept"]}


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", MAPS)
def test_every_code_of_a_map_is_in_its_code_system(name: str, release: Release) -> None:
    """Ours, on both sides of the map: a code is one line in one place, and `make profiles` carries it over."""
    known = by_url(release)
    for group in MAPS[name]["group"]:
        for element in group["element"]:
            if group["source"].startswith(CANONICAL):
                assert element["code"] in codes(known[group["source"]])
            for target in element.get("target", ()):
                if "code" in target and group["target"].startswith(CANONICAL):
                    assert codes(known[group["target"]])[target["code"]] == target.get("display", target["code"])


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", MAPS)
def test_every_coding_that_a_map_gives_is_in_its_value_set(name: str, release: Release) -> None:
    value_set = by_url(release)[f"{CANONICAL}/ValueSet/{name}"]
    there = {
        (include["system"], concept["code"])
        for include in value_set["compose"]["include"]
        for concept in include["concept"]
    }
    given = {
        (group["target"], target["code"])
        for group in MAPS[name]["group"]
        for element in group["element"]
        for target in element.get("target", ())
        if "code" in target
    }
    unmapped = {
        (group["target"], group["unmapped"]["code"])
        for group in MAPS[name]["group"]
        if group.get("unmapped", {}).get("mode") == "fixed"
    }
    assert there == given | unmapped


@pytest.mark.parametrize(("release", "name"), mapping_files())
def test_a_mapping_file_has_its_profile_and_an_example_of_it(release: Release, name: str) -> None:
    profile = generated(release)[f"StructureDefinition-csp-{name}.json"]
    assert (profile["url"], profile["kind"], profile["derivation"]) == (
        f"{PROFILES}csp-{name}",
        "resource",
        "constraint",
    )
    assert profile["snapshot"]["element"] and profile["differential"]["element"] and profile["description"]
    shown = [each for each in examples(release) if each["meta"]["profile"] == [profile["url"]]]
    assert shown and {each["resourceType"] for each in shown} == {profile["type"]}


@pytest.mark.parametrize("release", RELEASES)
def test_examples_are_what_the_mapping_files_make(release: Release) -> None:
    """Whoever changes a mapping or a golden record without `make profiles` is told here, without node."""
    golden = ROOT / "tests" / "core" / "mapping_files" / "golden" / ("" if release == "R4" else "r5")
    made = [each for path in golden.glob("*.json") for each in json.loads(path.read_text("utf-8"))]
    shown = {json.dumps(_bare(each), sort_keys=True) for each in examples(release)}
    assert {json.dumps(_bare(each), sort_keys=True) for each in made} <= shown


def _bare(value: Any) -> Any:
    """Without ids and where references lead: these are what an example has of its own."""
    match value:
        case dict():
            return {name: _bare(each) for name, each in value.items() if name != "id" and not _leads(name, each)}
        case list():
            return [_bare(each) for each in value]
    return value


def _leads(name: str, each: Any) -> bool:
    return isinstance(each, str) and (name == "reference" or (name == "url" and not each.startswith("http")))


def examples(release: Release) -> list[dict[str, Any]]:
    return [each for each in generated(release).values() if each["resourceType"] not in DEFINITIONS]


@pytest.mark.parametrize("release", RELEASES)
def test_examples_are_valid_and_refer_to_each_other(release: Release) -> None:
    there = {f"{each['resourceType']}/{each['id']}" for each in examples(release)}
    for each in examples(release):
        assert problems(each, release=release) == []
        assert set(re.findall(r'"reference": "([^"]+)"', json.dumps(each))) <= there
        assert "urn:uuid:" not in json.dumps(each)


@pytest.mark.parametrize("release", RELEASES)
def test_a_file_is_named_by_what_it_holds(release: Release) -> None:
    assert [f"{each['resourceType']}-{each['id']}.json" for each in generated(release).values()] == [
        *generated(release)
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_every_extension_says_where_it_belongs_and_what_it_holds(release: Release) -> None:
    extensions = [each for each in generated(release).values() if each.get("type") == "Extension"]
    assert len(extensions) > 50
    for each in extensions:
        assert each["context"] and each["description"], each["id"]
        by_id = {element["id"]: element for element in each["snapshot"]["element"]}
        parts = [id_ for id_ in by_id if re.fullmatch(r"Extension\.extension:[a-z-]+", id_)]
        assert (by_id["Extension.value[x]"]["max"] == "1") != bool(parts), each["id"]
        for part in parts or ["Extension"]:
            assert len(by_id[f"{part}.value[x]"]["type"]) == 1, each["id"]


@pytest.mark.parametrize("release", RELEASES)
def test_what_is_bound_to_is_there(release: Release) -> None:
    """Value sets, code systems, extensions and profiles of ours that definitions name are all in the package."""
    ours = re.compile(rf'"({re.escape(CANONICAL)}/(?:ValueSet|CodeSystem|StructureDefinition|SearchParameter)/[^"|]+)"')
    for name, each in generated(release).items():
        if each["resourceType"] in DEFINITIONS:
            assert set(ours.findall(json.dumps(each))) <= set(by_url(release)), name


def test_both_releases_define_the_same_extensions_and_codes() -> None:
    """R5 may define more (what R4 has an element for), never less."""
    assert {
        url for url in by_url("R4") if "/SearchParameter/" not in url and "/CapabilityStatement/" not in url
    } <= set(by_url("R5"))


def test_the_capability_statement_is_what_fhir_metadata_answers(r4: Resources) -> None:
    told, served = r4["CapabilityStatement-csp-adapter.json"]["rest"][0], statement("https://x.example", "0")["rest"][0]
    # Which profiles of ours a type has is the package's to say; what others ask of a type, both say.
    others = [{n: v for n, v in each.items() if n != "supportedProfile"} for each in served["resource"]]
    assert [_as_served(each) for each in told["resource"]] == others
    assert (
        r4["CapabilityStatement-csp-adapter.json"]["patchFormat"] == statement("https://x.example", "0")["patchFormat"]
    )
    assert (told["interaction"], told["security"], told["mode"]) == (
        served["interaction"],
        served["security"],
        "server",
    )


def _as_served(resource: dict[str, Any]) -> dict[str, Any]:
    parameters = [{key: each[key] for key in ("name", "type")} for each in resource["searchParam"]]
    return {key: each for key, each in resource.items() if key != "supportedProfile"} | {"searchParam": parameters}


def test_every_search_parameter_is_defined_by_fhir_or_by_us(
    r4: Resources,
) -> None:
    for resource in r4["CapabilityStatement-csp-adapter.json"]["rest"][0]["resource"]:
        for each in resource["searchParam"]:
            if each["definition"].startswith(f"{HL7}SearchParameter/"):
                continue
            ours = by_url("R4")[each["definition"]]
            asked = next(p for p in PARAMETERS[resource["type"]] if p.name == each["name"])
            assert (ours["code"], ours["base"], ours["type"]) == (each["name"], [resource["type"]], asked.kind)
            assert all(f"{resource['type']}.{path}" in ours["expression"] for path in asked.paths)


def test_each_type_names_its_profiles(r4: Resources) -> None:
    told = {
        each["type"]: set(each.get("supportedProfile", ()))
        for each in r4["CapabilityStatement-csp-adapter.json"]["rest"][0]["resource"]
    }
    profiles = [
        each for each in r4.values() if each.get("kind") == "resource" and each.get("derivation") == "constraint"
    ]
    for each in profiles:
        assert each["url"] in told[each["type"]]
    ours = [url for urls in told.values() for url in urls if url.startswith(CANONICAL)]
    assert len(ours) == len(profiles)


@pytest.mark.parametrize(
    ("file", "was", "now", "detail"),
    [
        ("strength", "resourceType: Observation", "resourceType: Condition", "is one of Observation, not of Condition"),
        ("assessment", "csp-next-due", "csp-next-do", "no profile defines the extension"),
        ("goal", "/goal-acceptance", "/goal-accepted", "no profile defines the extension"),
        ("patient", "url: grade", "url: grades", "the extension csp-school has no part grades"),
        ("patient", "enrolled, valueBoolean", "enrolled, valueString", "part enrolled is boolean, not String"),
        ("assessment", "csp-next-due, valueDate", "csp-next-due, valueDateTime", "csp-next-due is date, not DateTime"),
        ("need", "valueReference: {display: The family}", "valueString: Ours", "csp-whose is Reference, not String"),
        ("goal-step", "code: goal-step,", "code: goal-stop,", "has no code goal-stop"),
        ("care-plan", "CodeSystem/plan-kind", "CodeSystem/plan-sort", "no profile defines the code system"),
    ],
    ids=[
        "a type that is not its profile's",
        "an extension of ours that is not defined",
        "an extension of HL7's that nobody has",
        "a part that an extension does not have",
        "a value of another type in a part",
        "a value of another type",
        "a value of another type under a condition",
        "a code of ours that is not in its code system",
        "a code system of ours that is not defined",
    ],
)  # fmt: skip
def test_what_a_mapping_writes_against_the_profiles_is_found_on_its_line(
    tmp_path: Path, file: str, was: str, now: str, detail: str
) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    path = tmp_path / "mappings" / "r4" / f"{file}.yaml"
    for other in path.parent.iterdir():
        if other != path:
            other.unlink()
    text = path.read_text("utf-8")
    line = text[: text.index(was)].count("\n") + 1
    path.write_text(text.replace(was, now, 1), "utf-8")
    assert [(each.file, each.line) for each in held(tmp_path) if detail in each.detail] == [
        (f"mappings/r4/{file}.yaml", line)
    ]


def test_a_mapping_without_a_profile_and_a_profile_without_a_mapping_are_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    (tmp_path / "mappings" / "r4" / "risk.yaml").rename(tmp_path / "mappings" / "r4" / "hazard.yaml")
    found = {(each.file, each.detail) for each in findings(partners=None, root=tmp_path) if "profile" in each.detail}
    assert found == {
        ("mappings/r4/hazard.yaml", "there is no profile csp-hazard of R4 for what this mapping makes"),
        ("mappings/r4/hazard.yaml", "there is no profile csp-hazard of R5 for what this mapping makes"),
        ("profiles/fsh/risk.fsh", "no mapping file of R4 uses this profile"),
    }


def held(root: Path) -> list[Finding]:
    """What is told of the mapping files of this folder, held against our profiles alone."""
    found = Found()
    check_profiles(root, ROOT, found)
    assert found.errors == []
    return sorted(set(found.remarks))


def test_an_extension_that_nothing_uses_is_found_at_its_source(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mappings", tmp_path / "mappings")
    path = tmp_path / "mappings" / "r4" / "consent.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "csp-notice" not in line and line != "  extension:\n"), "utf-8")
    found = held(tmp_path)
    assert [(each.file, each.detail) for each in found] == [
        ("profiles/fsh/extensions-shared.fsh", "no mapping file of R4 uses this extension")
    ]
    source = (ROOT / found[0].file).read_text("utf-8").splitlines()
    assert source[found[0].line - 1] == "Id: csp-notice"


def test_profiles_that_are_missing_or_broken_are_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="There are no profiles for R4"):
        read_profiles(tmp_path, "R4")
    folder = tmp_path / "profiles" / "generated" / "r4"
    folder.mkdir(parents=True)
    (folder / "ValueSet-x.json").write_text("{", "utf-8")
    with pytest.raises(Misconfigured) as wrong:
        read_profiles(tmp_path, "R4")
    assert [each.file for each in wrong.value.findings] == ["profiles/generated/r4/ValueSet-x.json"]


def test_an_archive_depends_on_its_files_alone() -> None:
    assert archive({"package/a.json": b"{}", "package/b.json": b"[]"}) == archive(
        {"package/a.json": b"{}", "package/b.json": b"[]"}
    )


def test_the_lock_of_the_build_names_no_registry() -> None:
    lock = json.loads((ROOT / "profiles" / "package-lock.json").read_text("utf-8"))
    asked = json.loads((ROOT / "profiles" / "package.json").read_text("utf-8"))["devDependencies"]
    assert all(
        "resolved" not in each and (not name or "integrity" in each or "inBundle" in each)
        for name, each in lock["packages"].items()
    )
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in asked} == asked
