"""One document in place of CarePlan, Goal and CareTeam: whole, closed, the same while nothing changes, and no more."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from typing import Any

import pytest

from adapter.core import strict_json
from adapter.core.desired import Desired
from adapter.core.diff import against_order, referred
from adapter.core.document.place import DOCUMENT, FHIR, PDF, PLAN, WITH_IT, held_as_document
from adapter.core.fhir.models import problems
from tests.core.document import regenerate
from tests.core.document.desired import (
    FIXTURES,
    NOW,
    attached,
    bench,
    bundle,
    case_of,
    desired,
    given,
    of,
    reference,
    told,
    words,
)

RELEASES = ("R4", "R5")
EVERY = [
    (path.parent.name, partner)
    for path in sorted(FIXTURES.glob("*/case.json"))
    for partner, saw in json.loads((path.parent / "expected.json").read_text("utf-8")).items()
    if partner != "at" and saw["sees"]
]
FEW = [
    ("minimal", "lakeside"),
    ("ontario-csp", "riverside"),
    ("ontario-csp", "northstar"),
    ("early-intervention", "petits-pas"),
    ("wraparound", "harbour-cas"),
]
PAIRS = [
    pytest.param(*pair, id=f"{pair[0]} for {pair[1]}") for pair in (EVERY if os.environ.get("CSP_PROOFS") else FEW)
]


def types(found: Desired) -> set[str]:
    return {each.type for each in found.made}


def in_bundle(found: Desired) -> dict[str, Any]:
    return {each["fullUrl"]: each["resource"] for each in bundle(found)["entry"]}


@pytest.fixture(scope="module")
def made_now() -> dict[str, str]:
    return regenerate.files()


@pytest.mark.parametrize("name", regenerate.NAMES)
def test_the_golden_document(made_now: dict[str, str], name: str) -> None:
    """What Fernhollow holds of Jas's plan; `make golden` writes it anew."""
    assert set(made_now) == set(regenerate.NAMES)
    assert made_now[name] == (regenerate.GOLDEN / name).read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "not_taken", "inside"),
    [
        pytest.param("auto", (), (), id="auto, where everything is taken: no document"),
        pytest.param("auto", ("RiskAssessment",), (), id="auto, where the three are taken: no document"),
        pytest.param("auto", ("Goal",), (*PLAN, *WITH_IT), id="auto, where one of the three is not: all of them"),
        pytest.param("auto", ("Goal", "Task"), (*PLAN, *WITH_IT, "Task"), id="what else is not taken goes into it"),
        pytest.param("always", (), (*PLAN, *WITH_IT), id="always, where everything is taken"),
        pytest.param("always", ("Task",), (*PLAN, *WITH_IT, "Task"), id="always, and what is not taken besides"),
        pytest.param("never", ("Goal",), (), id="never, whatever is not taken"),
        pytest.param("always", ("DocumentReference",), (), id="no document where its reference is not taken"),
    ],
)
def test_what_is_held_within_a_document(setting: Any, not_taken: tuple[str, ...], inside: tuple[str, ...]) -> None:
    partner = told(document=setting).rulebook.partners["fernhollow"]
    assert held_as_document(partner, not_taken) == set(inside)


@pytest.mark.parametrize(
    ("name", "partner", "release"),
    [
        *(pytest.param(*each.values, "R4", id=str(each.id)) for each in PAIRS),
        pytest.param("ontario-csp", "riverside", "R5", id="ontario-csp for riverside in R5"),
    ],
)
def test_whatever_the_view_it_is_valid_and_closed(name: str, partner: str, release: Any) -> None:
    """By both of our judges; nothing refers to what is not there, live or inside."""
    found = given(name, partner, release)
    assert found.wrong == ()
    assert not types(found) & (PLAN | WITH_IT)
    urns = {each.urn for each in found.made}
    assert {urn for each in found.made for urn in referred(each.resource)} <= urns
    assert against_order(found.made) == ()
    document = bundle(found)
    assert problems(document, release=release) == []
    inside = in_bundle(found)
    assert {urn for each in inside.values() for urn in referred(each)} <= set(inside)
    assert len(inside) == len(document["entry"])
    # Only what the Composition reaches, itself or by others (http://hl7.org/fhir/R4/documents.html).
    first = document["entry"][0]
    reached, waiting = {first["fullUrl"]}, [first["resource"]]
    while waiting:
        new = referred(waiting.pop()) - reached
        reached |= new
        waiting += [inside[urn] for urn in new]
    assert reached == set(inside)


