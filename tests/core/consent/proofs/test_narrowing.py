"""Properties of consent.md: what a family takes back, or time does, never lets a partner see more."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import assume, given

from adapter.core.consent.view import view
from tests.core.consent.proofs.amounts import examples
from tests.core.consent.proofs.flesh import scalars
from tests.core.consent.proofs.generators import TODAY, Situation, seeds, situations
from tests.core.consent.proofs.grants import Grants
from tests.core.consent.proofs.leaves import changed, leaves_in_view

ORDERED = ("consents", "provisions", "except", "to", "purposes", "parts", "topics", "records", "supersedes")
"""Lists of a consent whose order says nothing."""


def _enlarged(before: Situation, after: Situation) -> list[str]:
    """Pointers of leaves that only the second view has; purposes, topics and parts that only its own Consent names."""
    more = sorted(leaves_in_view(after).keys() - leaves_in_view(before).keys())
    own = [_own(before), _own(after)]
    return more + [f"own {name}" for name in ("purposes", "parts", "topics") if not own[1][name] <= own[0][name]]


def _own(s: Situation) -> dict[str, set[str]]:
    own = s.view().case.get("consents", [{}])[0]
    return {name: set(own.get(name, ())) for name in ("purposes", "parts", "topics")}


def _grants(random: Random, s: Situation) -> Grants:
    people = [f"people/{p['id']}" for p in s.case["people"]]
    paths = [path for name, value in s.case.items() if isinstance(value, list) for path in [f"{name}/{value[0]['id']}"]]
    paths = [path for path in paths if not path.startswith("consents/")]
    return Grants(random, s.whom, TODAY, people, ["child", *people], paths, [])


@examples(20)
@given(situations(), seeds())
def test_adding_a_deny_never_enlarges_a_view(s: Situation, random: Random) -> None:
    """ "adding a deny … in a consent that supersedes nothing, never enlarges a view" """
    case = changed(s.case)
    consent = _one(random, [c for c in case["consents"] if "supersedes" not in c])
    consent["provisions"].append(_grants(random, s).deny("added"))
    assert _enlarged(s, s.but(case)) == []


@examples(20)
@given(situations(), seeds())
def test_removing_a_computable_permit_never_enlarges_a_view(s: Situation, random: Random) -> None:
    """ "… or removing a computable permit, in a consent that supersedes nothing, never enlarges a view" """
    computable = {t.path.removeprefix("consents/") for t in s.rules().consents if not t.faults}
    case = changed(s.case)
    consent = _one(random, [c for c in case["consents"] if "supersedes" not in c and c["id"] in computable])
    permit = _one(random, [p for p in consent["provisions"] if p["effect"] == "permit"])
    consent["provisions"].remove(permit)
    assert _enlarged(s, s.but(case)) == []


@examples(20)
@given(situations(), seeds())
def test_revoking_never_enlarges_a_view(s: Situation, random: Random) -> None:
    """ "revoking never does": by status, by a date that has come, or both; also of a consent that lifted a denial."""
    case = changed(s.case)
    consent = _one(random, [c for c in case["consents"] if c["status"] not in ("draft", "entered-in-error")])
    today = s.now.astimezone(s.rulebook.time_zone).date()
    how = random.randrange(3)
    if how != 1:
        consent["status"] = "revoked"
    if how != 0:
        consent["revoked_on"] = (today - timedelta(days=random.randrange(0, 40))).isoformat()
    assert _enlarged(s, s.but(case)) == []


@examples(20)
@given(situations(), seeds())
def test_passing_the_end_of_a_consent_or_of_a_permit_never_enlarges_a_view(s: Situation, random: Random) -> None:
    """ "passing the end of a consent or of a permit never does": where nothing else begins or ends at that midnight."""
    ends = {
        f"/consents/{i}{at}/period/end": each["period"]["end"]
        for i, c in enumerate(s.case["consents"])
        for at, each in [("", c), *((f"/provisions/{j}", p) for j, p in enumerate(c["provisions"]))]
        if each.get("effect") != "deny" and "end" in each.get("period", {})
    }
    last = date.fromisoformat(_one(random, sorted(ends.values())))
    next_day = last + timedelta(days=1)
    midnight = datetime(next_day.year, next_day.month, next_day.day, tzinfo=s.rulebook.time_zone)
    busy = [
        pointer
        for pointer, value in scalars(s.case)
        if pointer not in ends and isinstance(value, str) and value[:10] in (last.isoformat(), next_day.isoformat())
    ]
    birthday = s.case["child"].get("birth_date", "")[5:]
    assume(not busy and birthday not in (last.isoformat()[5:], next_day.isoformat()[5:]))
    before, after = s.but(now=midnight - timedelta(microseconds=1)), s.but(now=midnight)
    assert _enlarged(before, after) == []


@examples(20)
@given(situations(), seeds())
def test_the_order_of_consents_and_of_provisions_does_not_matter(s: Situation, random: Random) -> None:
    """ "order of consents and of provisions does not matter": nor that of what a provision names."""
    case = changed(s.case)
    random.shuffle(case["consents"])
    for consent in case["consents"]:
        _shuffle(consent, random)
    one, other = s.view(), s.but(case).view()
    assert (one.case, one.labels) == (other.case, other.labels)
    assert (one.withheld, one.consents) == (other.withheld, other.consents)


@examples(20)
@given(situations())
def test_a_view_of_a_view_is_the_same_view(s: Situation) -> None:
    """ "a view of a view under the same rules is the same view": every leaf, every label."""
    once = s.view()
    again = view(once.case, s.rules(), s.partner, s.now)
    assert (again.case, dict(again.labels)) == (once.case, dict(once.labels))


def _shuffle(value: Any, random: Random, name: str = "") -> None:
    if isinstance(value, list):
        if name in ORDERED:
            random.shuffle(value)
        for each in value:
            _shuffle(each, random)
    elif isinstance(value, dict):
        for key, child in value.items():
            _shuffle(child, random, key)


def _one(random: Random, choices: list[Any]) -> Any:
    assume(choices)
    return random.choice(choices)
