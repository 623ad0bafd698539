"""The fixtures are what they claim: valid cases, honest expectations, markers where they belong, nothing real."""

from __future__ import annotations

import base64
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from adapter.core.partner import Authorisation, Partner

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
PARTNERS = {
    path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((FIXTURES / "partners").glob("*.toml"))
}
CASES = sorted(path.parent.name for path in FIXTURES.glob("*/case.json"))
PAIRS = [(name, partner) for name in CASES for partner in PARTNERS]
SCHEMAS = [json.loads(path.read_text("utf-8")) for path in (ROOT / "mappings" / "records").glob("*.schema.json")]
SINGULAR = ("child", "enrolment")
REFERENCE = re.compile(
    r"(people|organizations|providers|assessments|strengths|needs|referrals|consents|care_teams|goals|care_plans"
    r"|contacts|risks|documents)(/[A-Za-z0-9._-]+)+"
)


def case_of(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / name / "case.json").read_text("utf-8"))


def expected_of(name: str) -> dict[str, Any]:
    return json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each scalar with its place: ids stand for positions in lists, and the type for the place of an identifier."""
    if isinstance(value, dict):
        at = f"{path}/{value['id']}" if "id" in value else path
        for name, child in value.items():
            yield from leaves(child, f"{at}/{name}" if at else name)
    elif isinstance(value, list):
        for child in value:
            typed = path == "child/identifiers"
            yield from leaves(child, f"{path}/{child['type']}" if typed else path)
    else:
        yield path, value


def paths(case: dict[str, Any]) -> set[str]:
    """The path of every record, and of every entry that has an id."""
    found = {path.removesuffix("/id") for path, _ in leaves(case) if path.endswith("/id")}
    return found | {name for name in SINGULAR if name in case}


def texts(case: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every string of a case, and the contents of its documents."""
    for path, value in leaves(case):
        if path.endswith("/bytes"):
            yield path, base64.b64decode(value, validate=True).decode()
        elif isinstance(value, str):
            yield path, value


def is_withheld(place: str, told: dict[str, Any], sectors: set[str]) -> bool:
    """Is this leaf withheld by what expected.json says: by itself, or by the innermost record that it speaks of?"""
    if not told["sees"] or place == "case" or place.startswith("consents/"):
        return True
    if place.startswith("child/identifiers/"):
        # exchange.md, *Identity*: each type has its audience, and no consent widens it.
        audience = {"health-card": {"health", "hospital"}, "school-number": {"education"}}
        return not sectors & audience.get(place.split("/")[2], set())
    if any(place == leaf or place.startswith(f"{leaf}/") for leaf in told.get("withheld_leaves", ())):
        return True
    above = place
    while above := above.rpartition("/")[0]:
        if above in told["never"]:
            return True
        if above in told["sees"]:
            return False
    return False


def test_there_is_a_case_for_each_program_and_at_least_seven_in_all() -> None:
    """Issue 2, item 4: one case for each program, and cases where people disagree."""
    programs = {"ontario-csp", "early-intervention", "person-centred", "wraparound"}
    assert {case_of(name)["program"] for name in CASES} == programs
    assert {*programs, "capable-youth", "minimal", "shared-decision"} <= {*CASES}


@pytest.mark.parametrize("name", CASES)
def test_each_case_is_valid_against_the_record_schemas(name: str) -> None:
    """With formats asserted, so that the 31st of November is no date."""
    registry = jsonschema_rs.Registry([(schema["$id"], schema) for schema in SCHEMAS])
    whole = next(schema for schema in SCHEMAS if schema["$id"].endswith("/case"))
    validator = jsonschema_rs.Draft202012Validator(whole, registry=registry, validate_formats=True)
    assert [error.instance_path for error in validator.iter_errors(case_of(name))] == []


@pytest.mark.parametrize("name", CASES)
def test_each_reference_leads_to_a_record_of_the_case(name: str) -> None:
    """A consent may also name a record; partners and sectors are the next test's."""
    case = case_of(name)
    known = paths(case)
    lost = [(path, value) for path, value in leaves(case) if isinstance(value, str) and REFERENCE.fullmatch(value)]
    assert lost, "a case without a reference proves nothing here"
    assert [pair for pair in lost if pair[1] not in known] == []


@pytest.mark.parametrize("name", CASES)
def test_each_receiver_and_each_partner_of_a_case_has_a_partner_file(name: str) -> None:
    """And organizations that are partners carry the identifier of the file, so that both are the same."""
    case = case_of(name)
    told = {value for path, value in leaves(case) if re.fullmatch(r"consents/.+/to", path)}
    sectors = {f"sectors/{sector}" for partner in PARTNERS.values() for sector in partner["sectors"]}
    assert told <= {"all", "care-team", *sectors, *(f"partners/{partner}" for partner in PARTNERS)}
    for organization in case["organizations"]:
        if (partner := organization.get("partner")) is not None:
            known = {(each["system"], each["value"]) for each in PARTNERS[partner]["identifiers"]}
            assert organization["name"] == PARTNERS[partner]["name"]
            assert {(each["system"], each["value"]) for each in organization.get("identifiers", ())} <= known


