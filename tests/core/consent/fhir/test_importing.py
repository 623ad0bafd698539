"""What a Consent from elsewhere becomes: a record that permits no more and denies no less, and what is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from adapter.core.case import check
from adapter.core.consent.fhir_consents import (
    Imported,
    Vocabulary,
    evaluate,
    read,
    receivers_by_identifier,
    to_record,
)
from adapter.core.consent.fhir_consents.values import Actor
from adapter.core.consent.fhir_consents.wording import Receivers
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.view import view
from tests.core.consent import builders
from tests.core.consent.fhir.shapes import (
    AGREED,
    CLINIC,
    NURSE,
    REGISTRY,
    about,
    actions,
    actor,
    bare,
    deny,
    level,
    pcf,
    permit,
    purpose,
    r4,
    r5,
    sensitive,
    types,
)
from tests.core.consent.fhir.test_properties import consents

SCHOOL = f"{REGISTRY}|1"
PARTS = {"class": [{"system": "https://csp-adapter.example/CodeSystem/part", "code": "goals"}]}
PARTNERS = builders.PARTNERS | {
    "lakeside": replace(builders.PARTNERS["lakeside"], identifiers=((REGISTRY, "1"),)),
    "riverside": replace(builders.PARTNERS["riverside"], identifiers=((REGISTRY, "2"),)),
}
BOOK = builders.rulebook(partners=PARTNERS)
VOCABULARY = Vocabulary.of(
    **{
        name: json.loads((builders.MAPPINGS / "codes" / f"{name}.json").read_text("utf-8"))
        for name in ("purpose", "part", "topic")
    }
)


def receivers(who: Actor) -> tuple[str, ...] | None:
    """The partners by their identifiers; the clinic is known to be none of them; the nurse may work anywhere."""
    return () if CLINIC in who.references else receivers_by_identifier(PARTNERS)(who)


def imported(consent: Any, receivers: Receivers = receivers) -> Imported:
    return to_record(
        read(consent, zone=BOOK.time_zone),
        id_="from-hospital",
        receivers=receivers,
        people=_people,
        records={"Goal/1": "goals/g1"}.get,
        vocabulary=VOCABULARY,
        zone=BOOK.time_zone,
    )


def _people(who: Actor) -> str | None:
    return "people/mother" if "RelatedPerson/mother" in who.references else None


def labels(*codes: str) -> dict[str, Any]:
    """Confidentiality and sensitivity together."""
    return {"securityLabel": [*level(codes[0])["securityLabel"], *sensitive(*codes[1:])["securityLabel"]]}


FULL = (actor(SCHOOL), purpose("TREAT"), PARTS)
ROWS = [
    pytest.param(
        r4(permit(AGREED, *FULL)),
        [{"effect": "permit", "to": ["partners/lakeside"], "purposes": ["treatment"], "parts": ["goals"]}],
        id="a permit that our words can say is said",
    ),
    pytest.param(
        r4(permit(*FULL, level("N"), below=[permit(labels("N", "MH"))])),
        [
            {"effect": "permit", "to": ["partners/lakeside"], "purposes": ["treatment"], "parts": ["goals"]},
            {
                "effect": "permit",
                "to": ["partners/lakeside"],
                "purposes": ["treatment"],
                "parts": ["goals"],
                "topics": ["mental-health"],
            },
        ],
        id="a widening permit takes over receiver, purpose and part",
    ),
    pytest.param(r4(permit()), [{"effect": "permit"}], id="a permit to everyone for everything names nothing"),
    pytest.param(
        r4(permit(actor(SCHOOL, NURSE))),
        [{"effect": "permit", "to": ["partners/lakeside"]}],
        id="a receiver who is no known partner is not permitted",
    ),
    pytest.param(r4(permit(*FULL, {"code": [{"coding": [{"code": "x"}]}]})), [], id="a permit of codes is left out"),
    pytest.param(r4(permit(*FULL, sensitive("MH"))), [], id="a permit of labelled data only is left out"),
    pytest.param(r4(permit(*FULL, level("L"))), [], id="a permit of less than normal data is left out"),
    pytest.param(r4(permit(*FULL, about("related", "Goal/1"))), [], id="a permit of related data is left out"),
    pytest.param(r4(permit(*FULL, {"dataPeriod": {"start": "2026"}})), [], id="a permit of dated data is left out"),
    pytest.param(r4(permit(*FULL, actions("correct"))), [], id="a permit to correct is left out"),
    pytest.param(
        r4(permit(actor(SCHOOL), about("instance", "Goal/1"))),
        [{"effect": "permit", "to": ["partners/lakeside"], "records": ["goals/g1"]}],
        id="a permit of one record",
    ),
    pytest.param(
        r4(permit(actor(SCHOOL), about("instance", "Goal/9"))),
        [{"effect": "permit", "to": ["partners/lakeside"], "records": []}],
        id="a permit of an unknown record names none",
    ),
    pytest.param(
        r4(permit(labels("N", "SUD"))),
        [{"effect": "permit"}],
        id="a label that is narrower than our topic carries no permit of it",
    ),
    pytest.param(
        r4(deny(actor(SCHOOL)), rule="OPTIN"),
        [{"effect": "permit"}, {"effect": "deny", "to": ["partners/lakeside"]}],
        id="a denial of a partner is a denial of its own",
    ),
    pytest.param(r4(rule="OPTOUT"), [{"effect": "deny"}], id="opting out denies everyone everything"),
    pytest.param(r4(deny(actor(NURSE))), [{"effect": "deny"}], id="a denial of who may work anywhere denies everyone"),
    pytest.param(r4(deny(actor(CLINIC))), [], id="a denial of who is no partner denies none"),
    pytest.param(
        r4(deny(actor(CLINIC, SCHOOL))),
        [{"effect": "deny", "to": ["partners/lakeside"]}],
        id="a denial of a partner and another denies the partner",
    ),
    pytest.param(
        r4(deny(purpose("TREAT"))),
        [{"effect": "deny", "purposes": ["care-coordination", "treatment"]}],
        id="a denial of treatment denies coordination with it",
    ),
    pytest.param(r4(deny(purpose("HMARKT"))), [{"effect": "deny"}], id="a denial of an unknown purpose denies all"),
    pytest.param(r4(deny(types("Goal"))), [{"effect": "deny"}], id="a denial of a type that is no part denies all"),
    pytest.param(
        r4(deny(sensitive("PSY", "HIV"))),
        [{"effect": "deny", "topics": ["hiv", "mental-health"]}],
        id="a denial of sensitivities denies the topics",
    ),
    pytest.param(r4(deny(sensitive("SPI"))), [{"effect": "deny"}], id="a denial of an unknown label denies all"),
    pytest.param(r4(deny(level("R"))), [{"effect": "deny", "topics": "all"}], id="a denial of R denies every topic"),
    pytest.param(r4(deny(level("N"))), [{"effect": "deny"}], id="a denial of N denies all"),
    pytest.param(
        r4(deny(about("instance", "Goal/1"))), [{"effect": "deny", "records": ["goals/g1"]}], id="of one record"
    ),
    pytest.param(r4(deny(about("related", "Goal/1"))), [{"effect": "deny"}], id="what is related to it: all"),
    pytest.param(
        r4(deny({"period": {"start": "2026-03-01T10:00:00-05:00", "end": "2026-03-05T10:00:00-05:00"}}), rule="OPTIN"),
        [{"effect": "permit"}, {"effect": "deny", "period": {"start": "2026-03-01", "end": "2026-03-05"}}],
        id="a denial's days are widened",
    ),
    pytest.param(
        r4(
            permit({"period": {"start": "2026-03-01T10:00:00-05:00", "end": "2026-03-05T10:00:00-05:00"}}),
            rule="OPTOUT",
        ),
        [
            {
                "effect": "deny",
                "except": [{"effect": "permit", "period": {"start": "2026-03-02", "end": "2026-03-04"}}],
            },
            {"effect": "permit", "period": {"start": "2026-03-02", "end": "2026-03-04"}},
        ],
        id="a permit's days are whole",
    ),
    pytest.param(
        pcf(permit(purpose("TREAT"), actor(SCHOOL), below=[deny(level("R"))])),
        [
            {"effect": "permit", "to": ["partners/lakeside"], "purposes": ["treatment"]},
            {
                "effect": "deny",
                "to": ["partners/lakeside"],
                "purposes": ["care-coordination", "treatment"],
                "topics": "all",
            },
        ],
        id="an exception becomes a denial of its own, within its parent",
    ),
    pytest.param(
        r5("deny", bare(*FULL)),
        [
            {
                "effect": "deny",
                "except": [
                    {"effect": "permit", "to": ["partners/lakeside"], "purposes": ["treatment"], "parts": ["goals"]}
                ],
            },
            {"effect": "permit", "to": ["partners/lakeside"], "purposes": ["treatment"], "parts": ["goals"]},
        ],
        id="a base that denies leaves room for what is permitted",
    ),
    pytest.param(
        r5("deny", bare(actor(SCHOOL), types("Goal"))),
        [{"effect": "deny"}, {"effect": "permit", "to": ["partners/lakeside"]}],
        id="and none for what cannot be said whole",
    ),
    pytest.param(r4(permit(*FULL, below=[bare()])), [{"effect": "deny"}], id="not computable: what may deny denies"),
    pytest.param(
        r5("deny", bare(*FULL, level("N"))),
        [
            {"effect": "deny"},
            {"effect": "permit", "to": ["partners/lakeside"], "purposes": ["treatment"], "parts": ["goals"]},
        ],
        id="and none for what only normal data are permitted",
    ),
    pytest.param(
        r4(deny(actor(SCHOOL), below=[permit(*FULL), bare(purpose("TREAT"))])),
        [
            {"effect": "deny", "to": ["partners/lakeside"]},
            {"effect": "deny", "purposes": ["care-coordination", "treatment"]},
        ],
        id="not computable: a denial leaves no room",
    ),
    pytest.param(
        r4(permit(below=[deny(purpose("TREAT"), {"modifierExtension": [{"url": "x"}]})])),
        [{"effect": "deny"}],
        id="not computable: a modified denial may deny anything",
    ),
    pytest.param(
        r4(bare(purpose("TREAT")), rule="OPTIN"),
        [{"effect": "deny", "purposes": ["care-coordination", "treatment"]}],
        id="not computable: within what is readable",
    ),
    pytest.param(r4(permit(*FULL, {"actor": "x"})), [], id="not computable: nothing is permitted"),
    pytest.param(
        r4(permit(), modifierExtension=[{"url": "x"}]), [{"effect": "deny"}], id="not computable: it may mean anything"
    ),
    pytest.param(
        r4(deny(), scope={"coding": [{"code": "research"}]}), [], id="not about sharing: nothing is taken over"
    ),
]


def plain(provisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without ids."""
    return [
        {name: plain(value) if name == "except" else value for name, value in provision.items() if name != "id"}
        for provision in provisions
    ]


