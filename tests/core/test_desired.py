"""What a partner should hold, step by step: given, unchanged, narrowed, taken back, frozen, given again."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter import wiring
from adapter.core import strict_json
from adapter.core.desired import Bench, Subject, plan
from adapter.core.diff import Adopt, Change, Create, Delete, Freeze, Holding, Release, Update, without_traffic
from adapter.core.fhir.results import Result, holding
from adapter.core.residue import PURGE

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
LATER = datetime(2029, 1, 1, tzinfo=UTC)
FIXTURES = Path(__file__).parents[2] / "fixtures"


@cache
def _bench() -> Bench:
    return wiring.wire_without_instance().bench


@cache
def _file(name: str) -> Any:
    return strict_json.parse((FIXTURES / name / "case.json").read_bytes())


def _case(name: str) -> Any:
    return copy.deepcopy(_file(name))


class Copy:
    """One partner's copy, kept by the holdings alone, as the store keeps it."""

    def __init__(self, partner: str = "lakeside", **settings: Any) -> None:
        bench = _bench()
        whom = replace(bench.rulebook.partners[partner], **settings)
        rulebook = replace(bench.rulebook, partners={**bench.rulebook.partners, partner: whom})
        self.bench = replace(bench, rulebook=rulebook)
        self.partner = partner
        self.held: dict[str, Holding] = {}
        self.content: dict[str, Any] = {}
        self.equal_at: datetime | None = None

    def reconcile(self, case: Any, now: datetime = NOW, number: str = "") -> Counter[str]:
        """Plan, and let the partner take all of it; which changes there were, by kind."""
        subject = Subject(number or case["case"], case, {})
        needed = plan(
            self.bench, subject, self.partner, now, list(self.held.values()),
            directory={}, kept_elsewhere=(), equal_at=self.equal_at,
        ).changes  # fmt: skip
        self._take(needed)
        self.equal_at = now
        return Counter(type(change).__name__ for change in needed)

    def _take(self, needed: Sequence[Change]) -> None:
        for change in needed:
            match change:
                case Create(made) | Update(made):
                    taken = holding(Result(change, "delivered", id=f"id-{made.identifier[1][:8]}", version="1"))
                    assert taken is not None
                    self.held[made.urn], self.content[made.urn] = taken, made.resource
                case Delete(held):
                    taken = holding(Result(change, "delivered"))
                    assert taken is not None
                    self.held[held.urn] = taken
                    del self.content[held.urn]
                case Release(held):
                    del self.held[held.urn]
                case Adopt() | Freeze():
                    kept = without_traffic(change)
                    assert kept is not None
                    self.held[kept.urn] = kept

    def of_type(self, type_: str) -> list[Any]:
        return [c for c in self.content.values() if c["resourceType"] == type_]


def _revoke_all(case: Any) -> Any:
    for consent in case["consents"]:
        if consent["status"] == "active":
            consent["status"] = "revoked"
    return case


def test_a_first_time_creates_everything_and_a_second_time_does_nothing() -> None:
    """A pair whose desired state has not changed causes no traffic at all (design.md, *Level, not edge*)."""
    copy_ = Copy()
    first = copy_.reconcile(_case("ontario-csp"))
    assert set(first) == {"Create"}
    assert first["Create"] == 64
    assert copy_.reconcile(_case("ontario-csp")) == Counter()


def test_a_withheld_save_is_no_traffic() -> None:
    """A change of what the partner may not see changes nothing there, not even a version."""
    copy_, case = Copy(), _case("ontario-csp")
    copy_.reconcile(case)
    for collection, record in (("goals", "g-feelings"), ("documents", "d-psych"), ("assessments", "a-psych")):
        found = next(r for r in case[collection] if r["id"] == record)
        for field, value in found.items():
            if isinstance(value, str) and field in ("title", "text", "result", "instrument"):
                found[field] = "Something else altogether"
    assert case != _file("ontario-csp")
    assert copy_.reconcile(case) == Counter()


