"""What people change without Python is cross-checked: each planted mistake is found, in its file and on its line."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from adapter import catalogue
from adapter.catalogue import Catalogue, files_root, findings, load, rulebook
from adapter.core.consent.rulebook import PURPOSES, TOPICS
from adapter.core.partner import Authorisation
from adapter.errors import Finding, Misconfigured
from adapter.settings import read_agency

ROOT = files_root()
PARTNERS = ROOT / "fixtures" / "partners"


@pytest.fixture(scope="module")
def whole() -> Catalogue:
    return load(partners=PARTNERS)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue with one mapping file of each release and way, so that reading is quick; the fixtures' partners."""
    root = tmp_path_factory.mktemp("sound")
    shutil.copytree(ROOT / "mappings", root / "mappings")
    for folder, kept in (("r4", "strength.yaml"), ("r5", "need.yaml"), ("inbound", "strength.yaml")):
        for path in (root / "mappings" / folder).glob("*.yaml"):
            if path.name != kept:
                path.unlink()
    shutil.copytree(PARTNERS, root / "partners")
    return root


@pytest.fixture(scope="module")
def usual(sound: Path) -> set[Finding]:
    """What is said of the smaller catalogue anyhow: maps that the mappings left out would have used."""
    return set(findings(partners=sound / "partners", root=sound))


@pytest.fixture
def planted(sound: Path, tmp_path: Path) -> Path:
    root = tmp_path / "root"
    shutil.copytree(sound, root)
    return root


def test_nothing_is_wrong_with_the_catalogue_and_the_fixtures() -> None:
    assert findings(partners=PARTNERS) == []


def test_the_catalogue_holds_what_the_files_say(whole: Catalogue) -> None:
    assert list(whole.parts)[:2] == ["identity", "contact"]
    assert whole.part_titles["family"]["fr"] == "Notre famille"
    assert whole.part_tables["sections"]["crisis-plan"] == "crisis"
    assert whole.audience == {"health-card": ("health", "hospital"), "school-number": ("education",), "other": None}
    assert whole.topics["sector"]["justice"] == ("justice",)
    assert set(whole.programs) == {"ontario-csp", "early-intervention", "person-centred", "wraparound"}
    assert {"hospital", "education", "child-welfare"} < whole.sectors
    assert {release: files.release for release, files in whole.mappings.items()} == {"R4": "R4", "R5": "R5"}
    r4, r5 = ({each.name: each for each in whole.mappings[release].mappings} for release in ("R4", "R5"))
    assert r5["strength"] is r4["strength"], "absent in mappings/r5 means R4's"
    assert r5["need"] is not r4["need"]
    assert set(r5) == {*r4, "transition"}
    assert whole.mappings["R4"].codes["goal-status"].translate("achieved") is not None


def test_a_partner_file_becomes_a_partner_whole(whole: Catalogue) -> None:
    """Every key of the file arrives in its field, with its type."""
    lakeside = whole.partners["lakeside"]
    assert (lakeside.id, lakeside.name, lakeside.sectors) == (
        "lakeside", "Lakeside District School Board", ("education",),
    )  # fmt: skip
    assert (lakeside.since, lakeside.purpose, lakeside.release) == (date(2026, 1, 15), "education-planning", "R4")
    assert lakeside.identifiers[1] == ("https://schools.example.ca/boards", "INVENTED-B-42")
    assert lakeside.authorisation == Authorisation("bearer", "LAKESIDE_TOKEN")
    assert (lakeside.chunk, lakeside.timeout, lakeside.quiet_seconds) == (100, 30.0, 20.0)
    assert whole.partners["riverside"].withheld_notice
    assert whole.partners["riverside"].withdrawal == "stub"
    assert lakeside.bytes == "binary"


