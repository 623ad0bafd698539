"""The checker by hand-written instances: for each kind of rule one that keeps it and one that breaks it.

Whether HAPI's validator says the same of such instances is asked in tests/validator.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from adapter.core.fhir.checker import Checker, read
from adapter.core.fhir.checker.told import code, expression, outcome
from tests.core.fhir.checker_profiles import HL7, OWN, SYSTEM, base, checker, definition, own, snapshot

Json = dict[str, Any]
SECRET = "the-hidden-word"
XMLNS = 'xmlns="http://www.w3.org/1999/xhtml"'

GOAL: Json = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Sleep"},
    "subject": {"reference": "Patient/1"},
}
PLAN: Json = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": "Patient/1"}}
PATIENT: Json = {"resourceType": "Patient", "name": [{"family": "Example", "given": ["Ama", "Serwaa"]}]}
OBSERVATION: Json = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
BUNDLE: Json = {"resourceType": "Bundle", "type": "collection"}
EXTENSION = {"url": "https://elsewhere.example/x", "valueString": "y"}
KIND = {"url": OWN + "kind", "valueCode": "home"}
CATEGORY = {"coding": [{"system": SYSTEM, "code": "school"}]}
OWN_GOAL: Json = {
    "resourceType": "Goal",
    "meta": {"profile": [OWN + "goal"]},
    "extension": [KIND],
    "lifecycleStatus": "active",
    "category": [CATEGORY],
    "description": {"coding": [{"system": SYSTEM, "code": "home"}], "text": "At home"},
    "subject": {"reference": "Patient/1"},
}
OWN_OBSERVATION: Json = OBSERVATION | {"meta": {"profile": [OWN + "observation"]}}
FAMILY = {"member": {"reference": "RelatedPerson/1"}}
OWN_TEAM: Json = {"resourceType": "CareTeam", "meta": {"profile": [OWN + "team"]}, "participant": [FAMILY]}


def contained(**more: Any) -> Json:
    inner = {"resourceType": "Patient", "id": "p"} | more
    return GOAL | {"contained": [inner], "subject": {"reference": "#p"}}


def div(text: str) -> Json:
    return GOAL | {"text": {"status": "generated", "div": f"<div {XMLNS}>{text}</div>"}}


SOUND = [
    pytest.param(GOAL, id="what is required, and no more"),
    pytest.param(GOAL | {"description": {"text": " "}}, id="a text of spaces"),
    pytest.param(GOAL | {"startDate": "2026-02"}, id="a date of a year and a month"),
    pytest.param(GOAL | {"startDate": "2024-02-29"}, id="the last day of a February in a leap year"),
    pytest.param(GOAL | {"_startDate": {"extension": [EXTENSION]}}, id="an extension in place of a date"),
    pytest.param(GOAL | {"startDate": "2026", "_startDate": {"id": "a"}}, id="an id beside a date"),
    pytest.param(
        PATIENT | {"name": [{"given": ["Ama", None], "_given": [None, {"extension": [EXTENSION]}]}]},
        id="a null in a list beside an extension of the same place",
    ),
    pytest.param(GOAL | {"extension": [EXTENSION]}, id="an extension of someone else"),
    pytest.param(GOAL | {"subject": {"reference": "https://a.example/fhir/Patient/7"}}, id="a reference elsewhere"),
    pytest.param(
        GOAL | {"subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}}, id="a urn nobody knows"
    ),
    pytest.param(GOAL | {"subject": {"display": "Ama"}}, id="a reference by its display only"),
    pytest.param(contained(), id="a contained resource that is referred to"),
    pytest.param(
        GOAL
        | {
            "contained": [
                {
                    "resourceType": "Observation",
                    "id": "o",
                    "status": "final",
                    "code": {"text": "x"},
                    "focus": [{"reference": "#"}],
                }
            ]
        },
        id="a contained resource that refers to what contains it",
    ),
    pytest.param(
        GOAL
        | {
            "contained": [{"resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "x"}}],
            "addresses": [{"reference": "#o"}],
        },
        id="a contained resource of a type that may stand there",
    ),
    pytest.param(
        OBSERVATION | {"contained": [{"resourceType": "Medication", "id": "m"}], "focus": [{"reference": "#m"}]},
        id="a contained resource of a type that is not exchanged",
    ),
    pytest.param(div("<p>Ama &amp; her <b>tablet</b><br/></p>"), id="a narrative of paragraphs"),
    pytest.param(div('<table><tr><td colspan="2">a</td></tr></table>'), id="a narrative with a table"),
    pytest.param(div('<a href="https://example.org/">a</a>'), id="a narrative with a link"),
    pytest.param(div('<p style="color: red">a</p><!-- b -->'), id="a narrative with a style and a comment"),
    pytest.param(div('<img src="data:image/png;base64,AA=="/>'), id="a narrative with an image of its own"),
    pytest.param(OBSERVATION | {"valueQuantity": {"value": 1.5, "unit": "h"}}, id="one type of a choice"),
    pytest.param(
        OBSERVATION | {"effectivePeriod": {"start": "2026-01-01", "end": "2026-01-01"}}, id="a period of a day"
    ),
    pytest.param(
        PATIENT | {"communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "ak"}]}}]},
        id="a language that is not among the preferred ones",
    ),
    pytest.param(OWN_GOAL, id="a profile's rules kept"),
    pytest.param(OWN_GOAL | {"category": [{"text": "any"}, CATEGORY]}, id="more than the slices, where they are open"),
    pytest.param(
        OWN_GOAL | {"identifier": [{"system": "https://own.example/case", "value": "1"}]}, id="a closed slice kept"
    ),
    pytest.param(
        OWN_GOAL
        | {
            "extension": [
                KIND,
                {
                    "url": OWN + "story",
                    "extension": [{"url": "who", "valueString": "Ama"}, {"url": "when", "valueDate": "2026-01-01"}],
                },
            ]
        },
        id="an extension of parts",
    ),
    pytest.param(
        OWN_GOAL | {"modifierExtension": [{"url": OWN + "urgent", "valueBoolean": True}]}, id="a known modifier"
    ),
    pytest.param(
        OWN_GOAL | {"startDate": "2026-01-01", "target": [{"dueDate": "2026-05-01"}]}, id="a profile's rule kept"
    ),
    pytest.param(OWN_OBSERVATION | {"valueQuantity": {"value": 3, "unit": "steps"}}, id="a pattern of a choice kept"),
    pytest.param(
        OWN_OBSERVATION
        | {
            "component": [
                {"code": {"text": "x"}, "dataAbsentReason": {"text": "y"}},
                {"code": {"text": "x"}, "valueString": "z"},
            ]
        },
        id="slices by existence",
    ),
    pytest.param(
        OWN_TEAM | {"participant": [FAMILY, {"member": {"reference": "Practitioner/2"}}, FAMILY]},
        id="slices by the type of a reference",
    ),
    pytest.param(GOAL | {"meta": {"profile": ["https://elsewhere.example/profile"]}}, id="a profile of someone else"),
    pytest.param(
        BUNDLE
        | {
            "entry": [
                {
                    "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
                    "resource": GOAL | {"subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000002"}},
                },
                {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002", "resource": PATIENT},
            ]
        },
        id="a Bundle whose references lead to its entries",
    ),
]

BROKEN = [
    # elements
    pytest.param(GOAL | {"surprise": SECRET}, "/surprise", id="an element that the type does not have"),
    pytest.param(GOAL | {"target": [{"surprise": 1}]}, "/target/0/surprise", id="an unknown element inside"),
    pytest.param(
        {k: v for k, v in GOAL.items() if k != "description"}, "/description", id="a required element missing"
    ),
    pytest.param(GOAL | {"note": [{"time": "2026-01-01"}]}, "/note/0/text", id="a required element missing inside"),
    pytest.param({"resourceType": "Duck"}, "/resourceType", id="a type of resource that there is not"),
    pytest.param({"status": "active"}, "/resourceType", id="no type of resource"),
    # cardinality
    pytest.param(GOAL | {"startDate": ["2026"]}, "/startDate", id="a list where one value belongs"),
    pytest.param(GOAL | {"description": [{"text": "x"}]}, "/description", id="a list where one object belongs"),
    pytest.param(GOAL | {"note": {"text": "x"}}, "/note", id="one object where a list belongs"),
    pytest.param(PATIENT | {"name": [{"given": "Ama"}]}, "/name/0/given", id="one text where a list belongs"),
    pytest.param(
        {
            "resourceType": "Provenance",
            "target": [],
            "recorded": "2026-01-01T00:00:00Z",
            "agent": [{"who": {"display": "x"}}],
        },
        "/target",
        id="an empty list where one is required",
    ),
    # types and formats
    pytest.param(GOAL | {"description": SECRET}, "/description", id="text where an object belongs"),
    pytest.param(GOAL | {"lifecycleStatus": {"text": "x"}}, "/lifecycleStatus", id="an object where text belongs"),
    pytest.param(PATIENT | {"active": "true"}, "/active", id="text where a boolean belongs"),
    pytest.param(PATIENT | {"active": 1}, "/active", id="a number where a boolean belongs"),
    pytest.param(PATIENT | {"birthDate": SECRET}, "/birthDate", id="no date"),
    pytest.param(PATIENT | {"birthDate": "2026-02-30"}, "/birthDate", id="a day that does not exist"),
    pytest.param(PATIENT | {"birthDate": "2025-02-29"}, "/birthDate", id="the last of February in no leap year"),
    pytest.param(PATIENT | {"birthDate": "2026-01-01T00:00:00Z"}, "/birthDate", id="a time where a date belongs"),
    pytest.param(
        PATIENT | {"deceasedDateTime": "2026-01-01T10:00:00"}, "/deceasedDateTime", id="a time without a zone"
    ),
    pytest.param(PATIENT | {"deceasedDateTime": "2026-01-01T10:00Z"}, "/deceasedDateTime", id="a time without seconds"),
    pytest.param(GOAL | {"meta": {"lastUpdated": "2026-01-01"}}, "/meta/lastUpdated", id="an instant without a time"),
    pytest.param(
        PATIENT | {"telecom": [{"system": "phone", "value": "1", "rank": 0}]},
        "/telecom/0/rank",
        id="no positive number",
    ),
    pytest.param(
        PATIENT | {"multipleBirthInteger": 2**31}, "/multipleBirthInteger", id="a number of more than 32 bits"
    ),
    pytest.param(
        PATIENT | {"multipleBirthInteger": 1.0}, "/multipleBirthInteger", id="a decimal where an integer belongs"
    ),
    pytest.param(
        OBSERVATION | {"valueQuantity": {"value": "1"}}, "/valueQuantity/value", id="text where a decimal belongs"
    ),
    pytest.param(OBSERVATION | {"valueTime": "25:00:00"}, "/valueTime", id="an hour that does not exist"),
    pytest.param(
        GOAL | {"identifier": [{"system": "a b", "value": "1"}]}, "/identifier/0/system", id="a URI with a space"
    ),
    pytest.param(GOAL | {"identifier": [{"system": "urn:uuid:1", "value": "1"}]}, "/identifier/0/system", id="no UUID"),
    pytest.param(GOAL | {"identifier": [{"system": "urn:oid:3.1", "value": "1"}]}, "/identifier/0/system", id="no OID"),
    pytest.param(GOAL | {"id": "a_b"}, "/id", id="an id with a letter that ids do not have"),
    pytest.param(GOAL | {"id": "a" * 65}, "/id", id="an id of 65 letters"),
    pytest.param(GOAL | {"language": "en_CA"}, "/language", id="a language that BCP 47 does not know"),
    pytest.param({"resourceType": "Binary", "contentType": "text/plain", "data": "a=bc"}, "/data", id="no base64"),
    pytest.param(PATIENT | {"name": [{"family": "a\x00b"}]}, "/name/0/family", id="a control character in a text"),
    # choices
    pytest.param(OBSERVATION | {"valueString": "x", "valueInteger": 1}, "", id="two types of one choice"),
    pytest.param(OBSERVATION | {"valueDuck": "x"}, "/valueDuck", id="a type that the choice does not have"),
    pytest.param(OBSERVATION | {"value": "x"}, "/value", id="a choice named without its type"),
    # beside primitives, and emptiness
    pytest.param(GOAL | {"_startDate": {}}, "/_startDate", id="nothing beside a primitive"),
    pytest.param(GOAL | {"_startDate": SECRET}, "/_startDate", id="text beside a primitive"),
    pytest.param(GOAL | {"_startDate": {"value": "2026"}}, "/_startDate/value", id="a value beside a primitive"),
    pytest.param(GOAL | {"_description": {"id": "a"}}, "/_description", id="something beside what is no primitive"),
    pytest.param(
        PATIENT | {"name": [{"given": ["Ama", None]}]}, "/name/0/given/1", id="a null in a list with nothing beside"
    ),
    pytest.param(
        PATIENT | {"name": [{"given": ["Ama"], "_given": [None, {"id": "a"}]}]},
        "/name/0/_given",
        id="more beside a list than in it",
    ),
    pytest.param(GOAL | {"startDate": None}, "/startDate", id="a null"),
    pytest.param(GOAL | {"description": {}}, "/description", id="an empty object"),
    pytest.param(GOAL | {"note": []}, "/note", id="an empty list"),
    pytest.param(GOAL | {"description": {"text": ""}}, "/description/text", id="an empty text"),
    pytest.param(GOAL | {"description": {"id": "a"}}, "/description", id="an object that has only an id"),
    # bindings
    pytest.param(GOAL | {"lifecycleStatus": "bogus"}, "/lifecycleStatus", id="a code outside a required value set"),
    pytest.param(GOAL | {"lifecycleStatus": " active"}, "/lifecycleStatus", id="a code with a space before it"),
    pytest.param(PATIENT | {"gender": "Female"}, "/gender", id="a code in another case"),
    pytest.param(
        {**GOAL, "_lifecycleStatus": {"extension": [EXTENSION]}} | {"lifecycleStatus": None},
        "/lifecycleStatus",
        id="a null for a code that is required",
    ),
    pytest.param(
        {k: v for k, v in GOAL.items() if k != "lifecycleStatus"} | {"_lifecycleStatus": {"extension": [EXTENSION]}},
        "/_lifecycleStatus",
        id="an extension in place of a required code",
    ),
    pytest.param(
        GOAL | {"category": [{"coding": [{"system": SYSTEM, "code": "bogus"}]}]},
        "/category/0/coding/0/code",
        id="a code that a whole code system does not have",
    ),
    # references
    pytest.param(
        GOAL | {"subject": {"reference": "Practitioner/1"}}, "/subject/reference", id="a wrong type of target"
    ),
    pytest.param(
        GOAL | {"subject": {"reference": "https://a.example/fhir/Task/1"}},
        "/subject/reference",
        id="a wrong type of target elsewhere",
    ),
    pytest.param(GOAL | {"subject": {"type": "Task", "display": "x"}}, "/subject/type", id="a wrong type told"),
    pytest.param(
        GOAL | {"subject": {"reference": "Patient/1", "type": "Group"}},
        "/subject/type",
        id="another type told than the reference has",
    ),
    pytest.param(
        GOAL | {"subject": {"reference": "#nobody"}}, "/subject/reference", id="a contained target that is not there"
    ),
    pytest.param(GOAL | {"subject": {"reference": "Patient/1 "}}, "/subject/reference", id="a reference with a space"),
    pytest.param(
        contained() | {"subject": {"reference": "Patient/1"}},
        "/contained/0",
        id="a contained resource nobody refers to",
    ),
    pytest.param(
        GOAL | {"contained": [PLAN | {"id": "c"}], "subject": {"reference": "#c"}},
        "/subject/reference",
        id="a contained target of a wrong type",
    ),
    # contained
    pytest.param(
        contained(contained=[{"resourceType": "Patient", "id": "q"}]),
        "/contained/0/contained",
        id="contained in contained",
    ),
    pytest.param(contained(id=None), "/contained/0/id", id="a contained resource without an id"),
    pytest.param(contained(meta={"versionId": "1"}), "/contained/0/meta", id="a contained resource with a version"),
    pytest.param(
        contained(meta={"security": [{"code": "R", "system": "https://a.example"}]}),
        "/contained/0/meta",
        id="a contained resource with a label",
    ),
    pytest.param(contained(surprise=1), "/contained/0/surprise", id="an unknown element in a contained resource"),
    pytest.param(
        contained() | {"contained": [{"resourceType": "Patient", "id": "p"}] * 2},
        "/contained/1",
        id="one id contained twice",
    ),
    # invariants
    pytest.param(
        OBSERVATION | {"effectivePeriod": {"start": "2026-02-01", "end": "2026-01-01"}},
        "/effectivePeriod",
        id="a period that ends before it starts (per-1)",
    ),
    pytest.param(
        OBSERVATION | {"valueQuantity": {"value": 1, "code": "kg"}},
        "/valueQuantity",
        id="a unit without a system (qty-3)",
    ),
    pytest.param(PATIENT | {"telecom": [{"value": "1"}]}, "/telecom/0", id="a number of no system (cpt-2)"),
    pytest.param(
        {"resourceType": "Organization", "active": True}, "", id="an organisation without name and identifier (org-1)"
    ),
    pytest.param(GOAL | {"target": [{"detailString": "x"}]}, "/target/0", id="a detail without a measure (gol-1)"),
    pytest.param(
        PLAN | {"activity": [{"detail": {"status": "unknown"}, "reference": {"reference": "Task/1"}}]},
        "/activity/0",
        id="a detail and a reference of one activity (cpl-3)",
    ),
    pytest.param(PATIENT | {"contact": [{"gender": "female"}]}, "/contact/0", id="a contact who is nobody (pat-1)"),
    pytest.param(
        OBSERVATION | {"valueString": "x", "dataAbsentReason": {"text": "y"}}, "", id="a value that is absent (obs-6)"
    ),
    pytest.param(
        GOAL | {"identifier": [{"system": "urn:ietf:rfc:3986", "value": "1"}]},
        "/identifier/0/value",
        id="an identifier that says it is a URI",
    ),
    # extensions
    pytest.param(GOAL | {"extension": [{"valueString": "x"}]}, "/extension/0/url", id="an extension without its url"),
    pytest.param(
        GOAL | {"extension": [{"url": "https://a.example/x"}]},
        "/extension/0",
        id="an extension without a value (ext-1)",
    ),
    pytest.param(
        GOAL | {"extension": [EXTENSION | {"extension": [EXTENSION]}]},
        "/extension/0",
        id="a value and extensions (ext-1)",
    ),
    pytest.param(
        GOAL | {"extension": [{"url": OWN + "nobody", "valueString": "x"}]},
        "/extension/0",
        id="an extension of ours that is not",
    ),
    pytest.param(GOAL | {"modifierExtension": [EXTENSION]}, "/modifierExtension/0", id="a modifier that nobody knows"),
    pytest.param(
        GOAL | {"extension": [{"url": HL7 + "goal-reasonRejected", "valueString": "x"}]},
        "/extension/0/valueString",
        id="an extension of FHIR with a value of another type",
    ),
    pytest.param(
        PATIENT | {"extension": [KIND]}, "/extension/0", id="an extension where its definition does not allow it"
    ),
    pytest.param(
        GOAL | {"extension": [{"url": OWN + "kind", "valueCode": "bogus"}]},
        "/extension/0/valueCode",
        id="an extension with a code outside its value set",
    ),
    pytest.param(
        GOAL | {"extension": [{"url": OWN + "urgent", "valueBoolean": True}]},
        "/extension/0",
        id="a modifier among plain extensions",
    ),
    pytest.param(
        OWN_GOAL | {"modifierExtension": [KIND]}, "/modifierExtension/0", id="a plain extension among modifiers"
    ),
    pytest.param(
        GOAL | {"extension": [{"url": OWN + "story", "extension": [{"url": "when", "valueDate": "2026"}]}]},
        "/extension/0/extension",
        id="a required part of an extension missing",
    ),
    pytest.param(
        GOAL | {"extension": [{"url": OWN + "story", "extension": [{"url": "who", "valueString": "a"}] * 2}]},
        "/extension/0/extension",
        id="a part of an extension too often",
    ),
    pytest.param(
        GOAL
        | {
            "extension": [
                {
                    "url": OWN + "story",
                    "extension": [{"url": "who", "valueString": "a"}, {"url": "why", "valueString": "b"}],
                }
            ]
        },
        "/extension/0/extension/1",
        id="a part that the extension does not have",
    ),
    # profiles
    pytest.param(OWN_GOAL | {"extension": [EXTENSION]}, "/extension", id="a required extension missing"),
    pytest.param({k: v for k, v in OWN_GOAL.items() if k != "extension"}, "/extension", id="no extension at all"),
    pytest.param({k: v for k, v in OWN_GOAL.items() if k != "category"}, "/category", id="no item of a required slice"),
    pytest.param({k: v for k, v in OWN_TEAM.items() if k != "participant"}, "/participant", id="no item of any slice"),
    pytest.param(OWN_GOAL | {"extension": [KIND, KIND]}, "/extension", id="an extension too often"),
    pytest.param(OWN_GOAL | {"category": [{"text": "x"}]}, "/category", id="a required slice missing"),
    pytest.param(OWN_GOAL | {"category": [CATEGORY, CATEGORY]}, "/category", id="a slice too often"),
    pytest.param(
        OWN_GOAL | {"identifier": [{"system": "https://a.example", "value": "1"}]},
        "/identifier/0",
        id="an item of no slice where the list is closed",
    ),
    pytest.param(
        OWN_GOAL | {"identifier": [{"system": "https://own.example/case"}]},
        "/identifier/0/value",
        id="an element missing that a slice requires",
    ),
    pytest.param(OWN_GOAL | {"description": {"text": "x"}}, "/description", id="a pattern that is not held"),
    pytest.param(OWN_GOAL | {"statusReason": {"text": "x"}}, "/statusReason", id="an element that the profile forbids"),
    pytest.param(
        OWN_GOAL | {"subject": {"reference": "Group/1"}},
        "/subject/reference",
        id="a target that the profile leaves out",
    ),
    pytest.param(OWN_GOAL | {"note": [{"text": "x"}] * 3}, "/note", id="more than the profile allows"),
    pytest.param(OWN_GOAL | {"startDate": "2026"}, "", id="a rule of the profile broken"),
    pytest.param(
        OWN_OBSERVATION | {"valueString": "x"}, "/valueString", id="a type that the profile leaves out of a choice"
    ),
    pytest.param(
        OWN_OBSERVATION | {"valueQuantity": {"value": 1}}, "/valueQuantity", id="a pattern of a choice not held"
    ),
    pytest.param(
        OWN_OBSERVATION | {"component": [{"code": {"text": "x"}, "dataAbsentReason": {"text": "y"}}] * 2},
        "/component",
        id="a slice by existence too often",
    ),
    pytest.param(
        OWN_TEAM | {"participant": [{"member": {"reference": "Practitioner/1"}}]},
        "/participant",
        id="a slice by the type of a reference missing",
    ),
    pytest.param(
        OWN_TEAM | {"participant": [FAMILY, {"member": {"reference": "Patient/1"}}]},
        "/participant/1",
        id="a reference of a type that no slice has",
    ),
    pytest.param(GOAL | {"meta": {"profile": [OWN + "nobody"]}}, "/meta", id="a profile of ours that is not"),
    pytest.param(GOAL | {"meta": {"profile": [OWN + "team"]}}, "/meta", id="a profile of another type"),
    pytest.param(
        GOAL | {"meta": {"security": [{"system": "https://a.example", "code": "x"}] * 2}},
        "/meta/security",
        id="one label twice",
    ),
    pytest.param(
        OWN_GOAL
        | {"identifier": [{"system": "https://own.example/case", "_system": {"extension": [EXTENSION]}, "value": "1"}]},
        "/identifier/0/_system",
        id="an extension beside a fixed value",
    ),
    # Bundles
    pytest.param(
        BUNDLE | {"entry": [{"fullUrl": "https://a.example/Goal/2", "resource": GOAL | {"id": "1"}}]},
        "/entry/0",
        id="an entry under the address of another",
    ),
    pytest.param(BUNDLE | {"total": 3}, "", id="a total of what is no search (bdl-1)"),
    pytest.param(
        BUNDLE | {"entry": [{"resource": GOAL | {"surprise": 1}}]},
        "/entry/0/resource/surprise",
        id="an unknown element in an entry",
    ),
    pytest.param(
        BUNDLE
        | {
            "entry": [
                {
                    "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
                    "resource": GOAL | {"subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000002"}},
                },
                {"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002", "resource": PLAN},
            ]
        },
        "/entry/0/resource/subject/reference",
        id="an entry that refers to an entry of a wrong type",
    ),
]

NARRATIVES = [
    pytest.param("a <script>alert(1)</script>", id="a script"),
    pytest.param('<p onclick="x()">a</p>', id="something that runs when it is clicked"),
    pytest.param('<a href="javascript:x()">a</a>', id="a link that runs"),
    pytest.param('<a href="java&#115;cript:x()">a</a>', id="a link that hides what it runs"),
    pytest.param('<img src="https://tracker.example/x.png"/>', id="an image from outside"),
    pytest.param('<img src="//tracker.example/x.png"/>', id="an image from outside without a scheme"),
    pytest.param('<p style="background: url(https://tracker.example)">a</p>', id="a style that loads"),
    pytest.param("<iframe>a</iframe>", id="a frame"),
    pytest.param("<form>a</form>", id="a form"),
    pytest.param("<object>a</object>", id="an object"),
    pytest.param("a<p>b", id="an element that does not end"),
    pytest.param("a</div><div>b", id="two roots"),
    pytest.param("a & b", id="an ampersand of nothing"),
    pytest.param("a &nbsp; b", id="a name that XML does not have"),
    pytest.param("a < b", id="a tag that is none"),
    pytest.param("<P>a</P>", id="capital letters"),
    pytest.param("<p title=a>b</p>", id="an attribute without quotes"),
    pytest.param("   ", id="nothing but spaces (txt-2)"),
    pytest.param("<br/>", id="nothing to see (txt-2)"),
    pytest.param("<tr><td>a</td></tr>", id="a row without a table"),
    pytest.param("<ul>a</ul>", id="text in a list"),
    pytest.param("<p><div>a</div></p>", id="a block in a paragraph"),
    pytest.param('<a href="#nowhere">a</a>', id="a link to a place that is not there"),
    pytest.param("<![CDATA[a]]>", id="a section of characters"),
    pytest.param("<?php a ?>", id="an instruction"),
]


@pytest.mark.parametrize("resource", SOUND)
def test_what_keeps_the_rules_has_no_problem(resource: Json) -> None:
    """A checker that refuses what is right stops families' plans."""
    assert checker().problems(resource) == []