@pytest.mark.parametrize("name", CASES)
def test_ids_are_unique_in_their_collection(name: str) -> None:
    ids = [path_and_id for path_and_id in leaves(case_of(name)) if path_and_id[0].endswith("/id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", CASES)
def test_exactly_one_organization_is_the_coordinating_agency(name: str) -> None:
    """By the identifier in the settings; none or several would be an alarm (consent.md, *Topics*)."""
    agency = tomllib.loads((FIXTURES / "adapter.toml").read_text("utf-8"))["agency"]
    own = [
        organization
        for organization in case_of(name)["organizations"]
        if any(identifier in agency["identifiers"] for identifier in organization.get("identifiers", ()))
    ]
    assert [(each["name"], each["sector"]) for each in own] == [(agency["name"], "coordination")]


@pytest.mark.parametrize("name", CASES)
def test_expectations_speak_of_every_partner_at_one_instant(name: str) -> None:
    expected = expected_of(name)
    at = datetime.fromisoformat(expected.pop("at"))
    assert at.utcoffset() == timedelta(hours=-5), "the agency's own time in November"
    assert set(expected) == set(PARTNERS)


@pytest.mark.parametrize(("name", "partner"), PAIRS)
def test_expected_paths_are_in_the_case_and_say_one_thing_each(name: str, partner: str) -> None:
    """No path is in both lists; where something is seen, no record or entry with an id is left unsaid."""
    told, known = expected_of(name)[partner], paths(case_of(name))
    sees, never = set(told["sees"]), set(told["never"])
    assert len(sees) + len(never) == len(told["sees"]) + len(told["never"])
    assert sees | never <= known
    assert not sees & never
    assert never
    if sees:
        assert "child" in sees
        silent = ("organizations/", "providers/", "consents/")
        assert {path for path in known - sees - never if not path.startswith(silent)} == set()


@pytest.mark.parametrize(("name", "partner"), PAIRS)
def test_withheld_leaves_are_there_to_be_withheld(name: str, partner: str) -> None:
    told, places = expected_of(name)[partner], [path for path, _ in leaves(case_of(name))]
    for leaf in told.get("withheld_leaves", ()):
        assert any(place == leaf or place.startswith(f"{leaf}/") for place in places), leaf


@pytest.mark.parametrize(("name", "partner"), PAIRS)
def test_each_marker_stands_in_the_case_and_only_where_it_is_withheld(name: str, partner: str) -> None:
    """A marker in a place that the partner may see would accuse the adapter of what is no leak."""
    told, found = expected_of(name)[partner], list(texts(case_of(name)))
    assert told["markers"]
    for marker in told["markers"]:
        places = [path for path, text in found if marker in text]
        assert places, marker
        assert [path for path in places if not is_withheld(path, told, set(PARTNERS[partner]["sectors"]))] == [], marker


def test_every_partner_file_holds_fields_of_a_partner_and_no_secret() -> None:
    known = {field.name for field in fields(Partner)} - {"id"}
    for name, partner in PARTNERS.items():
        assert set(partner) <= known, name
        assert isinstance(partner["since"], date)
        assert set(partner["authorisation"]) <= {field.name for field in fields(Authorisation)}
        assert re.fullmatch(r"[A-Z_]+", partner["authorisation"]["secret"]), "the name of an environment variable"
        if {"health", "hospital", "mental-health"} & set(partner["sectors"]):
            assert "withheld_notice" in partner, "a health partner has to choose"


def _invented(text: str) -> Iterator[str]:
    """What in a text looks like something real."""
    for number in re.findall(r"(?<![\w.-])\+?(?:\d[\s().-]?){9,}\d(?![\w-])", text):
        if not re.search(r"555-01\d\d$", number):
            yield number
    yield from (domain for domain in re.findall(r"@([\w.-]+)", text) if not _of_example(domain))
    yield from (domain for domain in re.findall(r"https?://([\w.-]+)", text) if not _of_example(domain))
    yield from (code for code in re.findall(r"\b[A-Z]\d[A-Z] ?\d[A-Z]\d\b", text) if code != "X0X 0X0")


def _of_example(domain: str) -> bool:
    return domain.split(".")[-2:] in (["example", "org"], ["example", "ca"])


@pytest.mark.parametrize("text", ["416-967-1111", "a@hospital.ca", "see https://ontario.ca/x", "M5V 2T6", "1234567890"])
def test_what_looks_real_is_recognized(text: str) -> None:
    assert list(_invented(text))


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*.*")), ids=lambda path: str(path.relative_to(FIXTURES)))
def test_nothing_in_the_fixtures_looks_real(path: Path) -> None:
    """Telephone numbers are 555-01xx, addresses are of example domains, postal codes of no place."""
    assert list(_invented(path.read_text("utf-8"))) == []


@pytest.mark.parametrize("name", CASES)
def test_numbers_of_cards_and_licences_say_that_they_are_invented(name: str) -> None:
    case = case_of(name)
    for path, text in texts(case):
        assert list(_invented(text)) == [], path
    personal = [
        each for each in case["child"].get("identifiers", ()) if each["type"] in ("health-card", "school-number")
    ]
    public = [
        each
        for key in ("organizations", "providers")
        for one in case.get(key, ())
        for each in one.get("identifiers", ())
    ]
    assert [each["value"] for each in (*personal, *public) if not each["value"].startswith("INVENTED-")] == []
