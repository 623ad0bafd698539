"""A box of a consent form gives what its words say, and nothing else; ticks become a record or a list of problems."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.core.case import check, schema_problems
from adapter.core.consent.forms import ALWAYS, LANGUAGES, selected
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.ticks import take
from adapter.core.consent.view import OWN
from tests.core.consent.form_case import (
    OTHER,
    PARTNER,
    RULES,
    all_permitted,
    box,
    every_box,
    form,
    form_case,
    forms,
    seen,
    taken,
    ticked,
    ticks,
)

CONSENT = RULES.schemas.validator_of("consents")
PLAN = "culture strengths needs goals plan services enrolment referrals reviews transition"


# What each box gives, one line a box: effect, to whom, parts, "about" topics, "in" what of the case it names records.
DEFAULT = {
    "my-plan": f"permit chosen {PLAN}",
    "school": "permit chosen education",
    "health-and-safety": "permit chosen health assessments crisis",
    "contacts-and-team": "permit chosen contact family team",
    "school-reports": "permit chosen documents in d-iep d-school-report",
    "medical-reports": "permit chosen documents in d-medical-report",
    "assessment-reports": "permit chosen documents in d-report d-assessment-report",
    "mental-health-reports": "permit chosen documents about mental-health in d-psychology-report d-psychiatric-report"
    " d-mental-health-report d-treatment-plan d-psychological-report",
    "genetic-reports": "permit chosen documents about genetic in d-genetic-report",
    "child-welfare-reports": "permit chosen documents about child-welfare in d-child-welfare-report d-plan-of-care",
    "court-orders": "permit chosen documents about justice in d-court-order d-custody-order",
    "never-mental-health": "deny all about mental-health",
    "never-substance-use": "deny all about substance-use",
    "never-family-violence": "deny all about family-violence",
    "never-sensitive": "deny all about all",
    "never-family": "deny all family",
    "never-contact": "deny all contact",
    "never-documents": "deny all documents",
    "never-child-welfare-services": "deny sectors/child-welfare",
    "never-justice-services": "deny sectors/justice",
}
BOTH = "permit chosen documents assessments"
REPORTS = {
    "psychology": f"{BOTH} about mental-health in d-psychology-report d-psychological-report"
    " d-assessment-report attention",
    "psychiatry": f"{BOTH} about mental-health in d-psychiatric-report",
    "counselling": f"{BOTH} about mental-health in d-mental-health-report",
    "speech-language": f"{BOTH} in d-report learning",
    "occupational-therapy": f"{BOTH} in",
    "physiotherapy": f"{BOTH} in",
    "audiology": f"{BOTH} in",
    "medicine": f"{BOTH} in d-medical-report",
    "nutrition": f"{BOTH} in",
    "dental": f"{BOTH} in",
    "social-work": f"{BOTH} in",
    "behaviour": f"{BOTH} in",
    "education-plan": "permit chosen documents in d-iep",
    "school-report": "permit chosen documents in d-school-report",
    "treatment-plan": "permit chosen documents about mental-health in d-treatment-plan",
    "substance-use-report": "permit chosen documents about substance-use in d-substance-use-report",
    "genetic-report": "permit chosen documents about genetic in d-genetic-report",
    "child-welfare-report": "permit chosen documents about child-welfare in d-child-welfare-report d-plan-of-care",
    "court-order": "permit chosen documents about justice in d-court-order d-custody-order",
    "probation-order": "permit chosen documents about justice in d-probation-order",
    "financial-record": "permit chosen documents about finances in d-financial-record",
    "immigration-record": "permit chosen documents about immigration in d-immigration-record",
    "letter": "permit chosen documents in d-letter",
    "intake-form": "permit chosen documents in d-intake-form",
    "never-documents": "deny chosen documents",
    "never-assessments": "deny chosen assessments",
    "never-mental-health": "deny chosen about mental-health",
    "never-sensitive": "deny chosen about all",
}
GIVES = {("default", name): said for name, said in DEFAULT.items()} | {
    ("reports", name): said for name, said in REPORTS.items()
}
TOPICS = [(name, identity) for name, identity in every_box() if box(name, identity).topic]
PERMITS = [key for key, said in GIVES.items() if said.startswith("permit")]
DENIES = [key for key, said in GIVES.items() if said.startswith("deny")]


def said_by(line: str) -> dict[str, Any]:
    """The provision that a line of the table says."""
    words, within, records = line.partition(" in")
    words, _, topics = words.partition(" about ")
    effect, to, *parts = words.split()
    made: dict[str, Any] = {"effect": effect, "to": [f"partners/{PARTNER}"] if to == "chosen" else [to]}
    if parts:
        made["parts"] = parts
    if topics:
        made["topics"] = topics.split()
    if within:
        made["records"] = records.split()
    return made


def test_the_table_names_every_box_of_both_forms() -> None:
    """A box that is added without saying here what it gives fails."""
    assert {(f.id, f.columns) for f in forms()} == {("default", False), ("reports", True)}
    assert {*GIVES, *TOPICS} == set(every_box())


@pytest.mark.parametrize(("name", "identity"), GIVES)
def test_a_box_gives_the_provision_that_it_says(name: str, identity: str) -> None:
    """With the form's purposes, under an id that is the box's own; who the child is goes along with what is shared."""
    (consent,) = taken(name, ticked(name, identity)).consents
    provisions = {p["id"].removesuffix(f".{PARTNER}"): p for p in consent["provisions"]}
    made = {name: value for name, value in provisions.pop(identity).items() if name not in ("id", "purposes")}
    if "records" in made:
        made["records"] = [path.partition("/")[2] for path in made["records"]]
    assert made == said_by(GIVES[name, identity])
    if made["effect"] == "deny":
        assert provisions == {}
    else:
        always = provisions.pop(ALWAYS)
        assert (always["parts"], always["to"]) == (["identity"], [f"partners/{PARTNER}"])
        assert provisions == {}
        assert all(p["purposes"] == list(form(name).purposes) for p in consent["provisions"])


@pytest.mark.parametrize(("name", "identity"), TOPICS)
def test_initials_beside_a_topic_join_what_else_is_ticked(name: str, identity: str) -> None:
    """One permit covers the whole element (rule 4); alone, the initials mean nothing and are not taken."""
    permit = {"default": "my-plan", "reports": "speech-language"}[name]
    (consent,) = taken(name, ticked(name, permit, identity)).consents
    assert len(consent["provisions"]) == 2
    assert all(p["topics"] == [box(name, identity).topic] for p in consent["provisions"])
    assert [p.pointer for p in taken(name, ticked(name, identity)).problems] == ["/boxes"]


def test_a_topic_is_initialled_for_one_column_only() -> None:
    """With columns, initials for one agency give nothing to another."""
    boxes = {"speech-language": {PARTNER: "JW", OTHER: "JW"}, "genetic": {OTHER: "JW"}}
    (consent,) = taken("reports", boxes).consents
    assert {p["id"]: p.get("topics") for p in consent["provisions"]} == {
        "always.lakeside": None, "speech-language.lakeside": None,
        "always.riverside": ["genetic"], "speech-language.riverside": ["genetic"],
    }  # fmt: skip


def parts_and_topics(name: str, identity: str) -> tuple[set[str], set[str], tuple[str, ...] | None]:
    (gift,) = box(name, identity).gives
    records = selected(gift.records, form_case()) if gift.records else None
    return {*gift.parts, *form(name).always}, set(gift.topics), records


@pytest.mark.parametrize(("name", "identity"), PERMITS)
def test_a_partner_sees_of_a_box_what_it_promises_and_nothing_else(name: str, identity: str) -> None:
    """Parts, topics and records of the view are those that the box names; nobody else sees anything."""
    case = form_case()
    case["consents"] = [*taken(name, ticked(name, identity)).consents]
    parts, topics, records = parts_and_topics(name, identity)
    shown = seen(case)
    assert "identity" in shown.labels["child"].parts
    assert {part for label in shown.labels.values() for part in label.parts} <= parts
    assert {topic for label in shown.labels.values() for topic in label.topics} <= topics
    if records is None:
        assert {part for label in shown.labels.values() for part in label.parts} - {"identity"}, "the case has some"
    else:
        assert set(shown.labels) - {"child", OWN} == set(records)
    assert all(seen(case, other).case == {} for other in RULES.partners if other != PARTNER)


@pytest.mark.parametrize(("name", "identity"), DENIES)
def test_never_holds_against_a_consent_to_everything(name: str, identity: str) -> None:
    """Nothing of what it names is left, and all else is, for whom it names."""
    case = form_case()
    case["consents"] = [all_permitted()]
    (gift,) = box(name, identity).gives
    whom = "harbour" if "sectors/child-welfare" in gift.to else PARTNER
    before = seen(case, whom)
    case["consents"] = [all_permitted(), *taken(name, ticked(name, identity)).consents]
    after = seen(case, whom)
    if not gift.parts and not gift.topics:
        assert after.case == {} if whom == "harbour" else after.case == before.case
        return
    labels = [label for path, label in after.labels.items() if path != OWN]
    assert not {part for label in labels for part in label.parts} & set(gift.parts)
    left = {topic for label in labels for topic in label.topics}
    assert not (left if "all" in gift.topics else left & set(gift.topics))
    assert before.case != after.case
    assert after.labels.keys() > {"child", OWN}


def test_both_languages_have_every_word() -> None:
    """No text of a form is left out or left in the other language (words that are the same in both are few)."""
    same = set()
    for each in forms():
        texts = [each.title, each.intro, each.receivers, each.purpose, each.always_words, each.limits]
        texts += [*each.notices, *each.notes, *(b.words for b in each.boxes()), *(term.words for term in each.periods)]
        texts += [words for section in each.sections for words in (section.title, section.text) if words]
        assert all(words[language].strip() for words in texts for language in LANGUAGES)
        same |= {words["en"] for words in texts if words["en"] == words["fr"]}
    assert same == {"Nutrition"}


def test_each_of_those_who_signed_gives_a_consent_of_its_own() -> None:
    """Where decision makers are shared, one signature would permit nothing (rule 6); ids are stable."""
    case = form_case()
    case["people"][0]["shared"] = True
    case["people"][1]["decision_maker"] = True
    signed = [{"by": f"people/{who}", "at": "2026-10-05", "method": "signature"} for who in ("mother", "father")]
    both = taken("default", ticked("default", "my-plan"), case, signed=signed).consents
    assert [c["id"] for c in both] == ["default-2026-10-05-mother", "default-2026-10-05-father"]
    assert [c["granted_by"] for c in both] == ["people/mother", "people/father"]
    assert seen({**case, "consents": [both[0]]}).case == {}
    assert seen({**case, "consents": [*both]}).case["goals"]


def test_the_record_says_how_and_by_whom_it_was_taken() -> None:
    signed = [{"by": "people/mother", "at": "2026-10-05T22:30:00-04:00", "method": "verbal",
               "collected_by": "providers/coordinator"}]  # fmt: skip
    period = {"start": "2026-10-06", "choice": "school-year"}
    (consent,) = taken(
        "default", ticked("default", "school"), signed=signed, period=period, language="fr", id="c9"
    ).consents
    assert {name: consent[name] for name in ("id", "status", "granted_by", "authority", "method", "collected_by")} == {
        "id": "c9", "status": "active", "granted_by": "people/mother", "authority": "parent", "method": "verbal",
        "collected_by": "providers/coordinator",
    }  # fmt: skip
    assert consent["period"] == {"start": "2026-10-06", "end": "2027-06-30"}
    assert consent["notices"][0].startswith("Communiqué avec le consentement de la famille")


LAST, NEXT = "2026-06-30", "2026-07-01"
PERIODS = [
    pytest.param({"choice": "year"}, ("2026-10-05", "2027-10-04"), id="a year from the day it was signed"),
    pytest.param({"start": "2028-02-29", "choice": "year"}, ("2028-02-29", "2029-02-28"), id="a year from a leap day"),
    pytest.param({"start": "2026-08-31", "choice": "six-months"}, ("2026-08-31", "2027-02-28"), id="to a short month"),
    pytest.param({"start": LAST, "choice": "school-year"}, (LAST, LAST), id="the last school day"),
    pytest.param({"start": NEXT, "choice": "school-year"}, (NEXT, "2027-06-30"), id="the next school year"),
    pytest.param({"choice": "date", "end": "2026-12-24"}, ("2026-10-05", "2026-12-24"), id="until a day written in"),
    pytest.param({"start": "2026-10-10", "end": "2026-12-24"}, ("2026-10-10", "2026-12-24"), id="from a day to a day"),
]


@pytest.mark.parametrize(("period", "days"), PERIODS)
def test_a_period_has_its_last_day(period: dict[str, str], days: tuple[str, str]) -> None:
    (consent,) = taken("default", ticked("default", "school"), period=period).consents
    assert (consent["period"]["start"], consent["period"]["end"]) == days


def change(**changes: Any) -> dict[str, Any]:
    return ticks("default", ticked("default", "my-plan")) | changes


def signature(**changes: Any) -> dict[str, Any]:
    return {"signed": [{"by": "people/mother", "at": "2026-10-05", "method": "signature"} | changes]}


WRONG = [
    pytest.param(change(boxes={"my-plan": True, "pets": True}), "/boxes/pets", id="a box that the form has not"),
    pytest.param(change(boxes={"my-plan": "yes"}), "/boxes/my-plan", id="a tick that is none"),
    pytest.param(change(boxes={"my-plan": True, "hiv": True}), "/boxes/hiv", id="a topic without initials"),
    pytest.param(change(boxes={"my-plan": True, "hiv": "  "}), "/boxes/hiv", id="initials that are blank"),
    pytest.param(change(boxes={"court-orders": True}), "/boxes/court-orders", id="a type of report without initials"),
    pytest.param(change(boxes={}), "/boxes", id="nothing ticked"),
    pytest.param(change(boxes={"my-plan": False}), "/boxes", id="everything unticked"),
    pytest.param(
        change(boxes={"my-plan": True, "mental-health": "JW", "never-mental-health": True}),
        "/boxes/never-mental-health", id="a topic both initialled and never",
    ),
    pytest.param(change(to=[]), "/to", id="nobody who may receive"),
    pytest.param(change(to=["lakeside", "nobody"]), "/to/1", id="a partner that there is not"),
    pytest.param(change(period={}), "/period/end", id="no end"),
    pytest.param(change(period={"choice": "date"}), "/period/end", id="until a day that is not written in"),
    pytest.param(change(period=None), "/period", id="no period"),
    pytest.param(change(period={"choice": "for ever"}), "/period/choice", id="a choice that the form has not"),
    pytest.param(change(period={"start": "2026-02-30", "end": "2027-01-01"}), "/period/start", id="a day that is none"),
    pytest.param(change(period={"start": "2027-01-01", "end": "2026-01-01"}), "/period/end", id="an end too soon"),
    pytest.param(change(period={"choice": "year", "end": "2030-01-01"}), "/period/end", id="two ends"),
    pytest.param(change(signed=[]), "/signed", id="nobody signed"),
    pytest.param(change(**signature(by="people/stranger")), "/signed/0/by", id="signed by a stranger"),
    pytest.param(change(**signature(method="nod")), "/signed/0/method", id="a method that is none"),
    pytest.param(change(**signature(at="yesterday")), "/signed/0/at", id="signed on no day"),
    pytest.param(change(**signature(at="2026-10-05T10:00:00")), "/signed/0/at", id="a time without its offset"),
    pytest.param(change(**signature(method="verbal")), "/signed/0/collected_by", id="spoken, to nobody"),
    pytest.param(change(signed=signature()["signed"] * 2), "/signed", id="signed twice by one"),
    pytest.param(change(form="reports"), "/form", id="of another form"),
    pytest.param(change(version="2019-1"), "/version", id="of another version"),
    pytest.param(change(language="la"), "/language", id="in another language"),
    pytest.param(change(colour="red"), "/colour", id="a field that is not known"),
    pytest.param(change(supersedes=["consents/gone"]), "/supersedes/0", id="superseding what is not there"),
    pytest.param(change(document="documents/gone"), "/document", id="a scan that is not there"),
    pytest.param(change(id="no spaces please"), "/id", id="an id that is none"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "where"), WRONG)
def test_what_is_wrong_with_ticks_is_told_by_its_place(wrong: dict[str, Any], where: str) -> None:
    """No record is made of them."""
    made = take(form("default"), wrong, form_case(), RULES)
    assert where in [p.pointer for p in made.problems]
    assert made.consents == ()


def test_all_problems_are_told_at_once() -> None:
    wrong = change(boxes={"pets": True}, period={}, signed=[], colour="red")
    pointers = {p.pointer for p in take(form("default"), wrong, form_case(), RULES).problems}
    assert pointers >= {"/boxes/pets", "/period/end", "/signed", "/colour"}


COLUMNS = [
    pytest.param({"letter": "JW"}, {}, "/boxes/letter", id="without a column"),
    pytest.param({"letter": {"nobody": "JW"}}, {}, "/boxes/letter/nobody", id="in a column that there is not"),
    pytest.param({"letter": {PARTNER: True}}, {}, f"/boxes/letter/{PARTNER}", id="without initials"),
    pytest.param({"letter": {PARTNER: "JW"}}, {"to": [PARTNER]}, "/to", id="with partners outside of the boxes"),
    pytest.param(
        {"letter": {PARTNER: "JW"}, "genetic": {PARTNER: "JW"}, "never-sensitive": {PARTNER: True}}, {},
        f"/boxes/never-sensitive/{PARTNER}", id="both initialled and never in one column",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("boxes", "changes", "where"), COLUMNS)
def test_columns_have_rules_of_their_own(boxes: dict[str, Any], changes: dict[str, Any], where: str) -> None:
    assert where in [p.pointer for p in taken("reports", boxes, **changes).problems]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["lakeside", "child"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
ODD_DAYS = ("2026-10-05", "9999-12-31", "0001-01-01T00:00:00+14:00", "20261005", "soon")
DAYS = st.dates().map(str) | st.sampled_from(ODD_DAYS)


@st.composite
def any_ticks(draw: st.DrawFn) -> tuple[str, Any]:
    """Mostly well-formed ticks, in which any field may be any JSON."""
    name = draw(st.sampled_from(["default", "reports"]))
    identities = st.sampled_from([b.id for b in form(name).boxes()] + ["pets"])
    mark = st.sampled_from([True, "JW", False]) | JSON
    marks = st.dictionaries(st.sampled_from([*RULES.partners, "nobody"]), mark, max_size=3)
    made: dict[str, Any] = {
        "form": name,
        "version": form(name).version,
        "boxes": draw(st.dictionaries(identities, marks if form(name).columns else mark, max_size=6)),
        "period": draw(
            st.fixed_dictionaries(
                {},
                optional={"start": DAYS, "end": DAYS, "choice": st.sampled_from([t.id for t in form(name).periods])},
            )
        ),
        "signed": draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "by": st.sampled_from(["people/mother", "people/father", "child"]),
                        "at": DAYS,
                        "method": st.sampled_from(["signature", "electronic", "verbal"]),
                    },
                    optional={"collected_by": st.sampled_from(["providers/coordinator", "providers/nobody"])},
                ),
                max_size=3,
            )
        ),
    }
    if not form(name).columns:
        made["to"] = draw(st.lists(st.sampled_from([*RULES.partners]), max_size=3))
    fields = st.sampled_from([*made, "limits", "language", "supersedes", "document", "id"])
    made |= {field: draw(JSON) for field in draw(st.lists(fields, max_size=2))}
    return name, made


@settings(max_examples=150, deadline=None)
@given(any_ticks())
def test_ticks_are_a_valid_record_or_problems(drawn: tuple[str, Any]) -> None:
    """Whatever is sent: never an error, never a record that the schema or the case would refuse."""
    name, given_ticks = drawn
    case = form_case()
    before = copy.deepcopy(given_ticks)
    made = take(form(name), given_ticks, case, RULES)
    assert bool(made.problems) != bool(made.consents)
    assert given_ticks == before
    for consent in made.consents:
        assert schema_problems(consent, CONSENT) == []
        assert {"start", "end"} == set(consent["period"])
        assert consent["notices"]
    if made.consents:
        assert check({**case, "consents": [*made.consents]}, RULES.schemas) == []
        rules = compile_rules({**case, "consents": [*made.consents]}, RULES)
        assert all(not terms.faults for terms in rules.consents)
        for partner in RULES.partners:
            # A box that is not ticked gives nothing: what a partner sees is of the parts of boxes that are.
            gifts = [gift for b in form(name).boxes() if b.id in given_ticks["boxes"] for gift in b.gives]
            parts = {*form(name).always, *(part for gift in gifts if gift.permits for part in gift.parts)}
            labels = seen({**case, "consents": [*made.consents]}, partner).labels.values()
            assert {part for label in labels for part in label.parts} <= parts
