"""`adapter check` finds every mistake that a person can plant in the files, all at once, each on its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapter.catalogue import files_root, findings

ROOT = files_root()

# File, words of it, what replaces them, what must be told; the line is that of the replacement, or of the last words.
PLANTED: list[tuple[str, str, str, str] | tuple[str, str, str, str, str]] = [
    # mapping files
    ("mappings/r4/goal.yaml", '"{{ rank }}":', '"{{ rnk }}":', "no record schema has `rnk` here"),
    ("mappings/r4/goal.yaml", "  description:", "  descripton:", "Goal has no element `descripton`"),
    ("mappings/r4/goal.yaml", "valuePositiveInt:", "valuePositivInt:", "Extension has no element `valuePositivInt`"),
    ("mappings/r4/need.yaml", "concept('need-status')", "concept('need-state')",
     "there is no mappings/codes/need-state"),
    ("mappings/r4/need.yaml", "'child'.reference('Patient')", "'child'.reference('Patent')", "no such type in FHIR"),
    ("mappings/r4/strength.yaml", "each: strengths", "each: strength", "no record schema has strength"),
    ("mappings/r4/risk.yaml", "RiskAssessment", "RiskAssesment", "there is no type RiskAssesment in FHIR"),
    ("mappings/r4/assessment.yaml", '"{{ on }}"', '"{{ on. }}"', "the expression ends too early"),
    ("mappings/r4/care-team.yaml", "%seat.since", "%sest.since", "there is no variable %sest"),
    ("mappings/r4/practitioner.yaml", "preferred = true, 1)", "preferred = true)", "`iif` takes 2 to 3 arguments"),
    ("mappings/r4/patient.yaml", "gender.exists()", "gender.exist()", "there is no function `exist`"),
    ("mappings/r4/organization.yaml", "directory: true", "directry: true", "`directry` is no key of a mapping"),
    ("mappings/r4/organization.yaml", "address.postal_code", "address.post_code", "no record schema has `post_code`"),
    ("mappings/r4/related-person.yaml", '"{% else %}"', '"{% otherwise %}"', "the blocks are assign, for, if, else"),
    ("mappings/r4/referral-task.yaml", "when: direction", "when: direktion", "no record schema has `direktion` here"),
    ("mappings/r4/goal-step.yaml", "each: goals.steps", "each: goals.step", "no record schema has goals.step"),
    ("mappings/r4/transition-step.yaml", "  intent: plan", "  intent:", "`intent` has no value"),
    ("mappings/r4/crisis-plan.yaml", "  created:", "  description:", "the key `description` is there twice",
     '  description: "{{ on }}"'),
    ("mappings/r4/plan-service.yaml", "status.code('service-status')", "status.code('gender')",
     "'gender' has no line for current, ended, planned, waiting"),
    ("mappings/r4/episode-of-care.yaml", "who.reference(", "%case.people.who.reference(", "no record schema has `who`"),
    ("mappings/r4/referral.yaml", "  intent: order", "  intent: ordr", "ordr is no code of the value set"),
    ("mappings/r4/goal.yaml", "valueCode: barrier", "valueCode: barier", "barier is no code of the value set"),
    ("mappings/r4/practitioner-role.yaml", "system: other", "system: others", "others is no code of the value set"),
    ("mappings/r4/consent.yaml", "type: permit", "type: permits", "permits is no code of the value set"),
    ("mappings/r5/transition.yaml", "  status: requested", "  status: asked", "asked is no code of the value set"),
    # ConceptMaps
    ("mappings/codes/placement.json", '"code": "kin", "display": "Kin", "target"',
     '"code": "kinn", "display": "Kin", "target"',
     "kinn is no code of the record schemas: an unused line"),
    ("mappings/codes/placement.json", '"group": [', '"group": [', "kin has no line, and goes out as text only",
     '{"source"'),
    ("mappings/codes/likelihood.json", '"target": [{"code": "high"', '"target": [{"code": "high"}, {"code": "high"',
     "high is translated to high twice"),
    ("mappings/codes/intensity.json", '"display": "Brief"', '"display": "Breif"',
     "the display of our own code differs"),
    ("mappings/codes/team-status.json", '{"code": "active", "equivalence"', '{"equivalence"', "no system or no code"),
    ("mappings/codes/telecom-use.json", '{"code": "temp"', '{"code": "work"', "twice in one group: work",
     '{"code": "work", "display": "Temp"'),
    ("mappings/codes/contact-mode.json", '"equivalence": "equal"', '"equivalence": "same"', "same is no equivalence"),
    ("mappings/codes/community.json", '"name": "community"', '"name": "communities"', "must be the name of its file"),
    ("mappings/codes/section.json", '{"code": "about-me", "display"', '{"code": "About me", "display"',
     "About me has not the form that the record schemas ask for"),
    ("mappings/codes/discharge-reason.json",
     '"target": [{"code": "moved", "display": "Moved", "equivalence": "equal"}]',
     '"target": []', "moved has no target"),
    ("mappings/codes/contact-kind.json", ' "title"', ' title', "is not JSON"),
    ("mappings/codes/contact-status.json", '"target": "https://csp-adapter.example/CodeSystem/contact-status"',
     '"target": "contact-status"', "target must be the URI of a code system"),
    # partner files
    ("partners/lakeside.toml", 'sectors = ["education"]', 'sectors = ["schools"]', "sectors: must be a list of"),
    ("partners/lakeside.toml", "chunk = 100", "chunks = 100", "chunks: is not a key of this file"),
    ("partners/lakeside.toml", 'secret = "LAKESIDE_TOKEN"', 'secret = "eyJ.x"', "secret: must be the name of"),
    ("partners/northstar.toml", 'base_url = "https:', 'base_url = "http:', "base_url: must be https"),
    ("partners/northstar.toml", 'purpose = "treatment"', 'purpose = "research"', "purpose: must be one of"),
    ("partners/northstar.toml", 'after_end = "withdraw"', 'after_end = "forget"', "after_end: must be one of"),
    ("partners/riverside.toml", 'value = "INVENTED-ORG-0200"', 'value = "INVENTED-ORG-0300"',
     "belongs to harbour-cas already",
     "[[identifiers]]"),
    ("partners/petits-pas.toml", "since = 2026-", 'since = "2026"  # ', "since: must be a date"),
    # topics, parts, programs, forms
    ("mappings/topics.yaml", "hiv-care: [hiv]", "hiv-care: [hvi]", "must be a list of topics"),
    ("mappings/topics.yaml", "  foster-parent: [", "  fosterparent: [", "is no code of the schemas"),
    ("mappings/topics.yaml", "team-role:", "team-rolls:", "no schema has a code list of this name"),
    ("mappings/parts.yaml", "respite: services", "respite: service", "names no part"),
    ("mappings/parts.yaml", "school-number: [education]", "school-number: [educated]",
     "must be all, or a list of sectors"),
    ("mappings/parts.yaml", "    housing: contact", "    hosing: contact", "hosing is no code of the ConceptMaps"),
    ("mappings/programs/wraparound.yaml", "age_of_own_consent: 16", "age_of_own_consent: sixteen", "must be years"),
    ("mappings/programs/person-centred.yaml", "title: {en:", "title: {de:", "title: needs en and fr"),
    ("mappings/programs/ontario-csp.yaml", "intensity.exists()", "intencity.exists()",
     "no record schema has `intencity` here"),
    ("mappings/programs/ontario-csp.yaml", "while: [inactive]", "while: [inactif]", "while: is of active, discharged,"),
    ("mappings/programs/ontario-csp.yaml", "    moved-here: {", "    moved: {",
     "moved: is no priority of the record schemas"),
    ("mappings/programs/ontario-csp.yaml", "%services.needs |", "%service.needs |", "there is no variable %service"),
    ("mappings/programs/early-intervention.yaml", "every: P1Y", "every: yearly", "every: must be a length of time"),
    ("mappings/programs/early-intervention.yaml", "each: care_plans.services", "each: care_plans.service",
     "each: no record schema has care_plans.service"),
    ("mappings/programs/wraparound.yaml", "each: goals.steps", "each: goals.barriers",
     "each: no record schema has goals.barriers"),
    ("mappings/every-program.yaml", "by: respond_by", "by: responded_by", "no record schema has `responded_by` here"),
    ("mappings/consents/default.yaml", "parts: [identity]", "parts: [identty]", "identty: is no part"),
    ("mappings/consents/default.yaml", "purposes: [care-coordination,", "purposes: [care-cordination,",
     "is no purpose"),
    ("mappings/consents/reports.yaml", "form: reports", "form: report", "must be the name of the file"),
    # schemas
    ("mappings/records/risks.schema.json", '"x-codes": "likelihood"', '"x-codes": "likelyhood"',
     "x-codes likelyhood: there is no mappings/codes/likelyhood.json"),
    ("mappings/records/strengths.schema.json", '"x-part": "strengths"', '"x-part": "strenghts"', "names no part"),
    # profiles
    ("profiles/fsh/risk.fsh", "Id: csp-risk", "Id: csp-risks", "nothing is generated from this for R4"),
    ("profiles/generated/r4/StructureDefinition-csp-risk.json", "{", "{", "no source in profiles/fsh defines it"),
    ("profiles/fsh/strength.fsh", 'Title: "Strength', 'Title: "Strong', "differs from profiles/generated/r4/Structure"),
    ("profiles/fsh/episode-of-care.fsh", "* patient MS", "* patient 2..* MS",
     "the cardinality of patient is another one"),
    ("profiles/fsh/assessment.fsh", "ValueSet/assessment-kind (required)", "ValueSet/assessment-kind (extensible)",
     "the binding of code is another one in profiles/generated/r4"),
    ("profiles/fsh/rules.fsh", "identifier.where(type.empty() and system.exists()",
     "identifier.where(type.empty( and system.exists()", "the expression of csp-ours cannot be compiled"),
    ("profiles/fsh/practitioner.fsh", "Parent: Practitioner", "Parent: Practitoner", "there is no type Practitoner"),
    ("profiles/fsh/goal.fsh", "* achievementStatus MS", "* achievmentStatus MS", "has no element achievmentStatus"),
    ("profiles/fsh/document.fsh", "ValueSet/document-type (", "ValueSet/document-typ (",
     "there is no value set https://csp-adapter.example/ValueSet/document-typ"),
    ("profiles/fsh/care-team.fsh", "discriminator.type = #value", "discriminator.type = #valeu", "not by valeu"),
    ("profiles/fsh/need.fsh", 'discriminator.path = "$this"', 'discriminator.path = "codding"',
     "category has no element codding to tell its slices apart by"),
    ("profiles/fsh/contact.fsh", "CSPDecision named", "CSPDecisions named", "there is no Extension CSPDecisions"),
    ("profiles/fsh/signature.fsh", "insert OursAsTag", "insert OursAsTags", "there is no RuleSet OursAsTags"),
    ("profiles/fsh/referral-task.fsh", "and csp-why", "and csp-wy", "there is no Invariant csp-wy"),
    ("profiles/fsh/care-plan.fsh", "$plan-kind#coordinated-service-plan", "$plan-kind#coordinated-plan",
     "has no code coordinated-plan"),
    ("profiles/fsh/crisis-plan.fsh", "$careplan-category#", "$careplan-categry#",
     "there is no alias $careplan-categry"),
    ("profiles/fsh/related-person.fsh", "Reference(Patient)", "Reference(Pateint)", "there is no type Pateint"),
    ("profiles/fsh/extensions-child.fsh", "Context: Patient", "Context: Patient.nam",
     "there is no Patient.nam in FHIR R4"),
    ("profiles/generated/r4/ValueSet-place.json", "https://csp-adapter.example/ValueSet/place",
     "https://csp-adaptor.example/ValueSet/place", "its url must be https://csp-adapter.example/ValueSet/place"),
    ("profiles/fsh-r5/transition.fsh", "* requestedPeriod MS", "* restriction.perod MS",
     "Task of FHIR R5 has no element restriction.perod"),
    # guides
    ("profiles/guides/eltss.yaml", "      name.given: {min: 1}", "      name.gven: {min: 1}",
     "has no element name.gven"),
    ("profiles/guides/us-core.yaml", "      active: {min: 1}", "      active: {mn: 1}",
     "mn: is not a key of this file"),
    ("profiles/guides/ca-baseline.yaml", "text.exists() or extension(", "text.exists( or extension(",
     "the rule cannot be read"),
    # sources of an import
    ("mappings/sources/caretrack/source.yaml", "    birth_date:", "    birthdate:",
     "no record schema has `birthdate` here"),
    ("mappings/sources/caretrack/source.yaml", "local('area')", "local('aria')",
     "there is no such table under `codes`"),
    ("mappings/sources/casebook/source.yaml", "Rank.toInteger()", "Rank.toInt()", "there is no function `toInt`"),
    ("mappings/sources/casebook/source.yaml", "{{ clients.LastName }}", "{{ clients.Last }}",
     "no file has `Last` here"),
    ("mappings/sources/casebook/source.yaml", "file: goals.csv", "file: ../goals.csv", "the name of a .csv file"),
]  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[tuple[str, int]], list[str]]:
    """Every mistake planted in one copy, and what is told of it."""
    root = tmp_path_factory.mktemp("planted")
    shutil.copytree(ROOT / "mappings", root / "mappings")
    apart = shutil.ignore_patterns("node_modules", "base", "tools")
    shutil.copytree(ROOT / "profiles", root / "profiles", ignore=apart)
    shutil.copytree(ROOT / "fixtures" / "partners", root / "partners")
    for file, before, after, *_ in PLANTED:
        text = (root / file).read_text(encoding="utf-8")
        assert before in text, f"the test plants its mistake in words that {file} has: {before}"
        (root / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    found = findings(partners=root / "partners", root=root)
    return root, {(f.file, f.line) for f in found}, [str(f).removeprefix(f"{root}/") for f in found]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{Path(planted[0]).stem}: {planted[3]}")
def test_a_planted_mistake_is_found_in_its_file_on_its_line(
    planted: tuple[str, ...], told: tuple[Path, set[tuple[str, int]], list[str]]
) -> None:
    file, _, after, detail, *where = planted
    text = (told[0] / file).read_text(encoding="utf-8")
    line = text.count("\n", 0, text.index(where[0] if where else after)) + 1
    assert any(each.startswith(f"{file}:{line}: ") and detail in each for each in told[2]), [
        each for each in told[2] if each.startswith(file) or detail in each
    ]


def test_there_are_more_than_thirty_kinds_and_no_flood_of_others(
    told: tuple[Path, set[tuple[str, int]], list[str]],
) -> None:
    assert len(PLANTED) > 50
    assert len(told[2]) < 2 * len(PLANTED)