@pytest.mark.parametrize("line", ['release = "R5"', 'bytes = "inline"'])
def test_a_partner_may_speak_r5_and_take_bytes_inline(planted: Path, line: str) -> None:
    """Keys that no partner of the fixtures has otherwise than usual."""
    file = planted / "partners" / "lakeside.toml"
    key, _, value = line.partition(" = ")
    kept = [each for each in file.read_text("utf-8").splitlines() if not each.startswith(f"{key} =")]
    file.write_text("\n".join([line, *kept]), encoding="utf-8")
    assert getattr(load(partners=planted / "partners", root=planted).partners["lakeside"], key) == value.strip('"')


def test_the_rule_book_is_the_catalogue_and_the_agency_together(whole: Catalogue) -> None:
    agency = read_agency(ROOT / "fixtures")
    rules = rulebook(whole, replace(agency, labels_topics=False))
    assert rules.age_of_own_consent["wraparound"] == 16
    assert rules.time_zone == ZoneInfo("America/Toronto")
    assert rules.agency == {("https://registry.example.ca/organizations", "INVENTED-ORG-0001")}
    assert not rules.labels_topics
    assert set(rules.partners) == set(whole.partners)
    assert rules.sectors == whole.sectors


def test_the_schemas_name_exactly_the_topics_that_the_rules_know(whole: Catalogue) -> None:
    goal = whole.schemas.files["goals"]["properties"]
    assert set(goal["topics"]["items"]["enum"]) == set(goal["topics_lifted"]["items"]["enum"]) == set(TOPICS)
    assert {"care-coordination", "referral"} < set(PURPOSES)


# One planted mistake each: words of the file, what replaces them, and what must be told (the first with its file).
SCHEMA = [
    pytest.param(
        '"on": {\n   "type": "string",\n   "format": "date",\n   "x-part": "goals"\n  }',
        '"on": {\n   "type": "string",\n   "format": "date"\n  }',
        "/properties/on: this leaf has no x-part",
        id="a leaf without a part",
    ),
    pytest.param(
        '"rank": {\n   "type": "integer",\n   "minimum": 1,\n   "maximum": 1000,\n   "x-part": "goals"',
        '"rank": {\n   "type": "integer",\n   "minimum": 1,\n   "maximum": 1000,\n   "x-part": "gaols"',
        "/properties/rank: x-part names no part of mappings/parts.yaml",
        id="a part that is not there",
    ),
    pytest.param(
        '"rank": {\n   "type": "integer"',
        '"rank": {\n   "type": "integr"',
        "is not JSON Schema 2020-12 at /properties/rank/type",
        id="a type that is none",
    ),
    pytest.param(
        '"rank": {\n   "type": "integer",\n   "minimum"',
        '"rank": {\n   "type": "integer",\n   "minimun"',
        "/properties/rank: minimun is not a keyword or annotation; did you mean minimum?",
        id="a keyword misspelt",
    ),
    pytest.param(
        '"x-codes": "goal-status"',
        '"x-codes": "gaol-status"',
        "x-codes gaol-status: there is no mappings/codes/gaol-status.json",
        id="a code list without a map",
    ),
    pytest.param(
        '"x-ref": [\n    "goals"\n   ]',
        '"x-ref": [\n    "aims"\n   ]',
        "/properties/supersedes: x-ref names no collection: aims",
        id="a reference to no collection",
    ),
    pytest.param(
        '"x-required-in-view": [\n  "title"\n ]',
        '"x-required-in-view": [\n  "titel"\n ]',
        "/: x-required-in-view names no field here: titel",
        id="a required leaf that is not there",
    ),
    pytest.param(
        '"$id": "https://csp-adapter.example/records/goals"',
        '"$id": "https://csp-adapter.example/records/gaols"',
        "$id must end in the name of the collection",
        id="an id of another collection",
    ),
]