@pytest.mark.parametrize(("consent", "provisions"), ROWS)
def test_provisions(consent: Any, provisions: list[dict[str, Any]]) -> None:
    result = imported(consent)
    assert plain(result.record["provisions"]) == provisions
    assert accepted(result.record) == []


def accepted(record: dict[str, Any]) -> list[Any]:
    """What the schemas, and the rules that they cannot say, hold against a case with this record."""
    case = builders.case()
    case["consents"].append(record)
    return check(case, BOOK.schemas)


def test_the_record_says_who_when_and_until() -> None:
    consent = r4(permit(AGREED, *FULL), performer=[{"reference": "RelatedPerson/mother"}])
    record = imported(consent).record
    assert {name: record[name] for name in ("id", "status", "granted_by", "signed_at", "period", "imported")} == {
        "id": "from-hospital",
        "status": "active",
        "granted_by": "people/mother",
        "signed_at": "2026-01-01",
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "imported": True,
    }


def test_what_is_not_computable_does_not_wait_for_its_beginning() -> None:
    record = imported(r4({"type": "deny", "period": {"start": "2030-01-01"}, "actor": "x"})).record
    assert "period" not in record
    assert seen("lakeside", record) == {}


@pytest.mark.parametrize(
    ("consent", "path", "word"),
    [
        pytest.param(r4(permit(*FULL)), "Consent.provision.period", "no end", id="no end"),
        pytest.param(r4(permit(*FULL), dateTime="2026-01"), "Consent.dateTime", "signed", id="no day of signing"),
        pytest.param(r4(permit(*FULL)), "Consent", "how it was signed", id="how it was signed"),
        pytest.param(r4(permit(*FULL)), "Consent", "read as R4 PCF", id="the reading"),
        pytest.param(
            r4(permit(), performer=[{"reference": "RelatedPerson/x"}]), "Consent.performer", "child", id="who granted"
        ),
        pytest.param(r4(permit(), status="inactive"), "Consent.status", "no longer in force", id="its status"),
        pytest.param(
            r4(permit(), verification=[{"verified": False}]), "Consent.verification", "not verified", id="unverified"
        ),
        pytest.param(r4(permit(*FULL)), "Consent.provision.securityLabel", "no sensitive topic", id="topics"),
        pytest.param(
            r4(permit(*FULL, level("R"))), "Consent.provision.securityLabel", "not permitted", id="restricted data"
        ),
        pytest.param(r4(permit(actor(NURSE))), "Consent.provision.actor[0].reference", "no known", id="a receiver"),
        pytest.param(r4(bare(actor(SCHOOL))), "Consent.provision.type", "not computable", id="what is not computable"),
        pytest.param(
            r4(permit({"period": {"start": "2026-03-01T10:00:00Z", "end": "2026-03-01T11:00:00Z"}})),
            "Consent.provision.period",
            "whole day",
            id="less than a day",
        ),
    ],
)  # fmt: skip
def test_what_is_lost_is_told(consent: Any, path: str, word: str) -> None:
    assert [loss for loss in imported(consent).lost if loss.path == path and word in loss.what]


