"""Consent forms on the API: what they say, what ticks would change, and consents that no put of the agency removes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error

CASE = json.loads((ROOT / "fixtures" / "ontario-csp" / "case.json").read_text("utf-8"))
BARE = {**CASE, "consents": [{**consent, "status": "draft"} for consent in CASE["consents"]]}
NUMBER = CASE["case"]
AT = f"/api/cases/{NUMBER}"
ID = "default-2026-09-01-mother"
TICKS: dict[str, Any] = {
    "form": "default",
    "version": "2026-1",
    "to": ["lakeside"],
    "boxes": {"my-plan": True, "mental-health": "CG", "never-documents": True},
    "period": {"start": "2026-09-01", "end": "2031-08-31"},
    "signed": [{"by": "people/mother", "at": "2026-09-01", "method": "signature"}],
}


@pytest.fixture
def bare(web: Web) -> Web:
    """The case without any consent: nothing is shared."""
    assert web.ask("source", "PUT", AT, BARE).status_code == 202
    return web


def seen(web: Web, partner: str = "lakeside") -> Any:
    return web.ask("coordinator", "GET", f"{AT}/views/{partner}").json


def test_the_forms_are_there_whole(shared_web: Web) -> None:
    """With every word in both languages, for whoever shows them."""
    listed = shared_web.ask("coordinator", "GET", "/api/forms").json
    assert [each["form"] for each in listed] == ["default", "reports"]
    whole = shared_web.ask("coordinator", "GET", "/api/forms/default").json
    boxes = [box for section in whole["sections"] for box in section["boxes"]]
    assert {"id", "en", "fr", "initials"} <= set(boxes[0])
    assert boxes[0]["gives"][0]["to"] == ["chosen"]
    assert_error(shared_web.ask("coordinator", "GET", "/api/forms/nothing"), 404)


def test_what_was_ticked_is_shared_and_due(bare: Web) -> None:
    assert seen(bare) == {}
    answer = bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS)
    assert answer.status_code == 202
    assert (answer.json["consents"], answer.json["changed"], answer.json["held"]) == ([ID], True, [])
    assert "lakeside" in answer.json["due"]
    assert answer.json["warnings"] == []
    assert answer.headers["ETag"] == f'W/"{answer.json["version"]}"'
    assert seen(bare)["goals"]
    assert seen(bare, "riverside") == {}
    shares = bare.ask("coordinator", "GET", f"{AT}/shares").json
    assert all(share["state"] == "due" for share in shares)


def test_no_put_of_the_agency_removes_it(bare: Web) -> None:
    """Neither the same case again, nor one with a consent of the same id, nor a deletion and a new beginning."""
    bare.ask("privacy", "POST", f"{AT}/consents/capture", TICKS)
    before = seen(bare)["goals"]
    usurper = {"id": ID, "status": "revoked", "granted_by": "people/mother", "provisions": []}
    for body in (BARE, {**BARE, "consents": [*BARE["consents"], usurper]}):
        assert bare.ask("source", "PUT", AT, body).status_code == 202
        assert seen(bare)["goals"] == before
    bare.ask("source", "DELETE", AT)
    bare.ask("source", "PUT", AT, BARE)
    assert seen(bare)["goals"] == before


def test_the_same_ticks_twice_are_one_consent(bare: Web) -> None:
    first = bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS).json
    again = bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS).json
    assert (again["version"], again["changed"], again["due"]) == (first["version"], False, [])
    other = TICKS | {"boxes": {"school": True}}
    assert_error(bare.ask("coordinator", "POST", f"{AT}/consents/capture", other), 409)


def test_wrong_ticks_are_refused_with_every_problem(bare: Web) -> None:
    wrong = TICKS | {"boxes": {"pets": True, "hiv": True}, "signed": [], "period": {}}
    answer = bare.ask("coordinator", "POST", f"{AT}/consents/capture", wrong)
    assert_error(answer, 422)
    assert {"/boxes/pets", "/boxes/hiv", "/signed", "/period/end"} <= {e["pointer"] for e in answer.json["errors"]}
    assert_error(bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS | {"form": "nothing"}), 422)
    assert_error(bare.ask("coordinator", "POST", f"{AT}/consents/capture", []), 400)
    assert_error(bare.ask("coordinator", "POST", "/api/cases/none/consents/capture", TICKS), 404)
    assert seen(bare) == {}


def test_one_who_may_not_consent_is_told_so(bare: Web) -> None:
    """It is kept, permits nothing, and the answer says why."""
    signed = [{"by": "child", "at": "2026-09-01", "method": "signature"}]
    answer = bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS | {"signed": signed}).json
    assert any("permits nothing now" in warning["detail"] for warning in answer["warnings"])
    assert seen(bare) == {}


def test_handwritten_limits_hold_it_until_they_are_provisions(bare: Web) -> None:
    answer = bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS | {"limits": "Not goal one"}).json
    assert answer["held"] == [ID]
    assert any("limits by hand" in warning["detail"] for warning in answer["warnings"])
    assert seen(bare) == {}
    alarms = bare.ask("coordinator", "GET", "/api/alarms").json
    assert "limits-held" in json.dumps(alarms)
    limit = {"id": "l1", "effect": "deny", "records": [f"goals/{CASE['goals'][0]['id']}"]}
    for wrong in ({"provisions": [limit]}, {"provisions": [limit | {"effect": "permit"}], "by": "A. Coordinator"}, []):
        refused = bare.ask("coordinator", "POST", f"{AT}/consents/{ID}/limits", wrong)
        assert_error(refused, 400 if wrong == [] else 422)
    said = {"provisions": [limit], "by": "A. Coordinator"}
    put = bare.ask("coordinator", "POST", f"{AT}/consents/{ID}/limits", said)
    assert (put.status_code, put.json["held"]) == (202, [])
    goals = [goal["id"] for goal in seen(bare)["goals"]]
    assert goals
    assert CASE["goals"][0]["id"] not in goals
    assert_error(bare.ask("coordinator", "POST", f"{AT}/consents/{ID}/limits", said), 404)


def test_the_family_takes_it_back(bare: Web) -> None:
    bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS)
    for wrong in ({}, {"by": "people/nobody"}, {"by": "people/mother", "on": "soon"}, {"by": "child", "why": "x"}):
        assert_error(bare.ask("coordinator", "POST", f"{AT}/consents/{ID}/revoke", wrong), 422)
    answer = bare.ask("coordinator", "POST", f"{AT}/consents/{ID}/revoke", {"by": "people/mother"})
    assert answer.status_code == 202
    assert "lakeside" in answer.json["due"]
    assert seen(bare) == {}
    assert_error(bare.ask("coordinator", "POST", f"{AT}/consents/other/revoke", {"by": "people/mother"}), 404)


def test_what_was_entered_in_error_says_nothing_any_more(bare: Web) -> None:
    """By the privacy role, with a reason; whoever keeps the consent, and whatever is put afterwards (rule 7)."""
    bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS)
    no = {"id": "no", "status": "active", "granted_by": "people/mother",
          "provisions": [{"id": "d1", "effect": "deny", "parts": ["goals"]}]}  # fmt: skip
    denying = {**BARE, "consents": [*BARE["consents"], no]}
    assert bare.ask("source", "PUT", AT, denying).status_code == 202
    assert "goals" not in seen(bare)
    cancel = f"{AT}/consents/no/entered-in-error"
    assert_error(bare.ask("coordinator", "POST", cancel, {"reason": "Of another child"}), 403)
    for wrong in ({}, {"reason": " "}, {"reason": 3}, {"reason": "x", "by": "me"}):
        assert_error(bare.ask("privacy", "POST", cancel, wrong), 422)
    answer = bare.ask("privacy", "POST", cancel, {"reason": "Of another child"})
    assert (answer.status_code, answer.json["consents"], answer.json["left"]) == (202, ["no"], [])
    assert "lakeside" in answer.json["due"]
    assert seen(bare)["goals"]
    bare.ask("source", "PUT", AT, denying)
    assert seen(bare)["goals"]
    # Another denial under the same id is no error that anybody told: it counts; what it would permit does not.
    other = {**no, "provisions": [{"id": "d2", "effect": "deny", "parts": ["goals", "needs"]}]}
    assert bare.ask("source", "PUT", AT, {**BARE, "consents": [*BARE["consents"], other]}).status_code == 202
    assert "goals" not in seen(bare)
    assert bare.ask("source", "PUT", AT, denying).status_code == 202
    assert seen(bare)["goals"]
    assert bare.ask("privacy", "POST", f"{AT}/consents/{ID}/entered-in-error", {"reason": "x"}).status_code == 202
    assert seen(bare) == {}
    assert_error(bare.ask("privacy", "POST", f"{AT}/consents/other/entered-in-error", {"reason": "x"}), 404)


def test_what_if_tells_for_each_partner_what_would_change(bare: Web) -> None:
    """And saves nothing. Nobody needs to have signed for it."""
    unsigned = {name: value for name, value in TICKS.items() if name != "signed"}
    told = bare.ask("coordinator", "POST", f"{AT}/what-if", {"ticks": unsigned}).json
    assert told["assumed"] == ["/ticks/signed"]
    assert {each["partner"] for each in told["partners"]} >= {"lakeside", "riverside"}
    by = {each["partner"]: each for each in told["partners"]}
    assert by["riverside"]["sentences"] == ["Nothing changes for Riverside Children's Hospital."]
    added = [each["path"] for each in by["lakeside"]["added"]]
    assert "child" in added
    assert by["lakeside"]["counts"]["added"] == len(added) == by["lakeside"]["counts"]["then"]
    assert by["lakeside"]["sentences"][0].startswith("Lakeside District School Board would newly see: ")
    assert seen(bare) == {}
    bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS)
    now = bare.ask("coordinator", "POST", f"{AT}/what-if", {"ticks": TICKS, "partner": "lakeside"}).json
    assert [each["partner"] for each in now["partners"]] == ["lakeside"]
    assert now["partners"][0]["counts"]["then"] == len(added)
    assert now["partners"][0]["added"] == now["partners"][0]["removed"] == []


def test_what_if_tells_what_a_narrower_consent_takes_away(bare: Web) -> None:
    """As a record too: with why, in the family's language."""
    bare.ask("coordinator", "POST", f"{AT}/consents/capture", TICKS)
    no = {
        "id": "no", "status": "active", "granted_by": "people/mother", "method": "signature", "signed_at": "2026-10-01",
        "provisions": [{"id": "n", "effect": "deny", "to": "all", "parts": ["goals"]}],
    }  # fmt: skip
    asked = {"consent": no, "partner": "lakeside", "language": "fr"}
    (told,) = bare.ask("coordinator", "POST", f"{AT}/what-if", asked).json["partners"]
    removed = {each["path"]: each for each in told["removed"]}
    goal = f"goals/{seen(bare)['goals'][0]['id']}"
    assert removed[goal]["why"] == "denied"
    assert told["counts"]["removed"] == len(removed)
    assert "Objectifs" in told["sentences"][0]
    assert seen(bare)["goals"]


WHAT_IF = [
    pytest.param({}, 400, id="nothing"),
    pytest.param({"consent": {}, "ticks": {}}, 400, id="both"),
    pytest.param({"ticks": 3}, 422, id="ticks that are none"),
    pytest.param({"ticks": {"form": "nothing"}}, 422, id="of no form"),
    pytest.param({"consent": {"id": "x"}}, 422, id="a consent that is not whole"),
    pytest.param({"consent": 3}, 422, id="a consent that is none"),
    pytest.param({"ticks": TICKS, "partner": "nobody"}, 422, id="of no partner"),
    pytest.param({"ticks": TICKS, "language": "la"}, 422, id="in no language"),
    pytest.param({"ticks": TICKS, "colour": 1}, 422, id="a field that is not known"),
]


@pytest.mark.parametrize(("asked", "status"), WHAT_IF)
def test_what_cannot_be_asked(bare: Web, asked: Any, status: int) -> None:
    assert_error(bare.ask("coordinator", "POST", f"{AT}/what-if", asked), status)
    assert_error(bare.ask("coordinator", "POST", "/api/cases/none/what-if", {"ticks": TICKS}), 404)