def test_a_revoked_consent_takes_everything_back_and_asks_to_purge() -> None:
    """What is left: the inactive Consent, which says nothing, and one Task that names what was taken by identifier."""
    copy_ = Copy()
    copy_.reconcile(_case("minimal"))
    goal = copy_.of_type("Goal")[0]
    done = copy_.reconcile(_revoke_all(_case("minimal")))
    assert done == Counter(Delete=2, Update=1, Create=1)
    (consent,), (task,) = copy_.of_type("Consent"), copy_.of_type("Task")
    assert len(copy_.content) == 2
    assert consent["status"] == "inactive"
    assert not {"provision", "performer", "dateTime", "organization", "text"} & consent.keys()
    assert "reference" not in consent["patient"]
    assert "reference" not in task["for"]
    named = {(i["valueReference"]["type"], i["valueReference"]["identifier"]["value"]) for i in task["input"]}
    assert ("Goal", goal["identifier"][0]["value"]) in named
    assert len(named) == 2
    assert copy_.reconcile(_revoke_all(_case("minimal"))) == Counter()


def test_what_is_given_again_comes_back_and_is_not_to_be_purged_any_more() -> None:
    """The same resources under the same names; the request to purge is cancelled."""
    copy_ = Copy()
    copy_.reconcile(_case("minimal"))
    before = dict(copy_.content)
    copy_.reconcile(_revoke_all(_case("minimal")))
    copy_.reconcile(_case("minimal"))
    (task,) = copy_.of_type("Task")
    assert task["status"] == "cancelled"
    assert "input" not in task
    assert {urn: c for urn, c in copy_.content.items() if c is not task} == before
    assert copy_.reconcile(_case("minimal")) == Counter()


def test_a_narrowed_permit_takes_back_what_it_no_longer_names() -> None:
    """Only the goals go; the plan that listed them is written again without them."""
    copy_, case = Copy(), _case("ontario-csp")
    copy_.reconcile(case)
    goals = {g["description"]["text"] for g in copy_.of_type("Goal")}
    for consent in case["consents"]:
        for provision in consent["provisions"]:
            if provision["effect"] == "permit" and isinstance(provision.get("parts"), list):
                provision["parts"] = [p for p in provision["parts"] if p != "goals"] or ["identity"]
    done = copy_.reconcile(case)
    assert copy_.of_type("Goal") == []
    assert done["Delete"] >= len(goals) == 5
    assert not any("goal" in plan_ for plan_ in copy_.of_type("CarePlan"))
    assert copy_.reconcile(case) == Counter()


def test_a_consent_that_ran_out_freezes_what_was_lawfully_given() -> None:
    """By default nothing is updated or taken back; the partner's Consent is inactive, and nobody is asked to purge."""
    copy_ = Copy()
    copy_.reconcile(_case("minimal"))
    done = copy_.reconcile(_case("minimal"), LATER)
    assert done == Counter(Freeze=2, Update=1)
    assert [c["status"] for c in copy_.of_type("Consent")] == ["inactive"]
    assert copy_.of_type("Task") == []
    assert len(copy_.of_type("Goal")) == 1
    changed = _case("minimal")
    changed["goals"][0]["title"] = "Another title"
    assert copy_.reconcile(changed, LATER) == Counter()


def test_a_consent_that_ran_out_is_taken_back_where_the_partner_file_says_so() -> None:
    copy_ = Copy(after_end="withdraw")
    copy_.reconcile(_case("minimal"))
    assert copy_.reconcile(_case("minimal"), LATER) == Counter(Delete=2, Update=1, Create=1)


def test_revoked_after_it_ran_out_is_taken_back() -> None:
    """Frozen is for a date that passed; somebody's word takes back also what was frozen."""
    copy_ = Copy()
    copy_.reconcile(_case("minimal"))
    copy_.reconcile(_case("minimal"), LATER)
    done = copy_.reconcile(_revoke_all(_case("minimal")), LATER)
    assert done["Delete"] == 2
    assert copy_.of_type("Goal") == []


def test_a_renewed_consent_thaws_what_was_frozen() -> None:
    copy_, case = Copy(), _case("minimal")
    copy_.reconcile(case)
    copy_.reconcile(case, LATER)
    case["consents"].append({**copy.deepcopy(case["consents"][0]), "id": "c-next"})
    case["consents"][1] |= {"signed_at": "2028-12-01", "period": {"start": "2028-12-01", "end": "2029-12-01"}}
    done = copy_.reconcile(case, LATER)
    assert set(done) <= {"Adopt", "Update"}
    assert all(h.state == "active" for h in copy_.held.values())
    assert [c["status"] for c in copy_.of_type("Consent")] == ["active"]


