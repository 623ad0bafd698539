"""What partners' Consents deny and revoke counts at once where the child is known, and waits where it is not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapter import inbox as verb
from adapter import receive, serve, show
from adapter.arrived import gathering, settle_all, settling
from adapter.core.desired import Subject, desire
from adapter.core.fhir.transaction import ALONE, Step
from adapter.inbox import deciding
from adapter.store import inbox as rows
from adapter.store import resources
from tests.inbox.conftest import GOAL, PATIENT, Inbox
from tests.inbox.test_deciding import case_file, proposals, say
from tests.inbox.test_items import items, the_item
from tests.verbs.agency import case_of
from tests.verbs.test_directory import another

NUMBER = "C-0001"
SCOPE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
CATEGORY = [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}]


def consent(type_: str = "deny", **fields: Any) -> dict[str, Any]:
    """A Consent that permits, or denies, everything to everybody."""
    return {
        "resourceType": "Consent", "id": "k1", "status": "active", "scope": SCOPE, "category": CATEGORY,
        "patient": {"reference": "Patient/p1"}, "dateTime": "2026-11-20", "policy": [{"uri": "https://x.example/policy"}],
        "provision": {"type": type_}, **fields,
    }  # fmt: skip


def shown(inbox: Inbox) -> list[str]:
    """What lakeside would be sent of the case now."""
    stored = inbox.agency.stored(NUMBER)
    subject = Subject.of(NUMBER, stored.body, stored.kept)
    made = desire(inbox.desk.bench, subject, "lakeside", inbox.agency.clock.now).made
    return sorted(each.type for each in made if each.type in ("Goal", "Patient"))


def known(inbox: Inbox, *resources: Any) -> str:
    """The item of a child that is matched to the small case, of which lakeside may see a goal."""
    inbox.agency.put(case_of("minimal"))
    inbox.put(PATIENT)
    item = str(items(inbox)[0]["id"])
    say(inbox, verb.match, item, {"case": NUMBER})
    assert shown(inbox) == ["Goal", "Patient"]
    inbox.put(*resources)
    return item


def due(inbox: Inbox) -> set[str]:
    return {each["partner"] for each in show.shares_of(inbox.desk, NUMBER) if each["state"] == "due"}


def test_a_denial_counts_as_soon_as_anybody_looks(inbox: Inbox) -> None:
    known(inbox, consent())
    settle_all(inbox.desk)
    assert shown(inbox) == []
    assert "lakeside" in due(inbox)
    alarms = {(each["path"].split("/")[0], each["alarm"]) for each in show.alarms(inbox.desk, NUMBER)["alarms"]}
    assert ("consents", "deny-without-authority") in alarms
    assert len(case_file(inbox, NUMBER)["consents"]) == 1, "it stands beside the case file, not in it"


def test_a_partner_that_reads_is_served_nothing_that_was_denied_before(inbox: Inbox) -> None:
    known(inbox, consent())
    whom = inbox.desk.catalogue.partners["northstar"]
    inbox.configure(replace(whom, reads=True))
    serve.shelf(inbox.desk, "northstar")
    assert shown(inbox) == []


def test_a_fault_of_ours_in_one_item_closes_its_case_alone(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether what was written denies anything is not known: nothing of that case is read, and the others are."""
    inbox.configure(replace(inbox.desk.catalogue.partners["lakeside"], reads=True))
    known(inbox)
    other = another(case_of("minimal"), "C-2")
    inbox.agency.put(other)

    def read() -> int:
        world = serve.shelf(inbox.desk, "lakeside")
        with inbox.desk.store.reading() as tx:
            return resources.count(tx, world, "Goal")

    assert read() == 2

    def breaks(*_: Any) -> Any:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patch:
        patch.setattr(settling, "look", breaks)
        inbox.put(GOAL)
        assert read() == 1
        assert read() == 1
    assert read() == 2


def test_a_permit_of_a_partner_permits_nothing(inbox: Inbox) -> None:
    known(inbox, consent("permit", policyRule={"coding": [{"code": "OPTIN"}]}))
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]


def test_a_denial_waits_until_it_is_known_whose_it_is_and_the_item_says_so(inbox: Inbox) -> None:
    inbox.agency.put(case_of("minimal"))
    inbox.put(PATIENT, consent())
    found = the_item(inbox)
    assert [(each["denies"], each["counts"]) for each in found["consents"]] == [(True, False)]
    assert shown(inbox) == ["Goal", "Patient"]
    say(inbox, verb.match, found["id"], {"case": NUMBER})
    assert shown(inbox) == []
    assert [(each["denies"], each["counts"]) for each in the_item(inbox)["consents"]] == [(True, True)]