def seen(partner: str, *records: dict[str, Any]) -> Any:
    case = builders.case()
    case["consents"] += records
    return view(case, compile_rules(case, BOOK), partner, builders.NOW).case


def test_a_permit_from_elsewhere_opens_nothing_until_it_is_adopted() -> None:
    before = seen("lakeside")
    assert before
    full = r4(permit(AGREED, *FULL), performer=[{"reference": "RelatedPerson/mother"}])
    assert seen("lakeside", imported(full).record) == before


def test_a_denial_from_elsewhere_counts_at_once_and_for_its_receiver_only() -> None:
    record = imported(r4(deny(actor(SCHOOL)), rule="OPTIN")).record
    assert seen("lakeside")
    assert seen("lakeside", record) == {}
    harbour = imported(r4(deny(actor(f"{REGISTRY}|2")), rule="OPTIN")).record
    assert seen("lakeside", harbour) == seen("lakeside")


@settings(max_examples=60, deadline=None)
@given(consents())
def test_any_consent_becomes_a_record_that_is_accepted_and_opens_nothing(consent: dict[str, Any]) -> None:
    result = imported(consent)
    assert accepted(result.record) == []
    assert result.record["imported"] is True
    before, after = seen("lakeside"), seen("lakeside", result.record)
    assert after == before or _leaves(after) <= _leaves(before)


