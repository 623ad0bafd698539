"""A consent that permits nothing is kept as a record, and says why: in the put's answer and on the console's pages."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest

from adapter.core.consent.explain import REASONS
from tests.journeys.leaks.instance import PARTNERS, Instance, instance
from tests.verbs.agency import case_of

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "without an end": ({"period": {"start": "2026-09-01"}}, REASONS["no-end"]),
    "without a period": ({"period": None}, REASONS["no-end"]),
    "without a signature": ({"signed_at": None}, REASONS["unsigned"]),
    "without a method": ({"method": None}, REASONS["unsigned"]),
    "signed tomorrow": ({"signed_at": "2026-11-03"}, REASONS["unsigned"]),
    "by word of mouth, collected by nobody": ({"method": "verbal"}, REASONS["unsigned"]),
    "with an unknown part": ({"parts": ["identity", "goals", "horoscope"]}, REASONS["not-computable"]),
    "with an unknown topic": ({"topics": ["sorcery"]}, REASONS["not-computable"]),
    "with an unknown purpose": ({"purposes": ["marketing"]}, REASONS["not-computable"]),
    "to an unknown receiver": ({"to": ["everybody"]}, REASONS["not-computable"]),
    "by someone without authority": ({"granted_by": "people/aunt", "authority": None}, REASONS["no-authority"]),
    "by a child too young": ({"granted_by": "child", "authority": "self"}, REASONS["no-capacity"]),
}
"""What is wrong with the one consent → the sentence that says so."""


def bad_case(number: str, wrong: dict[str, Any]) -> Any:
    """The small case, whose consent permits much, with this in place of what was right; None takes a field away."""
    case = case_of()
    case["case"] = number
    case["people"].append({"id": "aunt", "name": {"given": ["Quillaine"]}, "relationship": "other"})
    (consent, *_) = case["consents"] = copy.deepcopy(case["consents"][:1])
    for name, value in wrong.items():
        holders = (
            [consent]
            if name in ("period", "signed_at", "method", "granted_by", "authority", "status")
            else consent["provisions"]
        )
        for holder in holders:
            holder[name] = value
            if value is None:
                del holder[name]
    return case


@pytest.fixture(scope="module")
def i(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with instance(tmp_path_factory.mktemp("bad") / "agency", deep=False) as opened:
        yield opened


@pytest.mark.parametrize(("wrong", "why"), BAD.values(), ids=BAD)
def test_a_consent_that_permits_nothing_is_kept_and_says_why(i: Instance, wrong: dict[str, Any], why: str) -> None:
    number = f"C-{list(BAD.values()).index((wrong, why))}"
    case = bad_case(number, wrong)
    asked = {partner: len(i.seen(partner)) for partner in PARTNERS}
    told = json.loads(i.put(case).data)
    said = [w["detail"] for w in told["warnings"] if w["pointer"] == "/consents/0"]
    assert f"This consent permits nothing now. {why}" in said
    assert json.loads(i.ask("source", "GET", f"/api/cases/{number}").data) == case
    i.work()
    assert {partner: len(i.seen(partner)) for partner in PARTNERS} == asked
    explained = i.ask("coordinator", "GET", f"/api/cases/{number}/views/lakeside?as=explain").json
    assert {record["outcome"] for record in explained["records"]} == {"withheld"}
    for role in ("coordinator", "privacy", "admin"):
        assert _row(i.page(role, "/waiting").text, number, why)
    assert i.page("engineer", "/waiting").status_code == 403
    for word in ("horoscope", "sorcery", "marketing", "everybody", "Quillaine"):
        assert word not in json.dumps(told)


def _row(page: str, number: str, why: str) -> bool:
    rows = re.findall(r"<tr>.*?</tr>", unescape(page), re.S)
    return any(f">{number}<" in row and "consents/c1" in row and why in row for row in rows)


def test_a_good_consent_says_nothing(i: Instance) -> None:
    case = bad_case("C-GOOD", {})
    told = json.loads(i.put(case).data)
    assert [w for w in told["warnings"] if w["pointer"].startswith("/consents")] == []
    i.work()
    assert i.share("C-GOOD", "lakeside").outcome == "delivered"
    assert not _row(i.page("coordinator", "/waiting").text, "C-GOOD", "")
