"""What is sent meets US Core, CA Baseline, eLTSS, Gravity's referrals and MCC, but where docs/guides.md says."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapter import catalogue
from adapter.catalogue.files import Found
from adapter.catalogue.guides import guides, profile_names
from adapter.core.desired import Bench, Subject, desire
from adapter.core.diff import Made
from adapter.core.fhir.guides import Guide, problems
from adapter.core.fhir.guides import missed as missed_by
from adapter.core.mapping.resources import PROFILES, Mappings
from adapter.core.partner import DIALECTS, Dialect
from tests.core.consent.proofs.generators import bench
from tests.core.inbound.comparing import Difference
from tests.core.inbound.home import Compared, at_home, every_leaf
from tests.core.inbound.test_round_trip import listed
from tests.core.mapping_files.test_missing import places
from tests.core.mapping_files.views import HOSPITAL, ROOT, ROWS, SCHOOL, mapped, mappings, row

CASES = sorted(path.parent.name for path in (ROOT / "fixtures").glob("*/case.json"))
EXAMPLES = ROOT.parent / "shared" / "suites" / "examples"
Miss = tuple[str, str, str]
"""(guide, mapping file, element)."""
ALL: tuple[Dialect, ...] = ("", *DIALECTS)
REQUIRED = {"people/name", "organizations/name", "providers/name", "members/role", "contacts/kind"}
"""Without these a record is in no view (records.md, *x-required-in-view*)."""


@cache
def asked() -> dict[Dialect, Guide]:
    return guides(catalogue.files_root())


@cache
def contradictions() -> frozenset[Miss]:
    """The table of docs/guides.md: what the guide asks and the others do not allow, or the record does not say."""
    text = (ROOT / "docs" / "guides.md").read_text("utf-8")
    return frozenset(re.findall(r"^\| `([a-z-]+)` \| `([a-z-]+)` \| `([A-Za-z./]+)` \|", text, re.MULTILINE))


@cache
def using() -> Mappings:
    names = catalogue.load(partners=None).mappings["R4"]
    found = Found()
    return replace(names, guides=profile_names(catalogue.files_root(), found, DIALECTS))


@cache
def speaking(dialect: Dialect) -> Bench:
    """The fixtures' bench, with every partner reading by this guide."""
    found = bench()
    partners = {name: replace(each, dialect=dialect) for name, each in found.rulebook.partners.items()}
    return replace(
        found,
        mappings={**found.mappings, "R4": using()},
        rulebook=replace(found.rulebook, partners=partners),
    )


def of_fixtures(dialect: Dialect) -> Iterator[tuple[Made, ...]]:
    """What every partner is sent of every case, at the instant that its expectations speak of."""
    for name in CASES:
        folder = ROOT / "fixtures" / name
        case = json.loads((folder / "case.json").read_text("utf-8"))
        at = datetime.fromisoformat(json.loads((folder / "expected.json").read_text("utf-8"))["at"])
        for partner in sorted(bench().rulebook.partners):
            yield desire(speaking(dialect), Subject(case["case"], case, {}), partner, at).made


@cache
def by_hand(dialect: Dialect) -> tuple[tuple[Made, ...], ...]:
    """A record of every kind with all of its leaves, and a referral that has been received."""
    partners = [replace(each, dialect=dialect) for each in (SCHOOL, HOSPITAL)]
    made = [mapped(row(name), using(), partner=each).made for name in ROWS for each in partners]
    case = row("referral")
    for each in case["referrals"]:
        each |= {"direction": "out", "status": "received"}
        each.pop("outcome", None)
    return (*made, mapped(case, using(), partner=partners[1]).made)


@cache
def missed(dialect: Dialect) -> frozenset[Miss]:
    return frozenset(miss for made in (*of_fixtures(dialect), *by_hand(dialect)) for miss in misses(made))


