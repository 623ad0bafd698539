"""Searching on /fhir: what is found, page by page, by address and by form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.web.conftest import Web
from tests.web.shapes import assert_error
from tests.web.test_fhir import PATIENT, WHO, goal

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def goals(web: Web) -> list[str]:
    """Seven goals: four of one child, three of another; the last one completed."""
    for child in ("p1", "p2"):
        web.ask(WHO, "PUT", f"/fhir/Patient/{child}", PATIENT | {"id": child})
    made = []
    for number in range(7):
        status = "completed" if number == 6 else "active"
        identifier = [{"system": "https://board.example/goals", "value": f"G{number}"}]
        body = goal(f"Patient/p{1 + number // 4}", lifecycleStatus=status, identifier=identifier)
        made.append(web.ask(WHO, "POST", "/fhir/Goal", body).json["id"])
    return made


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    assert answer.json["type"] == "searchset"
    return [entry["resource"]["id"] for entry in answer.json.get("entry", []) if entry["search"]["mode"] == "match"]


SEARCHES: dict[str, tuple[str, list[int]]] = {
    "everything": ("", [0, 1, 2, 3, 4, 5, 6]),
    "the subject": ("subject=Patient/p1", [0, 1, 2, 3]),
    "the patient by id alone": ("patient=p2", [4, 5, 6]),
    "an identifier": ("identifier=https://board.example/goals|G3", [3]),
    "one of two identifiers": ("identifier=G1,G5", [1, 5]),
    "a status": ("status=completed", [6]),
    "both at once": ("patient=p2&status=active", [4, 5]),
    "nobody": ("patient=p3", []),
}


@pytest.mark.parametrize(("asked", "wanted"), SEARCHES.values(), ids=SEARCHES)
def test_a_search_finds(web: Web, goals: list[str], asked: str, wanted: list[int]) -> None:
    """By GET, by a posted form, and in a transaction: the same."""
    expected = [goals[number] for number in wanted]
    by_get = web.ask(WHO, "GET", f"/fhir/Goal?{asked}")
    by_post = web.ask(WHO, "POST", "/fhir/Goal/_search", asked.encode(), Content_Type=FORM)
    entry = {"request": {"method": "GET", "url": f"Goal?{asked}"}}
    inside = web.ask(WHO, "POST", "/fhir", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    assert found(by_get) == found(by_post) == expected
    assert by_get.json["total"] == inside.json["entry"][0]["resource"]["total"] == len(expected)


def test_by_ids(web: Web, goals: list[str]) -> None:
    """`_id` takes several, and meets the other parameters."""
    assert found(web.ask(WHO, "GET", f"/fhir/Goal?_id={goals[1]},{goals[5]},none&patient=p2")) == [goals[5]]


@pytest.mark.parametrize("asked", ["", "&patient=p1,p2", "&_sort=_lastUpdated", "&_sort=-_lastUpdated"])
def test_pages_hold_everything_once(web: Web, goals: list[str], asked: str) -> None:
    """Following next to the end finds all, nothing twice, and says the same total on each page."""
    address: str | None = f"/fhir/Goal?_count=3{asked}"
    seen: list[str] = []
    while address:
        answer = web.ask(WHO, "GET", address)
        seen += found(answer)
        assert answer.json["total"] == 7
        links = {link["relation"]: link["url"] for link in answer.json["link"]}
        address = "{0.path}?{0.query}".format(urlsplit(links["next"])) if "next" in links else None
    assert seen == (goals[::-1] if "=-" in asked else goals)


def test_the_address_of_the_next_page_tells_nothing(web: Web, goals: list[str]) -> None:
    """What was searched for in a posted form enters no address; and a page opens for its own partner and type only."""
    first = web.ask(WHO, "POST", "/fhir/Goal/_search", b"patient=p1&_count=1", Content_Type=FORM)
    (address,) = (link["url"] for link in first.json["link"] if link["relation"] == "next")
    # One opaque token, in which two letters may stand by chance.
    assert set(parse_qs(urlsplit(address).query)) == {"_page"}
    assert "patient=p1" not in unquote(address)
    parts = urlsplit(address)
    assert_error(web.ask("riverside", "GET", f"{parts.path}?{parts.query}"), 400)
    assert_error(web.ask(WHO, "GET", f"/fhir/Task?{parts.query}"), 400)
    assert_error(web.ask(WHO, "GET", "/fhir/Goal?_page=made-up"), 400)


def test_since_the_server_s_own_time(web: Web, goals: list[str]) -> None:
    """Polling with the time that we stated finds what came later, and not what was there."""
    seen = web.ask(WHO, "GET", f"/fhir/Goal/{goals[3]}").json["meta"]["lastUpdated"]
    at_or_after = found(web.ask(WHO, "GET", "/fhir/Goal", query={"_lastUpdated": f"ge{seen}"}))
    later = found(web.ask(WHO, "GET", "/fhir/Goal", query={"_lastUpdated": f"gt{seen}"}))
    assert goals[3] in at_or_after
    assert goals[3] not in later
    assert goals[6] in later
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    assert found(web.ask(WHO, "GET", f"/fhir/Goal?_lastUpdated=gt{tomorrow}")) == []


def test_only_the_total(web: Web, goals: list[str]) -> None:
    """`_summary=count` and `_count=0` count and show nothing."""
    for asked in ("_summary=count", "_count=0"):
        answer = web.ask(WHO, "GET", f"/fhir/Goal?{asked}&patient=p1")
        assert (answer.json["total"], found(answer)) == (4, [])


def test_an_unknown_parameter_is_refused_unless_the_client_is_lenient(web: Web, goals: list[str]) -> None:
    """Never silently everything: 400, or found with a word about what was left out."""
    refused = web.ask(WHO, "GET", "/fhir/Goal?colour=blue")
    assert_error(refused, 400)
    assert refused.json["issue"][0]["expression"] == ["colour"]
    lenient = web.ask(WHO, "GET", "/fhir/Goal?colour=blue&patient=p1", Prefer="handling=lenient")
    assert len(found(lenient)) == 4
    assert lenient.json["entry"][-1]["search"]["mode"] == "outcome"