@pytest.mark.parametrize(("resource", "pointer"), BROKEN)
def test_a_broken_rule_is_found_where_it_is_broken(resource: Json, pointer: str) -> None:
    """A JSON Pointer and a sentence, never a value; and the resource is not changed."""
    before = copy.deepcopy(resource)
    found = checker().problems(resource)
    assert pointer in [problem.pointer for problem in found], found
    assert SECRET not in str(found)
    assert resource == before


@pytest.mark.parametrize("text", NARRATIVES)
def test_a_narrative_is_safe_xhtml_or_refused(text: str) -> None:
    """http://hl7.org/fhir/R4/narrative.html: it is shown in browsers."""
    assert [p.pointer for p in checker().problems(div(text))] == ["/text/div"]


@pytest.mark.parametrize(
    "text",
    ["", "plain", "<div>a</div>", f"<p {XMLNS}>a</p>", f"<div {XMLNS}/>", f"<!DOCTYPE div><div {XMLNS}>a</div>",
     f"<div {XMLNS}>{'<b>' * 200}", 7],
)  # fmt: skip
def test_a_narrative_is_one_div(text: Any) -> None:
    """With XHTML's namespace, and nothing around it."""
    assert checker().problems(GOAL | {"text": {"status": "generated", "div": text}})


def test_references_are_held_against_what_is_sent_together() -> None:
    """By urn: the type of the resource, and the profile that an element asks of it."""
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    goal = GOAL | {"subject": {"reference": urn}}
    assert checker().problems(goal, among={urn: PATIENT}) == []
    assert [p.pointer for p in checker().problems(goal, among={urn: PLAN})] == ["/subject/reference"]
    team = OWN_TEAM | {"participant": [{"member": {"reference": urn}}]}
    assert checker().problems(team, among={urn: {"resourceType": "RelatedPerson", "patient": {"display": "x"}}}) == []
    assert checker().problems(team, among={urn: PATIENT})