OTHER = [
    pytest.param(
        "mappings/records/care_plans.schema.json",
        '"table": "sections"',
        '"table": "section"',
        "x-part-by must name a field and a table of mappings/parts.yaml",
        id="a table of parts that is not there",
    ),
    pytest.param(
        "mappings/records/care_plans.schema.json",
        '"field": "code",\n       "table": "sections"',
        '"field": "kode",\n       "table": "sections"',
        "x-part-by names a field that is not beside it",
        id="a field that is not beside the leaf",
    ),
    pytest.param(
        "mappings/parts.yaml",
        "  goals: {since: 2026-01-01,",
        "  goals: {since: 2026-13-01,",
        "is no date that exists",
        id="a part since no day",
    ),
    pytest.param(
        "mappings/parts.yaml",
        "  goals: {since: 2026-01-01,",
        "  goals: {",
        "goals: needs since (a date), en and fr",
        id="a part since no time",
    ),
    pytest.param(
        "mappings/parts.yaml",
        "    respite: services",
        "    respite: service",
        "sections respite: names no part",
        id="a section in no part",
    ),
    pytest.param(
        "mappings/parts.yaml",
        "health-card: [health, hospital]",
        "health-card: [health, hospitals]",
        "health-card: must be all, or a list of sectors",
        id="an audience of no sector",
    ),
    pytest.param(
        "mappings/parts.yaml",
        "    housing: contact",
        "    respite: contact",
        "this key stands twice",
        id="a key twice",
    ),
    pytest.param(
        "mappings/topics.yaml",
        "  foster-parent: [child-welfare]",
        "  foster-parent: [child-wellfare]",
        "relationship foster-parent: must be a list of topics",
        id="a topic misspelt",
    ),
    pytest.param(
        "mappings/topics.yaml",
        "  foster-parent: [child-welfare]",
        "  fosterparent: [child-welfare]",
        "relationship fosterparent: is no code of the schemas",
        id="a code of no closed list",
    ),
    pytest.param(
        "mappings/topics.yaml",
        "  probation: [justice]",
        "  probations: [justice]",
        "service probations: has no line in mappings/codes/service.json",
        id="a code that no map knows",
    ),
    pytest.param(
        "mappings/topics.yaml",
        "team-role:",
        "team-rolls:",
        "team-rolls: no schema has a code list of this name (x-codes)",
        id="topics for no code list",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "from: Observation",
        "from: Observations",
        "`Observations` is no type that is exchanged here",
        id="an inbound mapping from no type",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "from: Observation",
        "from: Consent",
        "Consents are read by docs/consents.md, never by a mapping file",
        id="a Consent read by a mapping file",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "make: strengths",
        "make: strenghts",
        "no record schema has strenghts",
        id="an inbound mapping to no collection",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "make: strengths",
        "make: goals.steps",
        "entries go into a record: say `into`, the resource that makes it",
        id="an entry that goes into nothing",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "make: strengths",
        "makes: strengths",
        "`makes` is no key of an inbound mapping",
        id="a key of the inbound wrapper misspelt",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "  identified_by:",
        "  identifed_by:",
        "`identifed_by` is no field of mappings/records",
        id="an inbound field that records do not have",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "ours('domain', 'among')",
        "ours('domian', 'among')",
        "ours('domian'): there is no mappings/codes/domian.json",
        id="codes backwards through a map that is not there",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "path('people', 'providers', 'child')",
        "path('people', 'provider', 'child')",
        "path('provider'): no record schema has provider",
        id="a path into no collection",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "valueString.combine",
        "csp('strengh').valueString.combine",
        "csp('strengh'): no mapping outwards gives csp-strengh",
        id="an extension that nothing sends",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        ".first().date() }}",
        ".first().dates() }}",
        "there is no function `dates`",
        id="an inbound expression that is none",
    ),
    pytest.param(
        "mappings/inbound/strength.yaml",
        "make: strengths\n",
        "make: strengths\nwhen: status = 'final'\n",
        "the key `when` is there twice",
        id="an inbound condition twice",
    ),
    pytest.param(
        "mappings/programs/wraparound.yaml",
        "age_of_own_consent: 16",
        "age_of_own_consent: sixteen",
        "age_of_own_consent: must be years, 0 to 25",
        id="an age that is no number",
    ),
    pytest.param(
        "mappings/programs/wraparound.yaml",
        "age_of_own_consent:",
        "age_of_consent:",
        "age_of_consent: is not known here",
        id="a rule that programs do not have",
    ),
    pytest.param(
        "mappings/programs/wraparound.yaml", "title: {en:", "title: {de:", "title: needs en and fr", id="no English"
    ),
    pytest.param(
        "mappings/codes/gender.json",
        '"code": "male"',
        '"code": "man"',
        "male has no line, and goes out as text only",
        id="a code of the schemas without a line",
    ),
    pytest.param(
        "mappings/codes/gender.json",
        '"name": "gender"',
        '"name": "genders"',
        "the ConceptMap's name must be the name of its file",
        id="a map of another name",
    ),
    pytest.param(
        "mappings/r4/strength.yaml",
        "each: strengths",
        "each: strength",
        "each: no record schema has strength",
        id="a mapping over no collection",
    ),
    pytest.param(
        "mappings/r5/need.yaml",
        "each: needs",
        "each: need",
        "each: no record schema has need",
        id="a mistake in a file of R5",
    ),
    pytest.param(
        "mappings/r4/strength.yaml",
        "concept('strength-kind')",
        "concept('strength-type')",
        "concept('strength-type'): there is no mappings/codes/strength-type.json",
        id="a mapping that asks for no map",
    ),
    pytest.param(
        "mappings/r4/strength.yaml",
        "each: strengths",
        "each: strengths\nevery: strengths",
        "column 1: `every` is no key of a mapping: they are each, make, when, slot, directory",
        id="a mapping that does not compile",
    ),
    pytest.param(
        "partners/lakeside.toml",
        'sectors = ["education"]',
        'sectors = ["schools"]',
        "sectors: must be a list of one or more of",
        id="a sector that is none",
    ),
    pytest.param(
        "partners/lakeside.toml",
        'purpose = "education-planning"',
        'purpose = "marketing"',
        "purpose: must be one of care-coordination, referral,",
        id="a purpose that is none",
    ),
    pytest.param(
        "partners/lakeside.toml",
        "chunk = 100",
        "chunks = 100",
        "chunks: is not a key of this file; did you mean chunk?",
        id="a key misspelt",
    ),
    pytest.param(
        "partners/lakeside.toml",
        'base_url = "https:',
        'base_url = "http:',
        "base_url: must be https, unless private_addresses is true",
        id="an address in the clear",
    ),
    pytest.param(
        "partners/lakeside.toml",
        'base_url = "https://',
        'base_url = "https://user:password@',
        "base_url: must hold no user name, no password",
        id="a password in an address",
    ),
    pytest.param(
        "partners/lakeside.toml",
        'secret = "LAKESIDE_TOKEN"',
        'secret = "eyJhbGciOi.J9"',
        "secret: must be the name of an environment variable",
        id="a secret in the file",
    ),
    pytest.param(
        "partners/lakeside.toml",
        'value = "INVENTED-ORG-0100"',
        'value = "INVENTED-ORG-0300"',
        "identifiers: this one belongs to harbour-cas already",
        id="an identifier of two partners",
    ),
    pytest.param(
        "partners/lakeside.toml",
        "withheld_notice = false",
        "withheld_notice = true",
        "withheld_notice: must be off for a partner that does not treat",
        id="the notice for a school",
    ),
    pytest.param(
        "partners/lakeside.toml",
        "narrative = true",
        'audience = ["health-card"]',
        "audience: needs audience_authority",
        id="an audience without authority",
    ),
    pytest.param(
        "partners/lakeside.toml", 'name = "Lakeside', 'name = Lakeside"', "is not TOML", id="a file that is not TOML"
    ),
]