def test_what_was_renewed_and_then_narrowed_is_taken_back_though_the_first_consent_ran_out() -> None:
    """What the partner was to hold after that date has not gone by it."""
    copy_, case = Copy(), _case("minimal")
    case["consents"].append({**copy.deepcopy(case["consents"][0]), "id": "c-next"})
    case["consents"][1] |= {"period": {"start": case["consents"][0]["signed_at"], "end": "2029-12-01"}}
    copy_.reconcile(case)
    copy_.reconcile(case, LATER)
    assert copy_.of_type("Goal")
    for provision in case["consents"][1]["provisions"]:
        provision["parts"] = ["identity"]
        provision.pop("records", None)
    copy_.reconcile(case, LATER)
    assert copy_.of_type("Goal") == []
    assert copy_.of_type("Patient")


def test_a_deleted_case_is_taken_back() -> None:
    copy_ = Copy()
    copy_.reconcile(_case("minimal"))
    done = copy_.reconcile({}, number=_file("minimal")["case"])
    assert done == Counter(Delete=2, Update=1, Create=1)


def test_where_a_server_refuses_to_delete_what_is_taken_back_is_emptied() -> None:
    """Stubs: a status that is true, an identifier, the Patient by identifier; nothing else of the case."""
    copy_ = Copy("riverside", withdrawal="stub")
    copy_.reconcile(_case("ontario-csp"))
    texts = [g["description"]["text"] for g in copy_.of_type("Goal")]
    done = copy_.reconcile(_revoke_all(_case("ontario-csp")))
    assert {g["lifecycleStatus"] for g in copy_.of_type("Goal")} == {"cancelled"}
    assert {p["status"] for p in copy_.of_type("CarePlan")} == {"revoked"}
    whole = str(copy_.content)
    assert len(texts) == 9
    assert not [text for text in texts if text in whole]
    assert all("reference" not in str(c) for c in copy_.content.values() if c["resourceType"] == "Goal")
    kinds = Counter(h.type for h in copy_.held.values() if h.state == "withdrawn")
    assert set(kinds) <= {"Organization", "Practitioner", "PractitionerRole"}
    assert done["Update"] > 40
    assert copy_.reconcile(_revoke_all(_case("ontario-csp"))) == Counter()


@pytest.mark.parametrize("partner", ["lakeside", "riverside", "northstar", "harbour-cas"])
def test_every_reference_leads_to_what_the_partner_holds(partner: str) -> None:
    copy_ = Copy(partner)
    copy_.reconcile(_case("ontario-csp"))
    held = set(copy_.held)
    for resource in copy_.content.values():
        assert _targets(resource) <= held


@pytest.mark.parametrize("withdrawal", ["delete", "stub"])
def test_a_planned_contact_that_took_place_is_replaced_and_nobody_is_asked_to_purge(withdrawal: str) -> None:
    """Its Appointment goes and its Encounter comes: no permission has ended. Where one ends, both are to be purged."""
    copy_, case = Copy(withdrawal=withdrawal), _case("ontario-csp")
    contact = next(c for c in case["contacts"] if c["id"] == "k-review")
    assert contact["status"] == "planned"
    copy_.reconcile(case)
    (planned,) = copy_.of_type("Appointment")
    contact |= {"status": "held"}
    before = len(copy_.of_type("Encounter"))
    copy_.reconcile(case)
    assert len(copy_.of_type("Encounter")) == before + 1
    left = [a["status"] for a in copy_.of_type("Appointment")]
    assert left == ([] if withdrawal == "delete" else ["cancelled"])
    assert copy_.of_type("Task") == [t for t in copy_.of_type("Task") if "Purge" not in str(t["code"])]
    copy_.reconcile(_revoke_all(case))
    (task,) = [t for t in copy_.of_type("Task") if "Purge" in str(t.get("code"))]
    named = {i["valueReference"]["identifier"]["value"] for i in task["input"]}
    assert planned["identifier"][0]["value"] in named


def test_the_request_to_purge_is_no_record_of_the_case() -> None:
    assert PURGE not in _file("ontario-csp")


def _targets(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["reference"]} if isinstance(value.get("reference"), str) else set()
        return own.union(*map(_targets, value.values())) if value else own
    return set().union(*map(_targets, value)) if isinstance(value, list) else set()