@pytest.mark.parametrize(("name", "partner"), PAIRS)
def test_nothing_that_was_mapped_is_lost(name: str, partner: str) -> None:
    """Each resource that the view became is held by itself or within the document, under the same urn."""
    found = given(name, partner)
    there = {each.urn for each in found.made} | set(in_bundle(found))
    assert {each.urn for each in found.mapped} <= there


def test_it_is_a_document_as_fhir_has_it() -> None:
    document = bundle(desired())
    first = document["entry"][0]["resource"]
    assert (document["type"], first["resourceType"]) == ("document", "Composition")
    assert document["identifier"]["value"].startswith("urn:uuid:")
    assert document["timestamp"] == f"{first['date']}T00:00:00Z"
    assert all(each["fullUrl"].startswith("urn:uuid:") for each in document["entry"])


@pytest.mark.parametrize("release", RELEASES)
def test_where_more_is_not_taken_it_stands_inside_and_is_named_by_its_identifier(release: Any) -> None:
    """What stays refers to it by the identifier under which it stands in the document."""
    found = desired(not_taken=("Task", "Condition", "Organization"), release=release)
    assert found.wrong == ()
    assert not types(found) & {"Task", "Condition", "Organization"}
    inside = in_bundle(found)
    assert {"Task", "Condition", "Organization"} <= {each["resourceType"] for each in inside.values()}
    known = {
        i["value"] for each in inside.values() if isinstance(each.get("identifier"), list) for i in each["identifier"]
    }
    (author,) = reference(found).resource["author"]
    assert author["type"] == "Organization"
    assert author["identifier"]["value"] in known


def test_where_nothing_else_is_taken_it_is_the_only_thing() -> None:
    every = {each.type for each in desired().mapped} | {"Binary"}
    found = desired(not_taken=every)
    assert found.wrong == ()
    assert types(found) == {"DocumentReference"}
    assert set(attached(found)) == {FHIR, PDF}, "no Binary is taken: the bytes are in it"
    assert "reference" not in reference(found).resource["subject"]


def test_a_partner_that_finds_no_binary_has_the_bytes_in_line() -> None:
    found = desired(bytes="inline")
    assert "Binary" not in types(found)
    assert attached(found) == attached(desired())


def test_the_documents_of_the_case_stay_beside_it_and_their_bytes_are_not_told_twice() -> None:
    case = case_of()
    case["care_plans"][0]["linked_plans"] = [{"id": "l1", "kind": "iep", "title": "IEP", "document": "documents/d-iep"}]
    for bytes_ in ("binary", "inline"):
        found = desired(case, "lakeside", document="always", bytes=bytes_)
        assert found.wrong == ()
        assert len(of(found, "DocumentReference")) > 1
        inside = [each for each in in_bundle(found).values() if each["resourceType"] == "DocumentReference"]
        files = [content["attachment"] for each in inside for content in each["content"]]
        assert any("hash" in each for each in files)
        assert not any("data" in each or each.get("url", "").startswith("urn:") for each in files)


def test_the_account_names_all_that_is_in_it() -> None:
    """Its paths, parts and topics are those of its resources, and no more (consent.md, *Accounting*)."""
    found = given("ontario-csp", "riverside")
    inside = [each for each in found.mapped if each.urn in in_bundle(found)]
    whole = reference(found)
    assert whole.about.split() == sorted({each.about for each in inside})
    assert set(whole.parts) == {part for each in inside for part in each.parts}
    assert set(whole.topics) == {topic for each in inside for topic in each.topics} != set()
    pieces = [each for each in found.made if each.about == whole.about]
    assert {each.type for each in pieces} == {"DocumentReference", "Binary"}
    levels = [each["code"] for each in whole.resource["meta"]["security"] if each["system"].endswith("Confidentiality")]
    assert levels == ["R"], "as restricted as the most restricted thing in it"


