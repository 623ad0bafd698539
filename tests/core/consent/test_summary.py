"""An explanation at a glance, and the same for another time: by the dates on record, nothing else (`?at=`)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapter.core.consent.explain import REASONS, explain
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.summary import by_part
from adapter.core.consent.view import view
from tests.core.consent.builders import NOW, case, rulebook

BOOK = rulebook()
TORONTO = ZoneInfo("America/Toronto")


def parts(body: Any, at: datetime = NOW, partner: str = "lakeside") -> dict[str, dict[str, Any]]:
    rules = compile_rules(body, BOOK)
    told = explain(body, rules, partner, at, view(body, rules, partner, at))
    return {row["part"]: row for row in by_part(body, BOOK, told)}


def counts(row: dict[str, Any]) -> tuple[int, int, int]:
    return row["shared"], row["partly"], row["withheld"]


def test_each_part_that_the_case_holds_something_of_has_a_row_in_the_order_of_a_form() -> None:
    found = list(parts(case()))
    assert found == [part for part in BOOK.parts if part in found]
    assert {"identity", "goals", "crisis", "documents"} <= set(found)
    assert "consents" not in found
    body = case()
    body.pop("risks")
    body["care_plans"][0]["sections"].pop(1)
    assert "crisis" not in parts(body)


@pytest.mark.parametrize(
    ("part", "outcome", "numbers", "reason"),
    [
        pytest.param("strengths", "shared", (1, 0, 0), None, id="a part that is shared whole has no reason"),
        pytest.param("identity", "partly", (0, 1, 0), "topic", id="who the child is, but for the pronouns"),
        pytest.param("goals", "partly", (2, 0, 1), "topic", id="one goal of three is withheld, for its topic"),
        pytest.param("crisis", "withheld", (0, 0, 2), "part", id="a part that the consent does not name"),
        pytest.param("services", "partly", (0, 1, 0), "topic", id="a plan of which one service may not be seen"),
    ],
)
def test_a_row_counts_records_and_says_why(
    part: str, outcome: str, numbers: tuple[int, int, int], reason: str | None
) -> None:
    row = parts(case())[part]
    assert (row["outcome"], counts(row)) == (outcome, numbers)
    assert row["reasons"] == ([REASONS[reason]] if reason else [])


def test_where_identity_is_withheld_everything_is() -> None:
    """Also what a permit names: the row says that the partner may not be told who the child is."""
    body = case()
    body["consents"][0]["provisions"][0]["parts"] = ["goals"]
    found = parts(body)
    assert {row["outcome"] for row in found.values()} == {"withheld"}
    assert counts(found["goals"]) == (0, 0, 3)


def test_no_consent_no_row_that_shares() -> None:
    body = case()
    body["consents"] = []
    found = parts(body)
    assert {row["outcome"] for row in found.values()} == {"withheld"}
    assert found["goals"]["reasons"] == [REASONS["silence"]]


def at(day: str, hour: int = 0, minute: int = 0) -> datetime:
    on = date.fromisoformat(day)
    return datetime(on.year, on.month, on.day, hour, minute, tzinfo=TORONTO).astimezone(UTC)


def dated(**fields: Any) -> Any:
    body = case()
    body["consents"][0].update(fields)
    return body


def young() -> Any:
    body = case()
    body["child"]["birth_date"] = "2011-03-01"
    return body


@pytest.mark.parametrize(
    ("body", "moment", "outcome", "reason"),
    [
        pytest.param(case(), at("2026-08-31", 23, 59), "withheld", "unsigned", id="before it was signed"),
        pytest.param(case(), at("2026-09-01"), "partly", "topic", id="from the first instant of its first day"),
        pytest.param(case(), at("2027-08-31", 23, 59), "partly", "topic", id="to the last minute of its last day"),
        pytest.param(case(), at("2027-09-01"), "withheld", "ended", id="not after it"),
        pytest.param(
            dated(period={"start": "2026-10-01", "end": "2027-08-31"}), at("2026-09-15"), "withheld", "not-begun",
            id="signed, but not begun",
        ),
        pytest.param(
            dated(revoked_on="2027-01-15"), at("2027-01-14", 23, 59), "partly", "topic", id="a revocation ahead: before"
        ),
        pytest.param(dated(revoked_on="2027-01-15"), at("2027-01-15"), "withheld", "revoked", id="and from its day on"),
        pytest.param(young(), at("2027-02-28", 23, 59), "partly", "topic", id="the day before the sixteenth birthday"),
        pytest.param(young(), at("2027-03-01"), "withheld", "own-age", id="from the sixteenth birthday on"),
    ],
)  # fmt: skip
def test_another_time_is_told_by_the_dates_on_record(body: Any, moment: datetime, outcome: str, reason: str) -> None:
    """What the explanation says of a time is what is shared then."""
    row = parts(body, moment)["goals"]
    assert row["outcome"] == outcome
    assert REASONS[reason] in row["reasons"]
    rules = compile_rules(body, BOOK)
    assert ("goals/g1" in view(body, rules, "lakeside", moment).labels) == (outcome == "partly")