@pytest.mark.parametrize(("before", "after", "detail"), SCHEMA)
def test_a_mistake_in_a_schema_is_found(
    planted: Path, usual: set[Finding], before: str, after: str, detail: str
) -> None:
    _found(planted, usual, "mappings/records/goals.schema.json", before, after, detail)


@pytest.mark.parametrize(("file", "before", "after", "detail"), OTHER)
def test_a_mistake_is_found_in_its_file(
    planted: Path, usual: set[Finding], file: str, before: str, after: str, detail: str
) -> None:
    _found(planted, usual, file, before, after, detail)


def _found(root: Path, usual: set[Finding], file: str, before: str, after: str, detail: str) -> None:
    """The mistake is told in its file, and no farther from it than the object or entry in which it stands."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert before in text, "the test plants its mistake in words that the file has"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    line = text.count("\n", 0, text.index(before)) + 1
    known = _all(usual)
    new = [f for f in findings(partners=root / "partners", root=root) if _in_root(f, root) not in known]
    told = [f for f in new if detail in f.detail and _in_root(f, root).file == file]
    assert told, f"not found among {[str(f) for f in new[:5]]}"
    assert len(new) < 15, "one mistake is not told as a flood of others"
    if told[0].line:
        assert abs(told[0].line - line) <= 4
    else:
        assert "has no line" in detail or "ConceptMap" in detail, "only what is missing has no line"


def _in_root(finding: Finding, root: Path) -> Finding:
    return replace(finding, file=finding.file.removeprefix(f"{root}/"))


def _all(usual: set[Finding]) -> set[Finding]:
    return {replace(f, file=re.sub(r"^/.*/partners/", "partners/", f.file)) for f in usual}


def test_a_health_partner_has_to_choose_the_notice(planted: Path, usual: set[Finding]) -> None:
    path = planted / "partners" / "riverside.toml"
    path.write_text(re.sub(r"(?m)^withheld_notice.*$", "", path.read_text(encoding="utf-8")), encoding="utf-8")
    assert any(
        f.detail.startswith("withheld_notice: must be chosen") for f in findings(partners=path.parent, root=planted)
    )


@pytest.mark.parametrize(
    ("file", "detail"),
    [
        ("mappings/topics.yaml", "is missing"),
        ("mappings/programs/wraparound.yaml", "is missing: the schema of a case names this program"),
        ("mappings/records/case.schema.json", "the schema of a whole case is missing"),
    ],
)
def test_a_file_that_is_missing_is_named(planted: Path, file: str, detail: str) -> None:
    (planted / file).unlink()
    assert Finding(file, 0, detail) in findings(partners=None, root=planted)


def test_a_folder_of_partners_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as caught:
        load(partners=tmp_path / "nowhere")
    assert [f.detail for f in caught.value.findings] == ["this folder of partner files is missing"]


def test_what_only_goes_out_poorer_does_not_keep_the_adapter_from_starting(planted: Path) -> None:
    """A local code without a line is told by check, and is sent as text; a mapping that needs the code is an error."""
    path = planted / "mappings" / "codes" / "gender.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"code": "male"', '"code": "man"', 1), encoding="utf-8")
    assert any("male has no line" in f.detail for f in findings(partners=None, root=planted))
    assert catalogue.load(partners=None, root=planted).partners == {}
    mapping = planted / "mappings" / "r4" / "strength.yaml"
    text = mapping.read_text(encoding="utf-8")
    mapping.write_text(text + "  language: \"{{ %child.gender.code('gender') }}\"\n", encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        catalogue.load(partners=None, root=planted)
    assert [(f.file, f.line) for f in caught.value.findings] == [("mappings/r4/strength.yaml", text.count("\n") + 1)]


def test_every_mistake_is_told_at_once(planted: Path) -> None:
    (planted / "mappings" / "topics.yaml").write_text("nowhere: {x: [y]}\n", encoding="utf-8")
    (planted / "mappings" / "codes" / "gender.json").write_text("{", encoding="utf-8")
    (planted / "partners" / "lakeside.toml").write_text("", encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(partners=planted / "partners", root=planted)
    files = {f.file.removeprefix(f"{planted}/") for f in caught.value.findings}
    assert files == {"mappings/topics.yaml", "mappings/codes/gender.json", "partners/lakeside.toml"}