@settings(max_examples=80, deadline=None)
@given(consents())
def test_what_a_consent_denies_a_partner_the_record_denies_it(consent: dict[str, Any]) -> None:
    """For its own purpose, the part `goals`, ordinary data; whom the Consent names is known by identifier only."""
    found = evaluate(
        [consent],
        actor=[SCHOOL],
        purpose=["https://csp-adapter.example/CodeSystem/purpose|education-planning"],
        class_=["https://csp-adapter.example/CodeSystem/part|goals"],
        labels=["N"],
        codes=["none"],
        data="Goal/1",
        refers_to=[],
        referred_by=[],
        at=builders.NOW,
        zone=BOOK.time_zone,
    )
    assert "g1" in {goal["id"] for goal in seen("lakeside")["goals"]}
    if found.decision != "permit" and found.consent:
        record = imported(consent, receivers_by_identifier(PARTNERS)).record
        shown = seen("lakeside", record).get("goals", [])
        assert "g1" not in {goal["id"] for goal in shown} or "it may permit" in found.reason


def _leaves(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return {leaf for key, inner in value.items() for leaf in _leaves(inner, f"{path}/{key}")}
    if isinstance(value, list):
        named = [
            (each.get("id", str(i)) if isinstance(each, dict) else str(each), each) for i, each in enumerate(value)
        ]
        return {leaf for name, inner in named for leaf in _leaves(inner, f"{path}/{name}")}
    return {path}