def test_a_match_that_is_undone_takes_its_denials_with_it(inbox: Inbox) -> None:
    item = known(inbox, consent())
    settle_all(inbox.desk)
    say(inbox, verb.match, item, {"case": None})
    assert shown(inbox) == ["Goal", "Patient"]
    assert "imported" not in inbox.agency.stored(NUMBER).kept


def test_what_the_partner_no_longer_denies_stays_denied_until_a_person_says_otherwise(inbox: Inbox) -> None:
    """An imported consent lifts nothing: changed, called an error, revoked, or gone."""
    item = known(inbox, consent())
    settle_all(inbox.desk)
    for change in (
        consent("permit", policyRule={"coding": [{"code": "OPTIN"}]}),
        consent(status="entered-in-error"),
        consent(status="inactive"),
    ):
        inbox.put(change)
        settle_all(inbox.desk)
        assert shown(inbox) == []
    inbox.delete("Consent/k1")
    settle_all(inbox.desk)
    assert shown(inbox) == []
    say(inbox, verb.dismiss, item, {"all": True, "reason": "it is gone there"})
    assert shown(inbox) == [], "dismissing lifts no denial either"


def test_a_privacy_officer_can_call_it_an_error(inbox: Inbox) -> None:
    from adapter import consenting

    known(inbox, consent())
    settle_all(inbox.desk)
    (id_,) = inbox.agency.stored(NUMBER).kept["imported"]
    consenting.cancel(inbox.desk, NUMBER, id_, b'{"reason": "of another child"}', by="Ruth")
    assert shown(inbox) == ["Goal", "Patient"]
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"modifierExtension": [{"url": "https://x.example/m", "valueBoolean": True}]}, id="modified"),
        pytest.param({"implicitRules": "https://x.example/rules"}, id="implicit rules"),
        pytest.param(
            {"provision": {"type": "permit", "provision": [{"type": "permit", "provision": [{"type": "deny"}]}]}},
            id="too deep",
        ),
        pytest.param({"provision": {"type": "deny", "actor": [
            {"role": {"text": "x"}, "reference": {"reference": "https://elsewhere.example/fhir/Organization/9"}}]}},
            id="an actor that nobody knows"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_fails_closed(inbox: Inbox, broken: dict[str, Any]) -> None:
    known(inbox, consent("permit", **broken) if "provision" not in broken else consent(**broken))
    settle_all(inbox.desk)
    assert shown(inbox) == []


def test_a_consent_that_is_not_about_sharing_denies_nothing(inbox: Inbox) -> None:
    scope = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}
    known(inbox, consent(scope=scope))
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]


