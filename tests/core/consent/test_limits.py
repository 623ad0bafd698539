"""What a family writes on a form by hand holds what the form permits until a person has turned it into provisions."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.core.consent.captured import captured, limit_problems, limited, revoked
from adapter.core.consent.explain import alarms, explain
from adapter.core.consent.last_look import last_look
from adapter.core.consent.rules import compile_rules
from adapter.core.keeping import effective
from tests.core.consent.form_case import NOW, PARTNER, RULES, all_permitted, form_case, seen, taken, ticked, ticks

THEN = datetime(2026, 10, 5, 18, tzinfo=UTC)
BOXES = ("my-plan", "contacts-and-team", "never-documents")
PATH = "consents/default-2026-10-05-mother"
LIMIT = {"id": "limit", "effect": "deny", "to": [f"partners/{PARTNER}"], "records": ["goals/g1"]}


def kept(limits: str = "Not the goal about school", **changes: Any) -> dict[str, Any]:
    """What is kept once a form with these words on it was taken."""
    made = taken("default", ticked("default", *BOXES), changes.pop("of", None), limits=limits, **changes)
    assert made.problems == ()
    after, others = captured({}, made, ticks("default", ticked("default", *BOXES)), by="desk", now=THEN)
    assert others == ()
    return after


def test_without_limits_it_is_in_force_at_once() -> None:
    case = effective(form_case(), kept(limits="  "))
    assert "held" not in kept(limits="  ")
    assert seen(case).case["goals"]


def test_with_limits_it_permits_nothing_and_says_why() -> None:
    """And a person is alarmed."""
    case = effective(form_case(), kept())
    rules = compile_rules(case, RULES)
    assert seen(case).case == {}
    assert (PATH, "limits-held") in [(a.path, a.code) for a in alarms(rules, NOW)]
    told = explain(case, rules, PARTNER, NOW, seen(case))
    assert "wrote limits by hand" in json.dumps(told["consents"])
    goal = next(record for record in told["records"] if record["path"] == "goals/g1")
    assert goal["reasons"][0]["why"] == "held"
    assert "limits-held" in [alarm["alarm"] for alarm in told["alarms"]]


def test_the_last_look_stops_it_too() -> None:
    """The second decision shares no code with the first, and comes to the same."""
    title = form_case()["goals"][0]["title"]
    for held, stopped in ((kept(), True), (kept(limits=""), False)):
        case = effective(form_case(), held)
        payload = json.dumps({"resourceType": "Goal", "description": {"text": title}}).encode()
        found = last_look(payload, case=case, kept=held, rulebook=RULES, partner=PARTNER, now=NOW)
        assert (found is not None) == stopped


def test_its_denials_count_meanwhile() -> None:
    """Never is never, also against what another consent permits."""
    body = form_case() | {"consents": [all_permitted()]}
    assert seen(body).case["documents"]
    assert "documents" not in seen(effective(body, kept())).case


def test_what_it_supersedes_permits_nothing_any_more() -> None:
    """The family has signed that the earlier one is over: it would be the limits that kept it alive."""
    body = form_case() | {"consents": [all_permitted()]}
    held = kept(of=body, supersedes=["consents/everything"])
    assert seen(effective(body, held)).case == {}


def test_it_lifts_no_earlier_denial() -> None:
    """The limits may say the same again. Once they have been read, it lifts."""
    earlier = {
        "id": "no", "status": "active", "granted_by": "people/mother", "method": "signature",
        "signed_at": "2026-09-01", "provisions": [{"id": "n", "effect": "deny", "parts": ["goals"]}],
    }  # fmt: skip
    body = form_case() | {"consents": [all_permitted(), earlier]}
    held = kept(of=body, supersedes=["consents/no"])
    assert "goals" not in seen(effective(body, held)).case
    read = limited(held, PATH, [], by="A. Coordinator", now=NOW)
    assert "goals" in seen(effective(body, read)).case


def test_turned_into_provisions_it_counts_with_them() -> None:
    after = limited(kept(), PATH, [LIMIT], by="A. Coordinator", now=NOW)
    shown = seen(effective(form_case(), after)).case
    assert "g1" not in [goal["id"] for goal in shown["goals"]]
    assert "g3" in [goal["id"] for goal in shown["goals"]]
    assert after["held"] == {}
    note = after["limits"][PATH]
    assert (note["text"], note["by"], note["provisions"]) == ("Not the goal about school", "A. Coordinator", [LIMIT])


def test_the_same_ticks_again_change_nothing() -> None:
    """Nor once the limits have been read; other ticks under the same id are another consent."""
    again = taken("default", ticked("default", *BOXES), limits="Not the goal about school")
    other = taken("default", ticked("default", "school"), limits="Not the goal about school")
    more = taken("default", ticked("default", *BOXES), limits="Nothing at all")
    for state in (kept(), limited(kept(), PATH, [LIMIT], by="A", now=NOW)):
        assert captured(state, again, {}, by="desk", now=NOW) == (state, ())
        assert captured(state, other, {}, by="desk", now=NOW)[1] == (PATH.partition("/")[2],)
        assert captured(state, more, {}, by="desk", now=NOW)[1] == (PATH.partition("/")[2],)


def test_taken_back_its_denials_stay() -> None:
    body = form_case() | {"consents": [all_permitted()]}
    for state in (kept(), kept(limits="")):
        after = revoked(state, PATH, on="2026-11-01", by="people/mother")
        assert seen(effective(form_case(), after)).case == {}
        assert "documents" not in seen(effective(body, after)).case
        assert not after["held"]


LIMITS = [
    pytest.param([LIMIT], [], id="a denial"),
    pytest.param([], [], id="none, where the text limits nothing"),
    pytest.param("no", ["/provisions"], id="no list"),
    pytest.param([{**LIMIT, "effect": "permit"}], ["/provisions/0/effect"], id="a permit"),
    pytest.param([LIMIT, {**LIMIT, "colour": 1}], ["/provisions/0/id", "/provisions/1/colour", "/provisions/1/id"],
                 id="a field that is not known, and one id twice"),
    pytest.param([{"effect": "deny"}], ["/provisions/0/id"], id="no id"),
    pytest.param([{**LIMIT, "id": "my-plan"}], ["/provisions/0/id"], id="the id of a box"),
    pytest.param(["never"], ["/provisions/0", "/provisions/0/effect"], id="words"),
]  # fmt: skip


@pytest.mark.parametrize(("provisions", "pointers"), LIMITS)
def test_a_limit_only_takes_away(provisions: Any, pointers: list[str]) -> None:
    (consent,) = kept()["captured"]
    found = limit_problems(provisions, consent, effective(form_case(), kept()), RULES.schemas)
    assert sorted({problem.pointer for problem in found}) == pointers
