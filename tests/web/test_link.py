"""A signed link: opening it changes nothing, what does not open tells nothing, and what it shows is in the account."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from adapter.core.account.words import LANGUAGES
from adapter.core.partner import Referrals
from adapter.core.referral.table import STATES
from adapter.core.referral.words import FRENCH, WORDS
from adapter.store import links
from adapter.web import link as link_pages
from adapter.web.context import KEY
from tests.verbs.test_answers import NUMBER, case
from tests.web.conftest import Web
from tests.web.shapes import assert_headers

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
STORY = "MARKER the story that the family told once"
SECRET = "MARKER a need that is about mental health, and that the school may not see"


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def said(**referral: Any) -> dict[str, Any]:
    made = case(story=STORY, shares=["needs/n1", "needs/n2"], **referral)
    made["needs"] = [
        {"id": "n1", "text": "A quiet corner to read in", "domain": "learning", "status": "open"},
        {"id": "n2", "text": SECRET, "domain": "mental-health", "topics": ["mental-health"], "status": "open"},
        {"id": "n3", "text": "MARKER a need that is no part of this referral", "domain": "learning", "status": "open"},
    ]
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own(web: Web, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Web:
    """The school answers by a link."""
    monkeypatch.setattr(link_pages, "SLOWEST", 0.02)
    return opened(web, clock, "generic")


def opened(web: Web, clock: Clock, dialect: str, **referral: Any) -> Web:
    desk = web.app.extensions[KEY]
    lakeside = replace(desk.catalogue.partners["lakeside"], referrals=Referrals(dialect, "link"))
    partners = {**desk.catalogue.partners, "lakeside": lakeside}
    bench = replace(desk.bench, rulebook=replace(desk.bench.rulebook, partners=partners))
    catalogue = replace(desk.catalogue, partners=partners)
    web.app.extensions[KEY] = replace(desk, clock=clock, catalogue=catalogue, bench=bench)
    assert web.ask("source", "PUT", f"/api/cases/{NUMBER}", said(**referral)).status_code == 202
    return web


@pytest.fixture
def made(own: Web) -> tuple[str, str]:
    return make(own)


def make(web: Web, **body: Any) -> tuple[str, str]:
    """(path, code) of a new link."""
    answer = web.ask("coordinator", "POST", f"/api/referrals/{NUMBER}/r1/links", body)
    assert answer.status_code == 201, answer.json
    return re.sub(r"^https?://[^/]+", "", answer.json["link"]), answer.json["code"]


def post(web: Web, path: str, **form: str) -> TestResponse:
    return web.app.test_client().post(path, data=form)


def ticket(page: TestResponse) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found
    return found[1]


def account(web: Web) -> list[dict[str, Any]]:
    lines = web.ask("privacy", "GET", f"/api/cases/{NUMBER}/disclosures").json
    return [line for line in lines if line["partner"] == "lakeside"]


def state(web: Web) -> dict[str, Any]:
    found: dict[str, Any] = web.ask("coordinator", "GET", f"/api/referrals/{NUMBER}/r1").json
    return found


def test_opening_the_address_consumes_and_changes_nothing(own: Web, made: tuple[str, str]) -> None:
    """As mail scanners do, by GET and HEAD: the same bytes as for an address that is none; then it opens."""
    path, code = made
    before = account(own)
    client = own.app.test_client()
    pages = [client.get(path) for _ in range(3)] + [client.get("/r/unknown"), client.get(f"{path}x")]
    assert {page.status_code for page in pages} == {200}
    assert len({page.data for page in pages}) == 1
    assert client.head(path).status_code == 200
    assert not pages[0].headers.get_all("Set-Cookie")
    assert b"MARKER" not in pages[0].data
    assert account(own) == before
    assert [link["wrong_codes"] for link in listed(own)] == [0]
    assert post(own, path, code=code).status_code == 200


def listed(web: Web) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = web.ask("coordinator", "GET", f"/api/referrals/{NUMBER}/r1/links").json
    return found


def test_the_page_shows_the_package_of_the_referral_and_nothing_withheld(own: Web, made: tuple[str, str]) -> None:
    page = post(own, made[0], code=made[1])
    assert_headers(page)
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "http" not in re.sub(r"<!--.*?-->", "", page.text), "nothing of a third party is loaded or linked"
    for shown in (STORY, "A quiet corner to read in", "A place in the reading group"):
        assert shown in page.text
    assert SECRET not in page.text
    assert "no part of this referral" not in page.text


def test_what_is_shown_is_in_the_account_before_it_is(own: Web, made: tuple[str, str]) -> None:
    post(own, made[0], code=made[1])
    lines = account(own)
    assert {line["record"] for line in lines} == {"referrals/r1", "child", "needs/n1"}
    assert {(line["kind"], line["operation"]) for line in lines} == {("delivered", "read")}
    assert all(line["consents"] == ["consents/c1@1"] for line in lines)
    statement = own.ask("privacy", "GET", f"/api/cases/{NUMBER}/statement")
    assert "Received from us" in statement.text


SHUT = {
    "a wrong code": lambda web, path, clock: (path, "0000 0001"),
    "no code": lambda web, path, clock: (path, ""),
    "an address that is none": lambda web, path, clock: ("/r/" + "x" * 43, "1234 5678"),
}


def _expired(web: Web, clock: Clock) -> None:
    clock.now = NOW + timedelta(days=15)


def _revoked(web: Web, clock: Clock) -> None:
    for link in listed(web):
        path = f"/api/referrals/{NUMBER}/r1/links/{link['link']}"
        assert web.ask("privacy", "DELETE", path).status_code == 200


def _consent_ended(web: Web, clock: Clock) -> None:
    gone = said()
    gone["consents"][0]["status"] = "revoked"
    assert web.ask("source", "PUT", f"/api/cases/{NUMBER}", gone).status_code == 202


def _no_referral(web: Web, clock: Clock) -> None:
    gone = said()
    del gone["referrals"]
    assert web.ask("source", "PUT", f"/api/cases/{NUMBER}", gone).status_code == 202


def _deleted(web: Web, clock: Clock) -> None:
    assert web.ask("source", "DELETE", f"/api/cases/{NUMBER}").status_code == 202


OVER = {
    "it has expired": _expired, "it was revoked": _revoked, "the consent was revoked": _consent_ended,
    "the referral is gone": _no_referral, "the case is deleted": _deleted,
}  # fmt: skip


@pytest.mark.parametrize("over", OVER.values(), ids=OVER)
def test_a_link_that_is_over_is_as_an_unknown_one(own: Web, made: tuple[str, str], clock: Clock, over: Any) -> None:
    """The same bytes, whether it is over, unknown, or the code is wrong; also for a page that was open before."""
    path, code = made
    wrong = post(own, path, code="0000 0001")
    kept = ticket(post(own, path, code=code))
    over(own, clock)
    lines = account(own)
    answers = [post(own, path, code=code), post(own, path, ticket=kept, do="accepted"), post(own, "/r/x", code=code)]
    for answer in answers:
        assert (answer.status_code, answer.data) == (403, wrong.data)
        assert dict(answer.headers) | {"Date": ""} == dict(wrong.headers) | {"Date": ""}
    assert account(own) == lines


def test_refusals_take_their_time_whatever_is_wrong(
    own: Web, made: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link_pages, "SLOWEST", 0.3)
    _consent_ended(own, Clock())
    for path, code in ((made[0], made[1]), (made[0], "1"), ("/r/unknown", "1")):
        begun = time.monotonic()
        assert post(own, path, code=code).status_code == 403
        assert time.monotonic() - begun >= 0.3


def test_wrong_codes_let_a_link_rest_and_in_the_end_shut_it(own: Web, made: tuple[str, str], clock: Clock) -> None:
    path, code = made
    for _ in range(links.TRIES):
        assert post(own, path, code="0000 0001").status_code == 403
    assert post(own, path, code=code).status_code == 403, "it rests"
    clock.now += links.REST + timedelta(seconds=1)
    assert post(own, path, code=code).status_code == 200
    for _ in range(links.MOST_TRIES):
        post(own, path, code="0000 0001")
        clock.now += links.REST
    assert post(own, path, code=code).status_code == 403
    assert not listed(own)[0]["opens"]


def answer(web: Web, made: tuple[str, str], **form: str) -> TestResponse:
    return post(web, made[0], ticket=ticket(post(web, made[0], code=made[1])), **form)


def test_a_whole_life_through_the_page(own: Web, made: tuple[str, str]) -> None:
    for form in ({"do": "accepted"}, {"do": "schedule", "day": "2027-01-05"}, {"do": "in-progress"},
                 {"do": "completed", "result": "Twelve evenings of reading"}):  # fmt: skip
        page = answer(own, made, **form)
        assert page.status_code == 200
        assert "Thank you" in page.text
    told = state(own)
    assert [(s["from"], s["to"], s.get("business_status", "")) for s in told["history"]] == [
        ("requested", "accepted", ""), ("accepted", "accepted", "scheduled"), ("accepted", "in-progress", ""),
        ("in-progress", "completed", ""),
    ]  # fmt: skip
    assert (told["state"], told["request"], told["result"]) == ("completed", "requested", "Twelve evenings of reading")
    assert post(own, made[0], code=made[1]).status_code in (200, 403)


def test_a_decline_needs_its_reason(own: Web, made: tuple[str, str]) -> None:
    page = answer(own, made, do="rejected")
    assert page.status_code == 422
    assert "say why" in page.text
    assert state(own)["state"] == "requested"
    assert answer(own, made, do="rejected", reason="We are full until summer").status_code in (200, 403)
    assert (state(own)["state"], state(own)["reason"]) == ("rejected", "We are full until summer")


@pytest.mark.parametrize(
    "form",
    [{"do": "completed"}, {"do": "requested"}, {"do": ""}, {"do": "schedule", "day": "2027-01-05"},
     {"do": "entered-in-error"}, {"do": "accepted", "reason": "x" * 5001}],
    ids=["too early", "not theirs", "nothing", "before accepting", "the sender's", "too long"],
)  # fmt: skip
def test_what_cannot_be_answered_is_said_and_changes_nothing(
    own: Web, made: tuple[str, str], form: dict[str, str]
) -> None:
    assert answer(own, made, **form).status_code == 422
    assert state(own)["history"] == []


def test_the_same_form_twice_is_one_answer(own: Web, made: tuple[str, str]) -> None:
    kept = ticket(post(own, made[0], code=made[1]))
    for _ in range(2):
        assert post(own, made[0], ticket=kept, do="accepted").status_code == 200
    assert [step["to"] for step in state(own)["history"]] == ["accepted"]


def test_nobody_answers_without_a_form_of_ours(own: Web, made: tuple[str, str], clock: Clock) -> None:
    """A ticket of another link, one that was changed, or one that is too old opens nothing."""
    kept = ticket(post(own, made[0], code=made[1]))
    other, _ = make(own)
    assert post(own, other, ticket=kept, do="accepted").status_code == 403
    assert post(own, made[0], ticket=kept[:-4] + "AAAA", do="accepted").status_code == 403
    assert post(own, made[0], do="accepted").status_code == 403
    clock.now += timedelta(minutes=31)
    assert post(own, made[0], ticket=kept, do="accepted").status_code == 403
    assert state(own)["history"] == []


def test_texts_of_the_page_are_written_as_text(own: Web, made: tuple[str, str]) -> None:
    hostile = said()
    hostile["referrals"][0]["story"] = "<script>alert(1)</script>"
    assert own.ask("source", "PUT", f"/api/cases/{NUMBER}", hostile).status_code == 202
    assert "<script>" not in post(own, made[0], code=made[1]).text


def test_who_may_make_a_link_and_for_whom(own: Web) -> None:
    path = f"/api/referrals/{NUMBER}/r1/links"
    for role, status in (("source", 403), ("privacy", 403), ("engineer", 403), ("coordinator", 201), ("admin", 201)):
        assert own.ask(role, "POST", path, {}).status_code == status
    for body in ({"days": 0}, {"days": 91}, {"days": "7"}, {"days": True}, {"hours": 1}):
        assert own.ask("coordinator", "POST", path, body).status_code == 422
    _consent_ended(own, Clock())
    assert own.ask("coordinator", "POST", path, {}).status_code == 409
    told = own.ask("coordinator", "GET", path)
    assert "token" not in told.text
    assert "code" not in {key for row in told.json for key in row}


def test_a_partner_that_answers_otherwise_gets_no_link(web: Web, clock: Clock) -> None:
    opened(web, clock, "generic")
    desk = web.app.extensions[KEY]
    usual = replace(desk.catalogue.partners["lakeside"], referrals=Referrals())
    catalogue = replace(desk.catalogue, partners={**desk.catalogue.partners, "lakeside": usual})
    web.app.extensions[KEY] = replace(desk, catalogue=catalogue)
    assert web.ask("coordinator", "POST", f"/api/referrals/{NUMBER}/r1/links", {}).status_code == 409


def test_neither_address_nor_code_stands_in_the_database(own: Web, made: tuple[str, str]) -> None:
    path, code = made
    file = own.store._engine.url.database
    assert file is not None
    content = b"".join(each.read_bytes() for each in Path(file).parent.glob("adapter.db*"))
    assert path.removeprefix("/r/").encode() not in content
    assert code.replace(" ", "").encode() not in content
    assert b"lakeside" in content


@pytest.mark.parametrize("language", ["en", "fr"])
def test_in_either_language_what_does_not_open_is_the_same(own: Web, made: tuple[str, str], language: str) -> None:
    """A wrong code, an unknown address, one that is over: the same bytes in French too; and so is the way in."""
    client, asks = own.app.test_client(), {"Accept-Language": "fr-CA,fr;q=0.9" if language == "fr" else "en-CA"}
    doors = {client.get(path, headers=asks).data for path in (made[0], "/r/unknown")}
    assert len(doors) == 1
    assert f'<html lang="{language}">'.encode() in doors.pop()
    shut = [client.post(path, data={"code": "0000 0001"}, headers=asks) for path in (made[0], "/r/unknown")]
    _revoked(own, Clock())
    shut.append(client.post(made[0], data={"code": made[1]}, headers=asks))
    assert {answer.status_code for answer in shut} == {403}
    assert len({answer.data for answer in shut}) == 1
    assert len({tuple(h for h in answer.headers if h[0] != "Date") for answer in shut}) == 1
    assert shut[0].headers["Content-Language"] == language
    assert shut[0].headers["Vary"] == "Accept-Language"


CHOSEN = {
    "the browser asks for French": ({}, "fr-CA,en;q=0.8", "fr"),
    "it asks for a language that is none of these": ({}, "de", "en"),
    "it asks for nothing": ({}, "", "en"),
    "French was chosen": ({"language": "fr"}, "en", "fr"),
    "English was chosen": ({"language": "en"}, "fr", "en"),
    "something else was chosen": ({"language": "../de"}, "fr", "fr"),
}


@pytest.mark.parametrize(("form", "asks", "language"), CHOSEN.values(), ids=CHOSEN)
def test_the_page_is_in_the_language_of_its_reader(
    own: Web, made: tuple[str, str], form: dict[str, str], asks: str, language: str
) -> None:
    page = own.app.test_client().post(made[0], data={"code": made[1], **form}, headers={"Accept-Language": asks})
    assert page.status_code == 200
    assert ("Ce que la famille a déjà raconté" in page.text) is (language == "fr")
    assert STORY in page.text, "the record's words stay as they are"
    assert not page.headers.getlist("Set-Cookie")


def test_the_other_language_answers_nothing_and_is_accounted_for(own: Web, made: tuple[str, str]) -> None:
    opened_ = post(own, *made[:1], code=made[1])
    before = len(account(own))
    page = post(own, made[0], ticket=ticket(opened_), show="fr", do="accepted")
    assert page.status_code == 200
    assert "Nous acceptons" in page.text
    assert state(own)["history"] == []
    assert len(account(own)) == before + 3
    assert post(own, "/r/unknown", ticket=ticket(opened_), show="fr").status_code == 403


def test_what_was_filled_in_stays_where_it_is_no_answer_yet(own: Web, made: tuple[str, str]) -> None:
    page = answer(own, made, do="schedule", reason="We meet at the library", day="tomorrow")
    assert page.status_code == 422
    assert 'value="We meet at the library"' in page.text


def test_every_word_stands_in_both_languages(own: Web) -> None:
    """The same names in each; a French word for every code that a referral may hold."""
    assert set(WORDS) == set(LANGUAGES)
    assert set(WORDS["en"]) == set(WORDS["fr"])
    assert {name for name in WORDS["en"] if "{" in WORDS["en"][name]} == {
        name for name in WORDS["fr"] if "{" in WORDS["fr"][name]
    }
    assert {f"state-{each}" for each in STATES} <= set(WORDS["en"])
    codes = own.app.extensions[KEY].catalogue.codes
    for map_, words in FRENCH.items():
        assert set(words) == set(codes[map_].translations), map_
        assert all(words.values())
    template = (Path(link_pages.__file__).parent / "console/templates/link_referral.html").read_text("utf-8")
    assert set(re.findall(r'say\["([a-z-]+[a-z])"\]', template)) <= set(WORDS["en"])
