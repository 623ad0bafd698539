"""What we write for a partner as its own Consent, we read back as that: for it, for that purpose, until that day."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.core.consent.fhir_consents import evaluate, read
from adapter.core.consent.fhir_consents.provisions import R4_AGREE, R5_ALTERNATION
from adapter.core.mapping.resources import Mappings
from adapter.core.partner import Release
from tests.core.mapping_files import views

ZONE = ZoneInfo("America/Toronto")
AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PARTNER = "|".join(views.SCHOOL.identifiers[0])
PURPOSE = "https://csp-adapter.example/CodeSystem/purpose|education-planning"
PART = "https://csp-adapter.example/CodeSystem/part|"
ASKED: dict[str, Any] = {
    "actor": [PARTNER],
    "purpose": [PURPOSE],
    "class_": [f"{PART}goals"],
    "labels": ["N"],
    "at": AT,
}


READINGS = {"R4": R4_AGREE, "R5": R5_ALTERNATION}


@pytest.fixture(scope="module", params=["R4", "R5"])
def release(request: pytest.FixtureRequest) -> Release:
    found: Release = request.param
    return found


@pytest.fixture(scope="module")
def using(release: Release) -> Mappings:
    return views.mappings(release)


def own(using: Mappings, **changes: Any) -> dict[str, Any]:
    """The Consent of the mapping file, for a record with these changes."""
    case = views.row("consent")
    case["consents"][0] |= changes
    case["consents"][0] = {name: value for name, value in case["consents"][0].items() if value is not None}
    made = views.mapped(case, using).made
    return next(each.resource for each in made if each.type == "Consent")


ROWS = [
    pytest.param({}, "permit", id="for the partner, its purpose and a part"),
    pytest.param({"class_": [f"{PART}identity"]}, "permit", id="another part of it"),
    pytest.param({"class_": [f"{PART}health"]}, "deny", id="not a part that it does not name"),
    pytest.param({"class_": [f"{PART}goals", f"{PART}health"]}, "deny", id="not both at once"),
    pytest.param({"actor": ["https://registry.example.ca/organizations|INVENTED-ORG-0300"]}, "deny", id="not another"),
    pytest.param({"purpose": ["TREAT"]}, "deny", id="not another purpose"),
    pytest.param({"purpose": []}, "deny", id="not no purpose"),
    pytest.param({"at": datetime(2027, 9, 1, 3, 59, tzinfo=UTC)}, "permit", id="to the end of its last day"),
    pytest.param({"at": datetime(2027, 9, 1, 4, 0, tzinfo=UTC)}, "deny", id="not after it"),
    pytest.param({"at": datetime(2026, 8, 31, 12, tzinfo=UTC)}, "deny", id="not before it begins"),
]


@pytest.mark.parametrize(("change", "decision"), ROWS)
def test_a_consent_that_names_no_topic(change: dict[str, Any], decision: str, using: Mappings) -> None:
    consent = own(using, topics=None)
    assert read(consent, zone=ZONE).faults == ()
    assert (read(consent, zone=ZONE).release, READINGS[using.release] in read(consent, zone=ZONE).readings) == (
        using.release,
        True,
    )
    assert evaluate([consent], zone=ZONE, **(ASKED | change)).decision == decision


@pytest.mark.parametrize(
    ("labels", "decision"),
    [
        pytest.param(["R", "MH", "NORDSCLCD"], "permit", id="a topic that it names, as we label it"),
        pytest.param(
            ["R", "MH", "https://csp-adapter.example/CodeSystem/topic|child-welfare"], "permit", id="two topics"
        ),
        pytest.param(["N", "NORDSCLCD"], "permit", id="ordinary data, as we label it"),
        pytest.param(["R", "HIV"], "deny", id="not a topic that it does not name"),
        pytest.param(["R", "MH", "HIV"], "deny", id="not together with one that it names"),
    ],
)
def test_a_consent_that_names_topics(labels: list[str], decision: str, using: Mappings) -> None:
    assert evaluate([own(using)], zone=ZONE, **(ASKED | {"labels": labels})).decision == decision


def test_what_we_label_is_covered_by_what_we_say_is_permitted(using: Mappings) -> None:
    """The labels of a resource about two topics, exactly as it leaves, against the Consent that travels with it."""
    made = views.mapped(views.row("need"), using, topics=("mental-health", "child-welfare")).made
    need = next(each.resource for each in made if each.type == "Condition")
    labels = [f"{each['system']}|{each['code']}" for each in need["meta"]["security"]]
    assert evaluate([own(using)], zone=ZONE, **(ASKED | {"labels": labels})).decision == "permit"


def test_after_its_end_it_is_inactive_and_says_nothing(using: Mappings) -> None:
    found = evaluate([own(using, status="inactive")], zone=ZONE, **ASKED)
    assert (found.decision, found.consent) == ("deny", "")