def test_an_adopted_consent_is_revoked_when_the_partner_revokes_it(inbox: Inbox) -> None:
    """Adopted, completed by a person, permitting; then revoked over there: what it permitted ends at once."""
    lakeside = inbox.desk.catalogue.partners["lakeside"].identifiers[0]
    permits = consent(
        "permit",
        policyRule={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
        performer=[{"reference": "RelatedPerson/m1"}],
        dateTime="2026-11-01",
    )
    permits["provision"] |= {
        "period": {"start": "2026-11-01", "end": "2027-10-31"},
        "actor": [{"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                        "code": "IRCP"}]},
                   "reference": {"identifier": {"system": lakeside[0], "value": lakeside[1]}}}],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
    }  # fmt: skip
    mother = {"resourceType": "RelatedPerson", "id": "m1", "patient": {"reference": "Patient/p1"},
              "name": [{"family": "Exemple"}], "relationship": [{"coding": [
                  {"system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]}]}  # fmt: skip
    item = known(inbox, mother, permits)
    say(inbox, verb.match, item, {"case": NUMBER, "pairs": {"RelatedPerson/m1": "people/mother"}})
    path = next(p for p in proposals(inbox, item) if p.startswith("consents/"))
    provision = {"id": "p1", "effect": "permit", "to": ["partners/lakeside"], "purposes": ["education-planning"],
                 "parts": ["identity", "goals"]}  # fmt: skip
    case = case_of("minimal")
    case["consents"] = []
    inbox.agency.put(case)
    assert shown(inbox) == []
    signed = {"method": "signature", "authority": "parent", "provisions": [provision]}
    say(inbox, verb.adopt, item, {"paths": [path], "with": {path: signed}})
    assert shown(inbox) == ["Goal", "Goal", "Patient"]
    inbox.put({**permits, "status": "inactive"})
    settle_all(inbox.desk)
    assert shown(inbox) == []


def test_a_share_is_worked_on_after_what_was_denied_counts(inbox: Inbox) -> None:
    """The claim itself lets it count: no worker has to have come by before."""
    from adapter.reconcile import reconcile_next

    item = known(inbox, consent())
    with inbox.desk.store.reading() as tx:
        assert [each.stale for each in rows.of_case(tx, inbox.agency.stored(NUMBER).id)] == [True]
    done = reconcile_next(inbox.desk, "worker")
    assert done is not None
    assert shown(inbox) == []
    assert item


def test_who_decides_meanwhile_decides_on_what_stands(inbox: Inbox) -> None:
    """Between looking and keeping the partner writes again: the decision is taken on the new state."""
    item = known(inbox, consent())
    real, wrote = deciding.arrived.look, []

    def look(*args: Any) -> Any:
        found = real(*args)
        if not wrote:
            wrote.append(True)
            inbox.put({**PATIENT, "name": [{"family": "Okoro", "given": ["Ada"]}]})
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding.arrived, "look", look)
        say(inbox, verb.adopt, item, {"paths": ["child/name/family"]})
    assert case_file(inbox, NUMBER)["child"]["name"]["family"] == "Okoro"


def test_of_more_than_can_be_looked_at_the_consents_are_heard_first(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And more Consents than can be heard deny everything: one of them may."""
    goals = [{"resourceType": "CarePlan", "id": f"c{n}", "status": "active", "intent": "plan",
              "subject": {"reference": "Patient/p1"}} for n in range(4)]  # fmt: skip
    research = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}]}
    item = known(inbox, *goals, consent(scope=research))
    monkeypatch.setattr(gathering, "MOST", 3)
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]
    inbox.put(consent(id="k2"))
    settle_all(inbox.desk)
    assert verb.show(inbox.desk, item)["more"] is True
    assert shown(inbox) == []
    say(inbox, verb.match, item, {"case": None})
    inbox.delete("Consent/k2")
    assert shown(inbox) == ["Goal", "Patient"]
    inbox.put(*(consent(id=f"r{n}", scope=research) for n in range(4)))
    say(inbox, verb.match, item, {"case": NUMBER})
    assert shown(inbox) == []


def test_a_denial_that_names_its_child_by_no_reference_waits_among_what_is_of_nobody(inbox: Inbox) -> None:
    inbox.put(consent(patient={"identifier": {"system": "https://health.example/cards", "value": "1"}}))
    found = the_item(inbox)
    assert found["of"] == "no child"
    assert [(each["denies"], each["counts"]) for each in found["consents"]] == [(True, False)]


def test_what_a_partner_writes_of_the_child_that_it_reads_here_is_of_that_case(inbox: Inbox) -> None:
    """Its Patient is ours: nothing else has to tell whose it is, and nothing of what it reads is proposed to us."""
    inbox.configure(replace(inbox.desk.catalogue.partners["lakeside"], reads=True))
    inbox.agency.put(case_of("minimal"))
    shelf = serve.shelf(inbox.desk, "lakeside")
    with inbox.desk.store.reading() as tx:
        (patient,) = [kept.id for kept in resources.latest(tx, shelf) if kept.type == "Patient"]
        (goal,) = [kept.id for kept in resources.latest(tx, shelf) if kept.type == "Goal"]
    about = {"reference": f"Patient/{patient}"}
    observed = {**GOAL, "subject": about, "addresses": [], "note": [{"text": "see"}]}
    del observed["addresses"]
    task = {"resourceType": "Task", "id": "t1", "status": "ready", "intent": "plan", "description": "Practise",
            "for": about, "focus": {"reference": f"Goal/{goal}"}}  # fmt: skip
    world = replace(inbox.world("lakeside"), shelf=shelf)
    for resource in (observed, task, consent(patient=about)):
        step = Step(ALONE, "PUT", resource["resourceType"], resource["id"])
        receive.interact(inbox.desk.store, world, step, json.dumps(resource).encode())
    settle_all(inbox.desk)
    found = the_item(inbox)
    assert (found["case"], found["matched"]["how"]) == (NUMBER, "identifier")
    assert {each["path"].split("/")[0] for each in found["records"]} == {"goals", "consents"}
    assert shown(inbox) == []
