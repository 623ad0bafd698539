"""Who may do what: the table is whole, and every line of it holds."""

from __future__ import annotations

import re

import pytest

from adapter.web.auth import ADMISSIONS
from tests.web.conftest import ROLES, Web
from tests.web.shapes import assert_error, assert_headers

EXAMPLES = {
    "case": "C-1",
    "collection": "goals",
    "record": "g1",
    "referral": "r1",
    "link_": "1",
    "token": "x",
    "mark": "x",
    "partner": "lakeside",
    "type_": "Goal",
    "id_": "g1",
    "version": "1",
    "item": "0" * 32,
    "form": "default",
    "consent": "c1",
    "path:filename": "style.css",
}
GUARDED = {key: admission for key, admission in ADMISSIONS.items() if admission.door == "token"}
LINES = [f"{method} {rule}" for method, rule in GUARDED]


def address(rule: str) -> str:
    return re.sub(r"<([a-z:_]+)>", lambda name: EXAMPLES[name[1]], rule)


def test_every_route_is_in_the_table_and_the_table_has_no_other(shared_web: Web) -> None:
    """A route that nobody thought about cannot be added; a line that lost its route is noticed."""
    routes = {
        (method, rule.rule)
        for rule in shared_web.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(ADMISSIONS)


def test_a_route_that_is_not_in_the_table_opens_for_nobody(own_web: Web) -> None:
    """Fail closed."""
    own_web.app.add_url_rule("/api/forgotten", view_func=lambda: "secret")
    assert_error(own_web.ask("admin", "GET", "/api/forgotten"), 403)


@pytest.mark.parametrize("key", GUARDED, ids=LINES)
def test_without_a_token_nothing_opens(shared_web: Web, key: tuple[str, str]) -> None:
    """No token, another scheme, an unknown or a revoked token: 401 with the same body, and how to come back."""
    method, rule = key
    answers = [
        shared_web.ask(None, method, address(rule)),
        shared_web.ask(None, method, address(rule), Authorization="Bearer"),
        shared_web.ask(None, method, address(rule), Authorization="Bearer csp_unknown"),
        shared_web.ask(None, method, address(rule), Authorization=f"Basic {shared_web.tokens['admin']}"),
        shared_web.ask("revoked", method, address(rule)),
    ]
    for answer in answers:
        assert_error(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert len({answer.data for answer in answers}) == 1


@pytest.mark.parametrize("key", GUARDED, ids=LINES)
@pytest.mark.parametrize("who", [*ROLES, "lakeside"])
def test_a_role_opens_what_the_table_says_and_nothing_else(shared_web: Web, key: tuple[str, str], who: str) -> None:
    """403 for the wrong role, whatever is asked for; for the right one, any other answer."""
    method, rule = key
    role = who if who in ROLES else "partner"
    answer = shared_web.ask(who, method, address(rule), {})
    if role in GUARDED[key].roles:
        assert answer.status_code not in (401, 403)
        assert answer.status_code < 500
        assert_headers(answer)
    else:
        assert_error(answer, 403)


def test_a_partner_reaches_fhir_alone_and_nobody_else_does() -> None:
    """The two worlds are apart by the table itself."""
    for (_, rule), admission in GUARDED.items():
        assert (admission.roles == {"partner"}) == rule.startswith("/fhir")
        assert ("partner" in admission.roles) == rule.startswith("/fhir")


def test_what_is_open_holds_no_record() -> None:
    """Whether we are alive, what can be asked, the way in: nothing else is open."""
    opened = {key for key, admission in ADMISSIONS.items() if admission.door == "open"}
    assert opened == {
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/openapi.json"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/fhir/metadata"),
        ("GET", "/fhir/.well-known/smart-configuration"),
        ("POST", "/token"),
        ("POST", "/sign-in"),
        ("POST", "/sign-out"),
        ("GET", "/static/<path:filename>"),
    }


def test_a_refusal_tells_nothing_of_what_is_there(web: Web) -> None:
    """The wrong role gets the same bytes for what is there and for what is not."""
    web.ask("lakeside", "PUT", "/fhir/Patient/p1", {"resourceType": "Patient", "id": "p1"})
    there, absent = (web.ask("engineer", "GET", f"/fhir/Patient/{name}") for name in ("p1", "p2"))
    assert there.data == absent.data
