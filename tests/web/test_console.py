"""The first page: who sees what, how one signs in and out, and that it works without scripts."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapter.show import shares
from adapter.store import tokens
from tests.web.conftest import ROOT, Web
from tests.web.shapes import assert_error, assert_headers


def mark_of(page: TestResponse) -> str:
    found = re.search(r'name="mark" value="([0-9a-f]+)"', page.text)
    assert found
    return found[1]


def sign_in(web: Web, who: str) -> tuple[FlaskClient, TestResponse]:
    browser = web.app.test_client()
    form = {"mark": mark_of(browser.get("/")), "token": web.tokens[who]}
    return browser, browser.post("/sign-in", data=form)


@pytest.fixture
def case(web: Web) -> str:
    """The number of a case that is there."""
    said = json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))
    assert web.ask("source", "PUT", f"/api/cases/{said['case']}", said).status_code == 202
    return str(said["case"])


@pytest.mark.parametrize("who", ["coordinator", "privacy", "admin"])
def test_those_who_may_see_cases_see_them(web: Web, case: str, who: str) -> None:
    """The case by its number, its shares, the partners; and no name of a child."""
    browser, answer = sign_in(web, who)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    page = browser.get("/")
    assert_headers(page)
    assert case in page.text
    assert "Lakeside District School Board" in page.text
    assert case not in re.findall(r"<title>(.*?)</title>", page.text)[0]


def test_an_engineer_sees_partners_and_no_case(web: Web, case: str) -> None:
    """Partners are theirs to connect; cases are not."""
    browser, _ = sign_in(web, "engineer")
    page = browser.get("/")
    assert "Lakeside District School Board" in page.text
    assert case not in page.text


@pytest.mark.parametrize("who", ["source", "lakeside", "riverside", "revoked"])
def test_other_tokens_open_no_page(web: Web, case: str, who: str) -> None:
    """Programs, partners and revoked tokens: the same words as for a token that never was."""
    browser, answer = sign_in(web, who)
    unknown = browser.post("/sign-in", data={"mark": mark_of(browser.get("/")), "token": "csp_unknown"})
    assert answer.status_code == unknown.status_code == 401
    assert answer.text.replace(mark_of(answer), "") == unknown.text.replace(mark_of(unknown), "")
    assert case not in browser.get("/").text


def test_the_session_cannot_be_read_used_by_others_or_made_up(web: Web, case: str) -> None:
    """HttpOnly, SameSite=Strict, opaque; a changed one is nobody."""
    browser, answer = sign_in(web, "coordinator")
    (cookie,) = (said for said in answer.headers.getlist("Set-Cookie") if said.startswith("csp_session="))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert web.tokens["coordinator"] not in cookie
    value = cookie.split(";")[0].partition("=")[2]
    browser.set_cookie("csp_session", value[:-6] + "AAAAA=")
    assert case not in browser.get("/").text
    browser.set_cookie("csp_session", web.tokens["coordinator"])
    assert case not in browser.get("/").text


def test_a_revoked_token_ends_its_session_at_once(web: Web, case: str) -> None:
    """The page asks each time whether the token still holds."""
    browser, _ = sign_in(web, "coordinator")
    assert case in browser.get("/").text
    with web.store.writing() as tx:
        for issued in tokens.listed(tx):
            tokens.revoke(tx, issued.id, datetime.now(UTC))
    assert case not in browser.get("/").text


def test_signing_out_ends_the_session(web: Web, case: str) -> None:
    """And needs a form of ours."""
    browser, _ = sign_in(web, "coordinator")
    assert_error(browser.post("/sign-out"), 403)
    assert case in browser.get("/").text
    assert browser.post("/sign-out", data={"mark": mark_of(browser.get("/"))}).status_code == 303
    assert case not in browser.get("/").text


def test_a_form_from_elsewhere_does_nothing(web: Web) -> None:
    """No mark, another's mark, a mark without the browser's own value: 403."""
    other = mark_of(web.app.test_client().get("/"))
    for data in ({}, {"mark": "0"}, {"mark": other}):
        assert_error(web.app.test_client().post("/sign-in", data=data | {"token": web.tokens["admin"]}), 403)
        browser = web.app.test_client()
        browser.get("/")
        assert_error(browser.post("/sign-in", data=data | {"token": web.tokens["admin"]}), 403)


def test_a_session_does_not_open_the_api(web: Web, case: str) -> None:
    """A cookie is for pages only: other sites cannot make a browser act on the API."""
    browser, _ = sign_in(web, "admin")
    assert_error(browser.delete(f"/api/cases/{case}"), 401)


def test_every_case_is_reached_page_by_page(web: Web, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = json.loads((ROOT / "fixtures" / "minimal" / "case.json").read_text(encoding="utf-8"))
    for number in ("C-7", "C-0008"):
        assert web.ask("source", "PUT", f"/api/cases/{number}", said | {"case": number}).status_code == 202
    monkeypatch.setattr(shares, "FIRST_PAGE", 2)
    browser, _ = sign_in(web, "coordinator")
    first = browser.get("/").text
    found = re.search(r'<a href="(/\?after=[^"]+)">The next cases</a>', first)
    assert found, "there are three cases, and two on a page"
    second = browser.get(found[1]).text
    assert re.findall(r'href="/cases/([^"]+)"', first + second) == [case, "C-7", "C-0008"]
    assert "The next cases" not in second


class Structure(HTMLParser):
    """What a screen reader and a keyboard find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, name: str) -> list[dict[str, Any]]:
        return [attrs for tag, attrs in self.tags if tag == name]


@pytest.mark.parametrize("who", [None, "coordinator", "engineer"])
def test_a_page_is_for_everyone(web: Web, case: str, who: str | None) -> None:
    """Language, one heading, landmarks, labels, table headers; no script, no style inside, nothing from elsewhere."""
    browser = sign_in(web, who)[0] if who else web.app.test_client()
    text = browser.get("/").text
    page = Structure(text)
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("header")) == 1
    assert all("scope" in header for header in page.all("th"))
    labelled = {label["for"] for label in page.all("label")}
    assert all(field.get("type") == "hidden" or field["id"] in labelled for field in page.all("input"))
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert all(attrs["href"].removeprefix("#") in ids for attrs in page.all("a") if attrs["href"].startswith("#"))
    assert not page.all("script")
    assert not page.all("style")
    assert not any(name.startswith("on") or name == "style" for _, attrs in page.tags for name in attrs)
    assert "://" not in text.replace("http://www.w3.org", "")


def test_what_people_write_is_shown_as_text(web: Web) -> None:
    """A label of a token is nobody's markup."""
    with web.store.writing() as tx:
        made = tokens.new(tx, role="admin", label="<script>alert(1)</script>", now=datetime.now(UTC))
    browser = web.app.test_client()
    browser.post("/sign-in", data={"mark": mark_of(browser.get("/")), "token": made})
    page = browser.get("/").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