def test_what_is_referred_to_is_the_context_of_its_extensions() -> None:
    """Also where it is asked whether it meets a profile that it does not claim."""
    subject = {"id": "CarePlan.subject", "path": "CarePlan.subject", "min": 1, "max": "1"}
    elements = [
        subject | {"type": [{"code": "Reference", "targetProfile": [OWN + "child"]}]}
        if each["id"] == subject["id"]
        else each
        for each in snapshot("CarePlan")
    ]
    child = snapshot("Patient")
    next(each for each in child if each["id"] == "Patient.name")["min"] = 1
    plan, patient = definition("plan", "CarePlan", elements), definition("child", "Patient", child)
    asked = Checker(read([*base("R4"), *own("R4"), plan, patient], own=OWN), "R4")
    needed = {"url": f"{HL7}patient-interpreterRequired", "valueBoolean": True}
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    sent = PLAN | {"meta": {"profile": [OWN + "plan"]}, "subject": {"reference": urn}}
    assert asked.problems(sent, among={urn: PATIENT | {"extension": [needed]}}) == []
    assert [p.pointer for p in asked.problems(sent, among={urn: {"resourceType": "Patient", "extension": [needed]}})]


def test_a_profile_may_be_asked_for() -> None:
    """Also where the resource does not claim it; one that is not known is a problem."""
    assert checker().problems(GOAL, profiles=[OWN + "goal"])
    assert [p.detail for p in checker().problems(GOAL, profiles=["https://a.example/p"])] == [
        "the profile that was asked for is not known here"
    ]