def test_it_stays_the_same_to_the_byte_while_nothing_changes() -> None:
    """Neither time nor the order of records makes it another; what the partner may not see does not either."""
    before = desired()
    assert desired(now=NOW + timedelta(days=30)).made == before.made
    case = case_of()
    for collection in ("goals", "needs", "strengths", "people", "care_plans"):
        case[collection].reverse()
    next(goal for goal in case["goals"] if goal["id"] == "g-college")["title"] = "Start somewhere else"
    assert desired(case).made == before.made


def test_a_change_of_the_view_changes_it_and_its_name_but_not_what_it_is_known_by() -> None:
    case, before = case_of(), desired()
    next(goal for goal in case["goals"] if goal["id"] == "g-teeth")["due"] = "2027-04-02"
    after = desired(case)
    assert {each.urn for each in after.made} == {each.urn for each in before.made}
    changed = {each.type for each, other in zip(after.made, before.made, strict=True) if each != other}
    assert changed == {"DocumentReference", "Binary"}
    assert bundle(after)["identifier"] != bundle(before)["identifier"]
    assert "2 April 2027" in words(after) and "2 April 2027" not in words(before)


def test_its_day_is_that_of_the_youngest_thing_in_it() -> None:
    case = case_of()
    next(goal for goal in case["goals"] if goal["id"] == "g-work")["progress"][0]["on"] = "2026-11-20"
    assert bundle(desired(case))["timestamp"] == "2026-11-20T00:00:00Z"


@pytest.mark.parametrize(("name", "partner"), PAIRS)
def test_what_is_withheld_stands_nowhere_in_it(name: str, partner: str) -> None:
    """Neither in the Bundle nor on a page."""
    found = given(name, partner)
    whole = json.dumps(bundle(found), ensure_ascii=False) + words(found)
    for marker in json.loads((FIXTURES / name / "expected.json").read_text("utf-8"))[partner]["markers"]:
        assert marker not in whole


def test_the_page_tells_a_family_s_plan() -> None:
    """Child, plan, team, goals with target, steps and progress, services, needs, strengths, who may see it."""
    page = words(desired())
    for said in (
        "Jasper Singh Comeau-Gill", "In five years I want keys.", "Jas's circle", "Get paid at Dufour's",
        "8 h per week", "Choose the aide myself", "I fixed eleven bikes and broke one", "Rides to the shop and back",
        "See a dentist", "Fernhollow General Hospital may see this for treatment", "11 June 2027",
        "Ask me before you tell anyone.",
    ):  # fmt: skip
        assert " ".join(said.split()) in " ".join(page.split()), said
    assert "INVENTED" not in page, "numbers of cards are for programs"


def test_in_french_where_the_plan_is() -> None:
    found = given("early-intervention", "petits-pas")
    assert "Ce que nous espérons" in words(found) or "Objectifs" in words(found)
    assert bundle(found)["entry"][0]["resource"]["language"] == "fr"


def test_without_narrative_it_is_valid_too() -> None:
    found = desired(narrative=False)
    assert found.wrong == ()
    assert "text" not in bundle(found)["entry"][0]["resource"]


def test_where_the_view_holds_no_plan_there_is_no_document() -> None:
    case = case_of()
    permit = next(each for each in case["consents"] if each["id"] == "c-fern")["provisions"][0]
    permit["parts"] = ["identity", "strengths"]
    assert types(desired(case)) == {"Patient", "Observation", "Consent"}


def test_each_partner_knows_it_by_names_of_its_own() -> None:
    one, other = (reference(given("person-centred", partner)) for partner in ("lakeside", "riverside"))
    assert one.urn != other.urn and one.identifier != other.identifier
    assert DOCUMENT not in strict_json.dump(one.resource["identifier"]).decode()


def test_a_very_long_text_runs_over_pages() -> None:
    case = case_of()
    text = " ".join(f"word{number}" for number in range(3000))
    case["goals"][0]["steps"][0]["note"] = text
    case["goals"][0]["text"] = text
    found = desired(case)
    assert " ".join(words(found).split()).count(text) == 2


def test_the_bench_of_the_fixtures_makes_it() -> None:
    """`document = "always"` of the partner's file acts without anything else."""
    assert bench().rulebook.partners["fernhollow"].document == "always"
    assert reference(desired()).type == "DocumentReference"
