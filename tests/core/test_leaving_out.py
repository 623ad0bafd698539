"""Types that a partner's server does not take: what is sent stays sound, and refers to nothing that is not there."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from adapter.core.desired import Subject, desire, mistakes
from adapter.core.diff import ORDER, Made, referred
from adapter.core.leaving_out import without
from tests.core.test_desired import NOW, _bench, _case
from tests.core.test_diff import made

FEW = (
    ("Organization",),
    ("Practitioner", "PractitionerRole"),
    ("RelatedPerson", "Consent"),
    ("EpisodeOfCare", "Encounter", "Appointment", "Binary"),
    tuple(type_ for type_ in ORDER if type_ not in ("Patient", "ServiceRequest", "Task")),
    tuple(type_ for type_ in ORDER if type_ not in ("Patient", "DocumentReference")),
    tuple(random.Random(7).sample([t for t in ORDER if t != "Patient"], 9)),  # noqa: S311  no secret
)


@pytest.mark.parametrize("types", FEW, ids=lambda types: f"without {types[0]} and {len(types) - 1} more")
@pytest.mark.parametrize(("name", "partner"), [("ontario-csp", "riverside"), ("minimal", "lakeside")])
def test_what_is_sent_is_sound_and_whole(name: str, partner: str, types: tuple[str, ...]) -> None:
    case = _case(name)
    bench = _bench()
    found = desire(bench, Subject(case["case"], case, {}), partner, NOW, not_taken=types)
    there = {each.urn for each in found.made}
    assert not {each.type for each in found.made} & set(types)
    assert found.wrong == () and mistakes(bench, "R4", found.made) == ()
    assert all(referred(each.resource) <= there for each in found.made)
    assert "Patient" in {each.type for each in found.made}


def test_nothing_changes_where_all_types_are_taken() -> None:
    case = _case("ontario-csp")
    usual = desire(_bench(), Subject(case["case"], case, {}), "riverside", NOW)
    assert usual.left_out == ()
    assert without(usual.made, ("Endpoint",), lambda _: ()) == (usual.made, ())


ORG = made("Organization", "o", text="x")
ORG = Made(
    ORG.urn, "Organization", ORG.identifier,
    {**ORG.resource, "name": "Lakeside", "identifier": [*ORG.resource["identifier"], {"system": "r", "value": "9"}]},
)  # fmt: skip
GOAL, PLAN, LIST = made("Goal", "g", "o"), made("CarePlan", "c", "g"), made("Composition", "l", "c")


def test_who_works_there_is_named_and_a_record_is_not() -> None:
    """The words of a record that is left out do not come in by another one, whose labels say nothing of them."""
    sent, left_out = without([ORG, GOAL], ("Organization",), lambda some: [each.urn for each in some])
    [reference] = sent[0].resource["refers"]
    assert reference == {"type": "Organization", "identifier": {"system": "r", "value": "9"}, "display": "Lakeside"}
    assert left_out == ("Organization",)
    sent, _ = without([GOAL, PLAN], ("Goal",), lambda some: [each.urn for each in some])
    [reference] = sent[0].resource["refers"]
    assert reference == {"type": "Goal", "identifier": {"system": "https://s", "value": "g"}}


def test_what_cannot_do_without_goes_too() -> None:
    """And what cannot do without that; the rest stays."""

    def sound(some: Any) -> list[str]:
        return [each.urn for each in some if each.type == "Composition"]

    sent, left_out = without([ORG, GOAL, PLAN, LIST], ("Goal",), sound)
    assert [each.type for each in sent] == ["Organization", "Composition"]
    assert left_out == ("CarePlan", "Goal")
    assert "urn:uuid:c" not in json.dumps(sent[1].resource)