def test_the_releases_differ() -> None:
    """R5 renamed, removed and added elements, and its references name others."""
    goal = GOAL | {"startDate": "2026-01-01", "outcome": [{"reference": {"reference": "Observation/1"}}]}
    assert [p.pointer for p in checker("R4").problems(goal)] == ["/outcome"]
    assert checker("R5").problems(goal) == []
    assert [p.pointer for p in checker("R5").problems(GOAL | {"outcomeCode": [{"text": "x"}]})] == ["/outcomeCode"]
    wrong = {"addresses": [{"reference": "Patient/1"}]}
    assert [p.pointer for p in checker("R5").problems(GOAL | wrong)] == ["/addresses/0/reference"]


def test_what_was_checked_is_kept_by_its_content_and_what_it_refers_to() -> None:
    """The same resource beside another target is asked again; at most so many are kept."""
    urn = "urn:uuid:00000000-0000-4000-8000-000000000000"
    goal = GOAL | {"subject": {"reference": urn}}
    for _ in range(2):
        assert checker().each([("a", goal), (urn, PATIENT)]) == [(), ()]
        assert checker().each([("a", goal), (urn, PLAN)])[0] != ()


def test_an_outcome_says_it_as_fhir_does() -> None:
    """One issue for each problem, with FHIRPath and a code of FHIR; and it is itself a sound resource."""
    wrong = GOAL | {"target": [{"detailString": "x"}], "surprise": SECRET, "lifecycleStatus": "bogus"}
    told = outcome(checker().problems(wrong), "Goal")
    assert [(i["severity"], i["code"], i["expression"]) for i in told["issue"]] == [
        ("error", "code-invalid", ["Goal.lifecycleStatus"]),
        ("error", "structure", ["Goal.surprise"]),
        ("error", "invariant", ["Goal.target[0]"]),
    ]
    assert checker().problems(told) == checker().problems(outcome([], "Goal")) == []
    assert SECRET not in str(told)


def test_codes_and_expressions_of_problems() -> None:
    """Beside a primitive it is the primitive that is meant; an unknown name is not repeated beyond names."""
    [problem] = checker().problems(GOAL | {"_startDate": {}})
    assert expression(problem, "Goal") == "Goal.startDate"
    [missing] = checker().problems({k: v for k, v in GOAL.items() if k != "subject"})
    assert code(missing) == "required"
