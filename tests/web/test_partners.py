"""Partners are paused and resumed: by programs and by people, of the roles that may."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.conftest import Web
from tests.web.shapes import assert_error
from tests.web.test_console import mark_of, sign_in


def lakeside(web: Web) -> Any:
    return next(each for each in web.ask("engineer", "GET", "/api/partners").json if each["id"] == "lakeside")


@pytest.mark.parametrize("who", ["privacy", "engineer", "admin"])
def test_a_partner_is_paused_and_resumed(web: Web, who: str) -> None:
    assert lakeside(web)["paused"] is False
    assert web.ask(who, "POST", "/api/partners/lakeside/pause").json == {"partner": "lakeside", "paused": True}
    assert lakeside(web)["paused_since"] is not None
    done = web.ask(who, "POST", "/api/partners/lakeside/resume", {"per_minute": 30})
    assert (done.status_code, done.json) == (202, {"partner": "lakeside", "paused": False})
    assert web.ask(who, "POST", "/api/partners/lakeside/resume").status_code == 202
    assert lakeside(web) | {"paused_since": None} == lakeside(web)


@pytest.mark.parametrize("who", ["source", "coordinator", "lakeside", None])
def test_others_may_not(web: Web, who: str | None) -> None:
    answer = web.ask(who, "POST", "/api/partners/lakeside/pause")
    assert_error(answer, 403 if who else 401)
    assert lakeside(web)["paused"] is False


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param({"per_minute": 0}, 422, id="nothing a minute"),
        pytest.param({"per_minute": "30"}, 422, id="a text"),
        pytest.param({"per_minute": True}, 422, id="true"),
        pytest.param({"per_minute": 1e300}, 422, id="more than can be"),
        pytest.param({"pace": 3}, 422, id="another word"),
        pytest.param([], 400, id="a list"),
        pytest.param(b"{", 400, id="half an object"),
    ],
)
def test_a_pace_that_is_none_resumes_nothing(web: Web, body: Any, status: int) -> None:
    web.ask("admin", "POST", "/api/partners/lakeside/pause")
    assert_error(web.ask("admin", "POST", "/api/partners/lakeside/resume", body), status)
    assert lakeside(web)["paused"] is True
    assert_error(web.ask("admin", "POST", "/api/partners/nobody/pause"), 404)


class TestConsole:
    """One button on the first page."""

    @pytest.mark.parametrize("who", ["privacy", "engineer", "admin"])
    def test_a_button_pauses_and_one_resumes(self, web: Web, who: str) -> None:
        browser, _ = sign_in(web, who)
        page = browser.get("/")
        assert "Pause lakeside" in page.text
        sent = browser.post("/partners/lakeside", data={"mark": mark_of(page), "do": "pause"})
        assert (sent.status_code, sent.headers["Location"]) == (303, "/")
        page = browser.get("/")
        assert "paused since" in page.text and "Resume lakeside" in page.text
        wrong = browser.post("/partners/lakeside", data={"mark": mark_of(page), "do": "resume", "per_minute": "many"})
        assert (wrong.status_code, lakeside(web)["paused"]) == (422, True)
        browser.post("/partners/lakeside", data={"mark": mark_of(page), "do": "resume", "per_minute": "12"})
        assert lakeside(web)["paused"] is False

    def test_a_form_from_elsewhere_and_another_role_change_nothing(self, web: Web) -> None:
        browser, _ = sign_in(web, "admin")
        assert browser.post("/partners/lakeside", data={"do": "pause"}).status_code == 403
        browser, _ = sign_in(web, "coordinator")
        page = browser.get("/")
        assert "Pause lakeside" not in page.text
        assert browser.post("/partners/lakeside", data={"mark": mark_of(page), "do": "pause"}).status_code == 403
        assert web.app.test_client().post("/partners/lakeside", data={"do": "pause"}).status_code == 401
        assert lakeside(web)["paused"] is False
