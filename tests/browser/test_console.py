"""The console in a real Chromium: each page loads without a word from the browser, and can be read by everyone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from adapter.answers import names_at
from adapter.core.diff import Holding
from adapter.core.purge import Purge
from adapter.core.residue import PURGE
from adapter.store import cases, purges, shares
from adapter.web.context import KEY
from tests.browser.access import faults
from tests.browser.conftest import Visit, Visitor
from tests.verbs.agency import case_of
from tests.verbs.test_answers import NUMBER
from tests.web.conftest import Web
from tests.web.test_link import answer, make, said, state

SCREENS: dict[str, dict[str, Any]] = {
    "a desk": {},
    "a telephone": {"viewport": {"width": 320, "height": 640}},
    "a dark desk": {"color_scheme": "dark"},
}


def signed_in(web: Web, visit: Visit, role: str = "coordinator", **how: Any) -> Visitor:
    visitor = visit(**how)
    visitor.go("/").get_by_label("Your token").fill(web.tokens[role])
    visitor.send("Sign in")
    assert visitor.page.get_by_role("button", name="Sign out").is_visible()
    return visitor


def beside(web: Web) -> None:
    """The accepted referral was passed on by its receiver, and another was made in parallel with it."""
    made = said(parallel=["referrals/r2"])
    made["referrals"].append({**made["referrals"][0], "id": "r2", "parallel": []})
    assert web.ask("source", "PUT", f"/api/cases/{NUMBER}", made).status_code == 202
    names = names_at(web.app.extensions[KEY].bench.identity("lakeside"), NUMBER, "referrals/r1")
    part = {
        "resourceType": "Task", "id": "c1", "intent": "order", "status": "in-progress",
        "partOf": [{"identifier": {"system": names.system, "value": names.value}}],
        "owner": {"display": "The clinic at Wickenbrook"}, "statusReason": {"text": "Two evenings a week"},
    }  # fmt: skip
    assert web.ask("lakeside", "PUT", "/fhir/Task/c1", part).status_code == 201


def asked_to_purge(web: Web, number: str) -> None:
    """The school was asked 45 days ago to purge what was taken back of this case."""
    now = web.app.extensions[KEY].clock()
    with web.store.writing() as tx:
        stored = cases.get(tx, number)
        assert stored is not None
        share = next(s for s in shares.of_case(tx, stored.id) if s.partner == "lakeside")
        task = Holding("urn:uuid:1", "Task", ("https://agency.example.ca/id", "0123"), "7", "1", "h", about=PURGE)
        purges.begin(tx, share.id, task, Purge("h", on=now.isoformat()), now=now - timedelta(days=45))


LONG = "C-2026-Wolfeschlegelsteinhausenbergerdorff-0000000000000000001"
"""An agency may number its cases so."""


@pytest.mark.parametrize("how", [SCREENS["a telephone"], {"viewport": {"width": 390, "height": 844}}])
def test_a_long_number_of_a_case_fits_on_a_telephone(own: Web, visit: Visit, how: dict[str, Any]) -> None:
    case = {**case_of("ontario-csp"), "case": LONG}
    assert own.ask("source", "PUT", f"/api/cases/{LONG}", case).status_code == 202
    asked_to_purge(own, LONG)
    visitor = signed_in(own, visit, **how)
    for path in ("/", "/waiting", f"/cases/{LONG}", f"/waiting/{LONG}", f"/purges/{LONG}/lakeside"):
        assert faults(visitor.go(path)) == [], path


def test_a_coordinator_writes_down_what_a_partner_says_with_the_keyboard_alone(own: Web, visit: Visit) -> None:
    """From the list of what waits to the form; what is missing is said, and what was filled in stays."""
    case = case_of("ontario-csp")
    assert own.ask("source", "PUT", f"/api/cases/{case['case']}", case).status_code == 202
    asked_to_purge(own, case["case"])
    visitor = signed_in(own, visit)
    page = visitor.go("/waiting")
    page.get_by_role("link", name=f"Write down what lakeside says of {case['case']}").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.get_by_role("radio", name="It has removed its copies").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("by tele")
    page.get_by_label("When did it say so?").fill("2026-11-20")
    assert visitor.send("Write it down") == 422
    assert page.get_by_role("alert").is_visible()
    assert page.get_by_role("radio", name="It keeps its copies").is_checked()
    assert faults(page) == []
    page.get_by_label("Why (").fill("The law of the province asks for it")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator("dl").get_by_text("by telephone").is_visible()
    visitor.assert_clean()


@pytest.mark.parametrize("how", SCREENS.values(), ids=SCREENS)
def test_every_page_loads_and_can_be_read_by_everyone(own: Web, visit: Visit, how: dict[str, Any]) -> None:
    """The way in, the first page, the board, one referral, a case, what waits and its texts, the waitlist."""
    case = case_of("ontario-csp")
    assert own.ask("source", "PUT", f"/api/cases/{case['case']}", case).status_code == 202
    answer(own, make(own), do="accepted")
    beside(own)
    asked_to_purge(own, case["case"])
    visitor = visit(**how)
    assert faults(visitor.go("/")) == []
    visitor = signed_in(own, visit, **how)
    pages = ["/", "/referrals", f"/referrals/{NUMBER}/r1", f"/cases/{case['case']}", "/waitlist", "/waiting",
             f"/waiting/{case['case']}", "/inbox", f"/purges/{case['case']}/lakeside", "/cases/none"]  # fmt: skip
    for path in pages:
        page = visitor.go(path)
        assert (visitor.status, faults(page)) == (404 if path.endswith("none") else 200, []), path
    page = visitor.go(f"/referrals/{NUMBER}/r1")
    assert page.get_by_role("button", name="Cancel the others").is_visible()
    assert page.get_by_text("The clinic at Wickenbrook").is_visible()
    visitor.assert_clean()


def test_a_wrong_token_opens_nothing_and_is_said(own: Web, visit: Visit) -> None:
    visitor = visit()
    page = visitor.go("/")
    page.get_by_label("Your token").fill("csp_no_such_token")
    assert visitor.send("Sign in") == 401
    assert page.get_by_role("alert").is_visible()
    assert faults(page) == []
    assert visitor.go("/referrals").locator("h1").inner_text() != "Referrals"
    assert {cookie["name"] for cookie in visitor.context.cookies()} == {"csp_form"}
    visitor.assert_clean()


def test_the_session_is_out_of_reach_for_scripts_and_ends(own: Web, visit: Visit) -> None:
    visitor = signed_in(own, visit)
    cookies = {cookie["name"]: cookie for cookie in visitor.context.cookies()}
    assert set(cookies) == {"csp_session", "csp_form"}
    assert all(cookie["httpOnly"] and cookie["sameSite"] == "Strict" for cookie in cookies.values())
    assert visitor.page.evaluate("() => document.cookie") == ""
    visitor.send("Sign out")
    assert visitor.page.get_by_label("Your token").is_visible()
    assert visitor.go("/referrals").locator("h1").inner_text() != "Referrals"
    visitor.assert_clean()


def test_a_coordinator_finds_a_referral_on_the_board_and_cancels_it(own: Web, visit: Visit) -> None:
    visitor = signed_in(own, visit)
    page = visitor.go("/referrals")
    page.get_by_role("link", name=f"r1 of case {NUMBER}").click()
    page.wait_for_url(re.compile(f"/referrals/{NUMBER}/r1$"))
    page.get_by_label("Why it is cancelled").fill("The family has moved away")
    visitor.send("Cancel this referral")
    assert page.locator("dl").get_by_text("cancelled", exact=True).first.is_visible()
    assert state(own)["state"] == "cancelled"
    visitor.assert_clean()


def test_the_privacy_officer_sees_the_referral_and_steers_nothing(own: Web, visit: Visit) -> None:
    visitor = signed_in(own, visit, "privacy")
    page = visitor.go(f"/referrals/{NUMBER}/r1")
    assert page.get_by_role("button", name="Cancel this referral").count() == 0
    visitor.assert_clean()
