"""A Consent that refers to no Patient, and names its child all the same: its denial counts once the child is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapter import serve, show
from adapter.arrived import gathering, settle_all, settle_case
from adapter.core.fhir.called import child_of, identifiers
from adapter.store import resources
from tests.inbox.conftest import PATIENT, Inbox
from tests.inbox.test_consents import NUMBER, consent, due, shown
from tests.inbox.test_items import items
from tests.verbs.agency import case_of

SYSTEM, VALUE = "https://health.example/cards", "0001-222"
CARD = {"system": SYSTEM, "value": VALUE}
CONTAINED = {"resourceType": "Patient", "id": "c", "identifier": [CARD]}
WAYS: dict[str, dict[str, Any]] = {
    "by identifier": {"patient": {"identifier": CARD}},
    "by identifier, with its type": {"patient": {"type": "Patient", "identifier": CARD, "display": "Ada"}},
    "contained": {"contained": [CONTAINED], "patient": {"reference": "#c"}},
    "at another server, and by identifier": {
        "patient": {"reference": "https://elsewhere.example/fhir/Patient/9", "identifier": CARD}
    },
}


def case(**child: Any) -> dict[str, Any]:
    made = case_of("minimal")
    made["child"] |= {"identifiers": [{"type": "health-card", **CARD}], "birth_date": "2016-05-04", **child}
    return made


def denial(**how: Any) -> dict[str, Any]:
    return {**consent(), **how}


def known(inbox: Inbox, **child: Any) -> None:
    inbox.trust("riverside", SYSTEM)
    inbox.agency.put(case(**child))
    assert shown(inbox) == ["Goal", "Patient"]


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_without_any_patient_it_counts_by_the_identifier_that_both_know(inbox: Inbox, how: dict[str, Any]) -> None:
    known(inbox)
    inbox.put(denial(**how))
    settle_all(inbox.desk)
    assert shown(inbox) == []
    assert "lakeside" in due(inbox)
    alarms = {row["alarm"] for row in show.alarms(inbox.desk, NUMBER)["alarms"]}
    assert "deny-without-authority" in alarms


@pytest.mark.parametrize("how", [WAYS["by identifier"], WAYS["contained"]], ids=["by identifier", "contained"])
def test_beside_its_patient_it_is_of_that_child_s_item(inbox: Inbox, how: dict[str, Any]) -> None:
    """In the same transaction, whichever is first; and nothing is left of no child."""
    known(inbox)
    inbox.put(denial(**how), PATIENT)
    settle_all(inbox.desk)
    assert shown(inbox) == []
    waiting = [item for item in items(inbox) if item["state"] == "waiting"]
    assert [item["of"] for item in waiting] == ["child"]


def test_a_patient_that_a_person_matches_brings_its_denial(inbox: Inbox) -> None:
    """The system of the identifier is not one that both know; who matches the Patient says whose it is."""
    from adapter import inbox as verb
    from tests.inbox.test_deciding import say

    inbox.agency.put(case_of("minimal"))
    inbox.put(denial(**WAYS["by identifier"]))
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]
    inbox.put(PATIENT)
    settle_all(inbox.desk)
    [item] = [each for each in items(inbox) if each["of"] == "child"]
    say(inbox, verb.match, item["id"], {"case": NUMBER})
    settle_all(inbox.desk)
    assert shown(inbox) == []


def test_it_counts_once_the_case_bears_the_identifier(inbox: Inbox) -> None:
    """Before the child was known here, and then it is: nothing is decided before what was said of it counts."""
    inbox.trust("riverside", SYSTEM)
    inbox.put(denial(**WAYS["by identifier"]))
    settle_all(inbox.desk)
    inbox.agency.put(case_of("minimal"))
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]
    inbox.agency.put(case())
    settle_case(inbox.desk, inbox.agency.stored(NUMBER).id)
    assert shown(inbox) == []


def test_it_counts_before_anything_is_read(inbox: Inbox) -> None:
    known(inbox)
    inbox.configure(replace(inbox.desk.catalogue.partners["northstar"], reads=True))
    inbox.put(denial(**WAYS["by identifier"]))
    with inbox.desk.store.reading() as tx:
        assert resources.count(tx, serve.shelf(inbox.desk, "northstar"), "Goal") == 0
    assert shown(inbox) == []


@pytest.mark.parametrize(
    ("trusted", "child", "how"),
    [
        ((), {}, WAYS["by identifier"]),
        ((SYSTEM,), {}, {"patient": {"identifier": {**CARD, "value": "0001-223"}}}),
        ((SYSTEM,), {}, {"patient": {"identifier": {"value": VALUE}}}),
        ((SYSTEM,), {}, {"patient": {"display": "Ada Okoye"}}),
        ((SYSTEM,), {"birth_date": "2011-01-01"},
         {"contained": [{**CONTAINED, "birthDate": "2016-05-04"}], "patient": {"reference": "#c"}}),
    ],
    ids=["a system that is not shared", "another number", "no system", "a name", "another birth date"],
)  # fmt: skip
def test_what_names_no_child_for_certain_waits(inbox: Inbox, trusted: Any, child: Any, how: Any) -> None:
    """A denial for the wrong child closes what another family permits; a person looks at it first."""
    inbox.trust("riverside", *trusted)
    inbox.agency.put(case(**child))
    inbox.put(denial(**how))
    settle_all(inbox.desk)
    assert shown(inbox) == ["Goal", "Patient"]
    assert [item["of"] for item in items(inbox) if item["state"] == "waiting"] == ["no child"]


def test_it_denies_no_more_than_it_says_and_stays_when_it_is_gone(inbox: Inbox) -> None:
    """As one that refers to its Patient does: the same record, which the same Consent later goes on as."""
    known(inbox)
    inbox.put(denial(**WAYS["by identifier"]))
    settle_all(inbox.desk)
    [alone] = inbox.agency.stored(NUMBER).kept["imported"].values()
    inbox.put(PATIENT, consent())
    settle_all(inbox.desk)
    [beside] = inbox.agency.stored(NUMBER).kept["imported"].values()
    assert (alone["record"]["id"], alone["record"]["provisions"]) == (
        beside["record"]["id"],
        beside["record"]["provisions"],
    )
    inbox.delete("Consent/k1")
    settle_all(inbox.desk)
    assert shown(inbox) == []


def test_a_permit_permits_nothing(inbox: Inbox) -> None:
    inbox.trust("riverside", SYSTEM)
    made = case()
    made["consents"] = []
    inbox.agency.put(made)
    inbox.put({**consent("permit"), **WAYS["by identifier"]})
    settle_all(inbox.desk)
    assert shown(inbox) == []


@pytest.mark.parametrize(
    "body",
    [
        {}, {"resourceType": "Consent"}, {"resourceType": "Goal", "subject": {"identifier": CARD}},
        {"resourceType": "Consent", "patient": []}, {"resourceType": "Consent", "patient": {"reference": 7}},
        {"resourceType": "Consent", "patient": {"identifier": [CARD]}},
        {"resourceType": "Consent", "patient": {"reference": "#c"}, "contained": {"id": "c"}},
        {"resourceType": "Consent", "patient": {"reference": "#c"}, "contained": [7, {"id": "c"}]},
        {"resourceType": "Consent", "patient": {"reference": "Patient?identifier=x"}},
        {"resourceType": "Consent", "patient": {"identifier": {"system": SYSTEM, "value": ""}}},
    ],
)  # fmt: skip
def test_what_says_nothing_of_a_child_names_none(body: dict[str, Any]) -> None:
    assert child_of(body) == {}


@pytest.mark.parametrize("field", ["patient", "subject"])
def test_it_is_named_in_the_field_of_each_release(field: str) -> None:
    assert identifiers(child_of({"resourceType": "Consent", field: {"identifier": CARD}})) == [(SYSTEM, VALUE)]


def test_it_is_found_among_however_many_that_name_other_children(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who always writes Consents so has more of them than are looked at for one child."""
    monkeypatch.setattr(gathering, "MOST", 3)
    known(inbox)
    for number in range(5):
        other = {**CARD, "value": f"0002-{number}"}
        inbox.put(denial(id=f"other{number}", patient={"identifier": other}))
    inbox.put(denial(**WAYS["by identifier"]), PATIENT)
    settle_all(inbox.desk)
    assert shown(inbox) == []
