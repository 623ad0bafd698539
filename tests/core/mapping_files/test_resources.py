"""What is added to rendered resources, and what is taken from them: names, labels, audience, order, circles."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from typing import Any

import pytest

from adapter.core.fhir.named import TAGGED, names_of
from adapter.core.mapping.resources import Mappings
from adapter.core.mapping.tidy import links, tidy
from tests.core.mapping_files.views import HOSPITAL, ROWS, SCHOOL, fixtures, mapped, mappings, row, whole


@pytest.fixture(scope="module")
def using() -> Mappings:
    return mappings()


def only(type_: str, case: dict[str, Any], using: Mappings, **options: Any) -> dict[str, Any]:
    """The one resource of this type."""
    (made,) = [m for m in mapped(case, using, **options).made if m.type == type_]
    return made.resource


@pytest.mark.parametrize(
    ("partner", "types"),
    [
        pytest.param(SCHOOL, {"school-number", "other"}, id="a school board"),
        pytest.param(HOSPITAL, {"health-card", "other"}, id="a hospital"),
        pytest.param(replace(SCHOOL, sectors=("community",)), {"other"}, id="a community agency"),
        pytest.param(
            replace(SCHOOL, audience=("health-card",)), {"health-card", "school-number", "other"}, id="by authority"
        ),
    ],
)
def test_identifier_types_have_their_audience(partner: Any, types: set[str], using: Mappings) -> None:
    """exchange.md, *Identity*: agency numbers go to nobody; consent cannot widen this."""
    identifiers = only("Patient", row("patient"), using, partner=partner)["identifier"]
    assert {i["type"]["coding"][-1]["code"] for i in identifiers[1:]} == types
    assert identifiers[0]["system"] == f"https://agency.example.ca/id/{partner.id}"


def test_the_order_of_records_changes_nothing(using: Mappings) -> None:
    """Collections shuffled: the same bytes, in the same order."""
    for name, case in fixtures():
        shuffled = whole(case)
        for value in shuffled.values():
            if isinstance(value, list):
                random.Random(7).shuffle(value)
        assert json.dumps([m.resource for m in mapped(whole(case), using).made]) == json.dumps(
            [m.resource for m in mapped(shuffled, using).made]
        ), name


@pytest.mark.parametrize(
    ("asked", "withheld", "told"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_the_notice_is_one_label_on_the_consent(asked: bool, withheld: bool, told: bool, using: Mappings) -> None:
    """REDACTED, only where the partner's file asks for it and something was withheld."""
    result = mapped(row("consent"), using, partner=replace(HOSPITAL, withheld_notice=asked), withheld=withheld)
    redacted = {m.type for m in result.made if "REDACTED" in {c["code"] for c in m.resource["meta"]["security"]}}
    assert redacted == ({"Consent"} if told else set())


@pytest.mark.parametrize(
    ("topics", "level"),
    [
        pytest.param((), "N", id="what is about no topic is normal"),
        pytest.param(("justice",), "R", id="a topic restricts"),
        pytest.param(("family-violence",), "V", id="a victim of abuse: very restricted, as HL7 defines it"),
        pytest.param(("family-violence", "mental-health"), "V", id="of several topics the strictest decides"),
        pytest.param(("of-our-own",), "R", id="a topic without a line restricts"),
    ],
)
def test_confidentiality_is_that_of_the_strictest_topic(topics: tuple[str, ...], level: str, using: Mappings) -> None:
    need = next(m for m in mapped(row("need"), using, topics=topics).made if m.type == "Condition")
    assert need.resource["meta"]["security"][0]["code"] == level


def test_labels_say_sensitivity_purpose_and_no_redisclosure(using: Mappings) -> None:
    """consent.md, *The view*: R with a topic, its code, the purpose, and the refrain; a directory entry has none."""
    result = mapped(row("need"), using, topics=("mental-health", "child-welfare"))
    need = next(m for m in result.made if m.type == "Condition")
    assert [c["code"] for c in need.resource["meta"]["security"]] == [
        "R",
        "child-welfare",
        "MH",
        "education-planning",
        "NORDSCLCD",
    ]
    assert need.topics == ("mental-health", "child-welfare")
    school = next(m for m in result.made if m.type == "Organization")
    assert [c["code"] for c in school.resource["meta"]["security"]] == ["N"]


def test_a_directory_resource_is_the_same_from_every_case(using: Mappings) -> None:
    """The language of a plan, the case's number and its labels leave no trace in what cases share."""
    one = {m.urn: m.resource for m in mapped(row("need"), using).made if m.directory}
    other = {m.urn: m.resource for m in mapped(row("care-plan"), using, topics=("justice",)).made if m.directory}
    assert one and one == other


