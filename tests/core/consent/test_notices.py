"""Endings are announced 60, 30 and 7 days ahead, birthdays 180; to the day, in the agency's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.core.consent.notices import SENTENCES, SHARE_ALARMS, Announcement, announcements
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.view import view
from tests.core.consent.builders import case, rulebook

BOOK = rulebook()
TORONTO = ZoneInfo("America/Toronto")
END = date(2027, 8, 31)
"""Of the one consent, which names the school board."""


def at_noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=TORONTO).astimezone(UTC)


def soon(body: Any, now: datetime, **options: Any) -> list[Announcement]:
    return list(announcements(compile_rules(body, BOOK), now, **options))


def kinds(body: Any, now: datetime, **options: Any) -> list[tuple[str, str]]:
    return [(a.kind, a.path) for a in soon(body, now, **options)]


@pytest.mark.parametrize(
    ("days", "ahead"),
    [(61, None), (60, 60), (31, 60), (30, 30), (8, 30), (7, 7), (1, 7), (0, 7), (-1, None)],
    ids=lambda value: str(value),
)
def test_a_consent_that_ends_is_announced_sixty_thirty_and_seven_days_ahead(days: int, ahead: int | None) -> None:
    """Until its last day is over; the last of the announcements that has been reached."""
    found = soon(case(), at_noon(END - timedelta(days=days)))
    wanted = Announcement(END, days, "consent-ends", "consents/c1", ("lakeside",), ahead or 0)
    assert found == ([wanted] if ahead else [])


def test_days_are_the_agencys() -> None:
    """At 03:00 UTC it is still the day before in Toronto."""
    night = datetime(2027, 8, 31, 3, tzinfo=UTC)
    assert [(a.days, a.on) for a in soon(case(), night)] == [(1, END)]


def test_further_ahead_if_that_is_asked() -> None:
    assert kinds(case(), at_noon(date(2026, 11, 2))) == []
    (early,) = soon(case(), at_noon(date(2026, 11, 2)), days=365)
    assert (early.kind, early.path, early.ahead) == ("consent-ends", "consents/c1", 0)
    assert kinds(case(), at_noon(END - timedelta(days=20)), days=10) == []


def young(birthday: str = "2027-04-01") -> Any:
    body = case()
    body["child"]["birth_date"] = f"{int(birthday[:4]) - 16}{birthday[4:]}"
    return body


@pytest.mark.parametrize(("days", "there"), [(181, False), (180, True), (61, True), (1, True), (0, False)])
def test_a_birthday_is_announced_a_hundred_and_eighty_days_ahead(days: int, there: bool) -> None:
    """The sixteenth, of a young person for whom a parent consents; on the day itself it has come."""
    birthday = date(2027, 4, 1)
    found = soon(young(), at_noon(birthday - timedelta(days=days)))
    assert found == ([Announcement(birthday, days, "own-age", "child", ("lakeside",), 180)] if there else [])


def test_a_birthday_of_one_who_was_assessed_incapable_changes_nothing() -> None:
    body = young()
    body["child"]["decision_making"] = [
        {"id": "d", "capable": False, "assessed_by": "Dr. Desrosiers", "assessed_on": "2026-06-01"}
    ]
    assert kinds(body, at_noon(date(2027, 3, 1))) == []


def second(body: Any, **fields: Any) -> Any:
    """Another consent beside the first, the same but for these fields."""
    body["consents"].append({**body["consents"][0], "id": "c2", **fields})
    return body


LATE = at_noon(END - timedelta(days=20))
NEXT = {"signed_at": "2027-08-01", "period": {"start": "2027-09-01", "end": "2028-08-31"}}


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        pytest.param(second(case(), **NEXT), [], id="renewed from the next day: nothing ends"),
        pytest.param(
            second(case(), **NEXT, supersedes=["consents/c1"]), [], id="renewed by one that takes its place"
        ),
        pytest.param(
            second(case(), **(NEXT | {"period": {"start": "2027-09-02", "end": "2028-08-31"}})),
            [("consent-ends", "consents/c1")],
            id="renewed a day late: it ends",
        ),
        pytest.param(
            second(case(), **NEXT, provisions=[
                {"id": "p1", "effect": "permit", "to": ["partners/lakeside"], "purposes": ["education-planning"],
                 "parts": ["identity", "goals"]}
            ]),
            [("consent-ends", "consents/c1")],
            id="renewed for fewer parts: it ends",
        ),
        pytest.param(
            second(case(), **NEXT, status="draft"), [("consent-ends", "consents/c1")], id="renewed by a draft: it ends"
        ),
    ],
)  # fmt: skip
def test_what_another_permit_goes_on_to_cover_does_not_end(body: Any, wanted: list[tuple[str, str]]) -> None:
    assert kinds(body, LATE) == wanted


@pytest.mark.parametrize("status", ["draft", "revoked", "superseded", "entered-in-error"])
def test_a_consent_that_permits_nothing_now_does_not_end(status: str) -> None:
    body = case()
    body["consents"][0]["status"] = status
    assert kinds(body, LATE) == []


def of_provision(**fields: Any) -> Any:
    body = case()
    body["consents"][0]["provisions"].append({"id": "p2", **fields})
    return body


NOVEMBER = at_noon(date(2026, 11, 2))
UNTIL_DECEMBER = {"start": "2026-09-01", "end": "2026-12-01"}


def test_a_permit_with_an_end_of_its_own_ends_by_itself() -> None:
    body = of_provision(
        effect="permit", to=["partners/lakeside"], purposes=["education-planning"], parts=["contact"],
        period=UNTIL_DECEMBER,
    )  # fmt: skip
    assert soon(body, NOVEMBER) == [
        Announcement(date(2026, 12, 1), 29, "permit-ends", "consents/c1/provisions/p2", ("lakeside",), 30)
    ]


def test_a_denial_that_ends_is_announced_too() -> None:
    """It lets more be seen; to whom it was denied is who it is about."""
    body = of_provision(effect="deny", to=["partners/lakeside"], parts=["goals"], period=UNTIL_DECEMBER)
    assert kinds(body, NOVEMBER) == [("denial-ends", "consents/c1/provisions/p2")]
    assert soon(body, NOVEMBER)[0].partners == ("lakeside",)


def decider(**fields: Any) -> Any:
    body = case()
    body["people"][0].update(fields)
    return body


def dated(**fields: Any) -> Any:
    body = case()
    body["consents"][0].update(fields)
    return body


def team(**fields: Any) -> Any:
    body = of_provision(effect="permit", to="care-team", purposes=["education-planning"], parts=["contact"])
    body["care_teams"][0]["members"][1].update(fields)
    return body


@pytest.mark.parametrize(
    ("body", "wanted", "on"),
    [
        pytest.param(
            decider(until="2026-11-30"), ("authority-ends", "consents/c1"), date(2026, 11, 30),
            id="the mother's authority ends",
        ),
        pytest.param(
            dated(revoked_on="2026-11-30"), ("revoked", "consents/c1"), date(2026, 11, 30),
            id="a revocation that is dated ahead",
        ),
        pytest.param(
            team(until="2026-11-30"), ("seat-ends", "consents/c1/provisions/p2"), date(2026, 11, 30),
            id="a seat on the team that the consent names",
        ),
    ],
)  # fmt: skip
def test_whatever_ends_a_permission_by_a_date_on_record_is_announced(
    body: Any, wanted: tuple[str, str], on: date
) -> None:
    (found,) = soon(body, NOVEMBER)
    assert ((found.kind, found.path), found.on, found.partners) == (wanted, on, ("lakeside",))


def test_where_each_decision_maker_must_permit_nobodys_permit_goes_on_in_anothers() -> None:
    body = second(case(), granted_by="people/father", period={"start": "2026-09-01", "end": "2028-08-31"})
    body["people"][0]["shared"] = True
    body["people"][1].update(decision_maker=True)
    assert kinds(body, LATE) == [("consent-ends", "consents/c1")]
    body["people"][0].pop("shared")
    assert kinds(body, LATE) == []


def test_every_ending_that_is_announced_ends_something() -> None:
    """The partner sees less, at the first instant after it, than at the last before."""
    for body in (case(), decider(until="2026-11-30"), dated(revoked_on="2026-11-30"), young("2026-12-10")):
        rules = compile_rules(body, BOOK)
        for a in announcements(rules, NOVEMBER, days=365):
            last = a.kind not in ("revoked", "own-age")
            instant = datetime(a.on.year, a.on.month, a.on.day, tzinfo=TORONTO) + timedelta(days=1 if last else 0)
            before = view(body, rules, "lakeside", instant - timedelta(microseconds=1))
            after = view(body, rules, "lakeside", instant)
            assert set(after.labels) < set(before.labels)


def test_each_kind_has_its_sentence() -> None:
    assert all(sentence.endswith(".") for sentence in (*SENTENCES.values(), *SHARE_ALARMS.values()))