def misses(made: tuple[Made, ...]) -> Iterator[Miss]:
    among = {each.urn: each.resource for each in made}
    for each in made:
        name = each.resource["meta"]["profile"][0].removeprefix(f"{PROFILES}csp-")
        for guide in asked().values():
            for profile in guide.of(name):
                for problem in problems(profile, each.resource, among):
                    yield guide.id, name, re.sub(r"/\d+(?=/|$)", "", problem.pointer).strip("/")


@pytest.mark.parametrize("dialect", ALL, ids=lambda each: each or "no dialect")
def test_every_guide_is_met_but_for_the_contradictions(dialect: Dialect) -> None:
    assert missed(dialect) <= contradictions()
    assert not {miss for miss in missed(dialect) if miss[0] == dialect}, "its own dialect meets a guide whole"


def test_each_contradiction_is_one() -> None:
    """A line that nothing shows any more has to go."""
    assert missed("") == contradictions()


def test_whatever_is_missing_in_a_record_the_guides_are_met() -> None:
    """Each leaf and each list of a record in turn (a sample of them, all with CSP_PROOFS)."""
    tried = [(name, place) for name in ROWS for place in places(row(name)) if not _required(place)]
    for name, place in tried if os.environ.get("CSP_PROOFS") else Random(5).sample(tried, 250):
        case = row(name)
        at: Any = case
        for step in place[:-1]:
            at = at[step]
        del at[place[-1]]
        found = set(misses(mapped(case, using(), partner=HOSPITAL).made))
        assert found <= contradictions(), (name, place)