def test_two_records_of_one_organization_are_one_resource(using: Mappings) -> None:
    """Both cases of writing it lead to the same urn; references of both arrive there."""
    case = row("assessment")
    twin = copy.deepcopy(case["organizations"][1]) | {"id": "again", "path": "organizations/again"}
    case["organizations"].append(twin | {"name": "LAKESIDE  district school board"})
    case["assessments"][1]["by"] = "organizations/again"
    made = mapped(case, using).made
    performers = {m.resource["performer"][0]["reference"] for m in made if m.about.startswith("assessments")}
    assert len([m for m in made if m.type == "Organization"]) == 2 and len(performers) == 1


def test_the_program_is_told_only_where_enrolment_is(using: Mappings) -> None:
    """A mapping file that used %program elsewhere would find nothing."""
    case = row("episode-of-care")
    assert only("EpisodeOfCare", case, using)["type"]
    del case["program"]
    assert "type" not in only("EpisodeOfCare", case, using)


def test_a_withheld_family_member_is_words_without_a_link(using: Mappings) -> None:
    """ "family" in a team seat and in an acceptance; nothing of who it is."""
    team = only("CareTeam", row("care-team"), using)
    assert {"type": "RelatedPerson", "display": "A family member"} in [p["member"] for p in team["participant"]]
    french = row("care-plan")
    told = json.dumps([m.resource for m in mapped(french, using).made], ensure_ascii=False)
    assert "Un membre de la famille" in told


def test_an_empty_view_gives_nothing(using: Mappings) -> None:
    """Identity is not permitted: no resource at all."""
    assert mapped({}, using).made == ()


def test_no_child_no_resources_about_it(using: Mappings) -> None:
    """Whatever depends on the Patient falls with it; directory entries stay."""
    case = row("care-plan")
    del case["child"]
    assert {m.type for m in mapped(case, using).made} <= {"Organization", "Practitioner", "PractitionerRole"}


def test_narrative_can_be_switched_off(using: Mappings) -> None:
    """Per partner."""
    assert all("text" in m.resource for m in mapped(row("goal"), using).made)
    assert not any(
        "text" in m.resource for m in mapped(row("goal"), using, partner=replace(SCHOOL, narrative=False)).made
    )


def test_plans_that_supersede_each_other_do_not_run_in_a_circle(using: Mappings) -> None:
    """Creation runs along references, so there is always a first one."""
    case = row("care-plan")
    case["care_plans"][1]["supersedes"] = "care_plans/p1"
    made = mapped(case, using).made
    graph = {m.urn: set(links(m.resource)) for m in made}
    while ready := {urn for urn, to in graph.items() if not to & graph.keys()}:
        graph = {urn: to for urn, to in graph.items() if urn not in ready}
    assert graph == {}


def test_a_case_that_needs_nothing_from_others_is_not_changed() -> None:
    """tidy leaves sound resources as they are, false and zero too."""
    urn = "urn:uuid:1"
    sound = {"resourceType": "Patient", "active": False, "multipleBirthInteger": 0}
    assert tidy({urn: sound}) == {urn: sound}


def test_what_falls_takes_with_it_what_needs_it() -> None:
    """A seat without its member, a link to it, and an extension that held only that link."""
    patient = {"resourceType": "Patient", "active": True}
    gone = {"reference": "urn:uuid:9", "type": "RelatedPerson"}
    team = {
        "resourceType": "CareTeam",
        "subject": {"reference": "urn:uuid:1"},
        "extension": [{"url": "https://x.example", "valueReference": gone}],
        "participant": [{"role": [{"text": "Mother"}], "member": gone}],
        "note": [{"authorReference": gone, "text": "Well"}],
    }
    assert tidy({"urn:uuid:1": patient, "urn:uuid:2": team})["urn:uuid:2"] == {
        "resourceType": "CareTeam",
        "subject": {"reference": "urn:uuid:1"},
        "note": [{"text": "Well"}],
    }


def test_no_mapping_says_what_only_we_may_say(using: Mappings) -> None:
    """Names and labels are added in one place."""
    for name in ROWS:
        for made in mapped(row(name), using).made:
            assert made.resource["meta"].keys() - {"tag"} == {"profile", "security"}
            assert next(names_of(made.resource)) == made.identifier
            assert ("tag" in made.resource["meta"]) == (made.type in TAGGED)


@pytest.mark.parametrize("part", ["by", "with"])
def test_in_r5_the_child_takes_part_in_an_encounter_without_a_type(part: str) -> None:
    """R5's enc-2, which only a server sees that follows references: HAPI FHIR refused what had one. Who led is kept."""
    case = copy.deepcopy(row("contact"))
    for contact in case["contacts"]:
        contact |= {"status": "held", "by": [], "with": [], part: ["child"]}
    made = mapped(case, mappings("R5")).made
    (child,) = [m.urn for m in made if m.type == "Patient"]
    for encounter in (m.resource for m in made if m.type == "Encounter"):
        there = [p for p in encounter.get("participant", []) if p["actor"]["reference"] == child]
        led = [e for e in encounter["extension"] if e["url"].endswith("/csp-led-by")]
        assert (there, len(led)) == (([], 1) if part == "by" else ([{"actor": {"reference": child}}], 0))