def _required(place: tuple[str | int, ...]) -> bool:
    steps = [step for step in place if isinstance(step, str)]
    return any("/".join(steps[at : at + 2]) in REQUIRED for at in range(len(steps)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_resources_name_the_profiles_of_their_partners_guide(dialect: Dialect) -> None:
    """Ours first: by it they are checked, and known as ours when they come home."""
    wanted = {name: [profile.url for profile in asked()[dialect].of(name)] for name in ROWS}
    seen = set()
    for made in by_hand(dialect):
        for each in made:
            ours, *others = each.resource["meta"]["profile"]
            name = ours.removeprefix(f"{PROFILES}csp-")
            assert others == wanted[name]
            seen |= {*others}
    assert seen == {profile.url for profile in asked()[dialect].profiles}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_dialect_comes_home_as_the_same_records(dialect: Dialect) -> None:
    """What it moves to another element is read there: nothing more is lost than docs/inbound.md says."""
    allowed = listed().always | listed().sometimes
    made = mapped(every_leaf(), using(), partner=replace(SCHOOL, dialect=dialect)).made
    found: list[Difference] = [each for each, _ in Compared(every_leaf(), at_home(made, "R4")).differences()]
    assert [each for each in found if each not in allowed] == []


def test_gravity_has_no_received_and_others_do() -> None:
    statuses = {
        dialect: {
            m.resource["status"]
            for made in by_hand(dialect)
            for m in made
            if m.type == "Task" and m.resource.get("focus")
        }
        for dialect in ALL
    }
    assert "received" not in statuses["gravity"] and all(
        "received" in statuses[each] for each in ALL if each != "gravity"
    )


def test_an_identifier_without_a_system_is_left_out_and_told() -> None:
    case = row("patient")
    case["child"]["identifiers"].append({"type": "other", "value": "X-10"})
    result = mapped(case, mappings(), partner=SCHOOL)
    (child,) = [made.resource for made in result.made if made.type == "Patient"]
    assert all(each.get("system") and each.get("value") for each in child["identifier"])
    assert ("child", "an identifier without a system is not sent") in {(f.pointer, f.detail) for f in result.findings}


def broken(resource: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The resource with another value at a path, or without it (None)."""
    changed = copy.deepcopy(resource)
    *above, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    at: Any = changed
    for step in above:
        at = at[step]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return changed


CODES = "has none of the codes that are asked for"
TYPE = "leads to a type that is not allowed"
DETAIL = [{"detail": {"status": "unknown"}}]
FAMILY = {"type": "RelatedPerson", "display": "A family member"}


@pytest.mark.parametrize(
    ("guide", "file", "path", "value", "told"),
    [
        ("us-core", "patient", "identifier.0.system", None, "/identifier/0/system is missing"),
        ("us-core", "patient", "name", None, "/name is missing"),
        ("us-core", "practitioner", "name.0.family", None, "/name/0/family is missing"),
        ("us-core", "practitioner-role", "telecom", None, " a role says how it is reached (pd-1)"),
        ("us-core", "document", "category", None, "/category is missing"),
        ("us-core", "document", "type.coding", [], f"/type {CODES}"),
        ("us-core", "care-team", "participant", None, "/participant is missing"),
        ("us-core", "need", "category", [{"text": "x"}], f"/category {CODES}"),
        ("us-core", "assessment", "category", [{"text": "x"}], f"/category {CODES}"),
        ("ca-baseline", "referral", "requester", None, "/requester is missing"),
        ("ca-baseline", "referral", "requester", FAMILY, f"/requester {TYPE}"),
        ("ca-baseline", "assessment", "effectiveTiming", {}, "/effective may not be Timing"),
        ("eltss", "care-plan", "activity", DETAIL, "/activity/0/detail may not be there"),
        ("eltss", "care-plan", "period", {}, "/period/start is missing"),
        ("gravity", "referral-task", "status", "received", "/status has a code that is not allowed"),
        ("gravity", "referral-task", "requester", {"reference": "Patient/1"}, f"/requester {TYPE}"),
        ("gravity", "consent", "sourceAttachment", None, "/source is missing"),
        ("mcc", "care-plan", "activity", DETAIL, "/activity/0/detail may not be there"),
    ],
)
def test_what_a_guide_asks_is_missed_where_it_is_broken(
    guide: Dialect, file: str, path: str, value: Any, told: str
) -> None:
    ours = f"{PROFILES}csp-{file}"
    made = mapped(row(file), using(), partner=HOSPITAL).made
    resource = next(each.resource for each in made if each.resource["meta"]["profile"][0] == ours)
    (profile,) = asked()[guide].of(file)
    assert told not in {f"{each.pointer} {each.detail}" for each in problems(profile, resource, {})}
    after = problems(profile, broken(resource, path, value), {})
    assert told in {f"{each.pointer} {each.detail}" for each in after}


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the published examples are not beside the repository")
@pytest.mark.parametrize(
    ("folder", "guide", "least"),
    [("us-core-800", "us-core", 50), ("eltss", "eltss", 20), ("gravity-sdoh-cc", "gravity", 8)],
)
def test_what_the_guides_publish_themselves_meets_what_we_say_they_ask(folder: str, guide: Dialect, least: int) -> None:
    """So that the facts ask no more than the guide does."""
    resources = [json.loads(path.read_text("utf-8")) for path in sorted((EXAMPLES / folder).glob("*.json"))]
    assert sum(bool(asked()[guide].wanted(each, PROFILES)) for each in resources) >= least
    assert [problem for each in resources for problem in missed_by(asked()[guide], each, PROFILES)] == []


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('dialect = "ca-baseline"', None),
        ('dialect = "us-cor"', "dialect: must be one of us-core, ca-baseline, eltss, gravity, mcc"),
        ('dialect = "us-core"\nrelease = "R5"', "dialect: the guides are of FHIR R4; leave it out, or release must be"),
    ],
    ids=["a guide", "one that nobody has written", "with a release that it is not of"],
)
def test_a_partner_file_names_its_guide(tmp_path: Path, lines: str, told: str | None) -> None:
    text = f'name = "A school"\nsectors = ["education"]\nsince = 2026-01-15\npaused = true\n{lines}\n'
    (tmp_path / "lakeside.toml").write_text(text, "utf-8")
    found = [each for each in catalogue.findings(partners=tmp_path) if "dialect" in each.detail]
    assert [(each.line, told) for each in found] == ([(5, told)] if told else [])
    if told:
        assert found[0].detail.startswith(told)
    else:
        loaded = catalogue.load(partners=tmp_path)
        assert loaded.partners["lakeside"].dialect == "ca-baseline" and loaded.mappings["R4"].guides.keys() == {
            "ca-baseline"
        }
