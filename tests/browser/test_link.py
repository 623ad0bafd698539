"""The page of a signed link in a real Chromium: opened, read, answered, and left alone, as people do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Error, Page

from tests.browser.access import faults
from tests.browser.conftest import Visit, Visitor
from tests.verbs.test_answers import NUMBER
from tests.web.conftest import Web
from tests.web.test_link import SECRET, STORY, Clock, account, listed, make, said, state


@pytest.fixture
def made(own: Web) -> tuple[str, str]:
    return make(own)


def open_(visitor: Visitor, made: tuple[str, str]) -> Page:
    """With its code, in English."""
    page = visitor.go(made[0])
    page.get_by_label("Code (8 digits)").fill(made[1])
    assert visitor.send("Open") == 200
    return page


def ways(web: Web) -> list[tuple[str, str]]:
    return [(step["from"], step["to"]) for step in state(web)["history"]]


def test_a_whole_life_on_the_page(own: Web, made: tuple[str, str], visit: Visit) -> None:
    visitor = visit()
    page = visitor.go(made[0])
    before = account(own)
    assert "MARKER" not in page.content()
    page.get_by_label("Code (8 digits)").fill("0000 0001")
    assert visitor.send("Open") == 403
    assert page.get_by_role("alert").is_visible()
    assert account(own) == before, "a page that does not open shows nothing, and says so nowhere"
    page.get_by_label("Code (8 digits)").fill(made[1])
    assert visitor.send("Try again") == 200
    assert page.get_by_text(STORY).is_visible()
    assert SECRET not in page.content()
    page.get_by_label("We accept").check()
    assert answered(visitor) == "accepted"
    page.get_by_label("There is an appointment").check()
    page.get_by_label("On which day").fill("2027-01-05")
    assert answered(visitor) == "accepted"
    assert "accepted, Scheduled, 2027-01-05" in page.locator("main").inner_text()
    page.get_by_label("We have started").check()
    assert answered(visitor) == "in progress"
    page.get_by_label("We have completed it").check()
    page.get_by_label("What came of it").fill("Twelve evenings of reading")
    assert answered(visitor) == "completed"
    assert page.get_by_role("radio").count() == 0, "there is nothing more to answer"
    assert ways(own) == [
        ("requested", "accepted"), ("accepted", "accepted"), ("accepted", "in-progress"), ("in-progress", "completed"),
    ]  # fmt: skip
    assert state(own)["result"] == "Twelve evenings of reading"
    visitor.assert_clean()


def answered(visitor: Visitor) -> str:
    """Give the answer; the state that the page then says."""
    assert visitor.send("Answer") == 200
    assert visitor.page.get_by_role("status").is_visible()
    return visitor.page.locator("main strong").inner_text()


def test_declining_asks_for_the_reason_and_keeps_the_choice(own: Web, made: tuple[str, str], visit: Visit) -> None:
    visitor = visit()
    page = open_(visitor, made)
    page.get_by_label("We decline").check()
    assert visitor.send("Answer") == 422
    assert "please say why" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("We decline").is_checked()
    assert ways(own) == []
    page.get_by_label("Why, where").fill("We are full until summer")
    visitor.send("Answer")
    assert (state(own)["state"], state(own)["reason"]) == ("rejected", "We are full until summer")
    visitor.assert_clean()


def test_two_clicks_on_answer_are_one_answer(own: Web, made: tuple[str, str], visit: Visit) -> None:
    visitor = visit()
    page = open_(visitor, made)
    page.get_by_label("We accept").check()
    page.get_by_role("button", name="Answer", exact=True).dblclick()
    page.get_by_role("status").wait_for()
    assert ways(own) == [("requested", "accepted")]
    assert [answer.status for answer in visitor.answers if answer.request.method == "POST"].count(200) >= 2
    visitor.assert_clean()


def test_going_back_and_answering_again_changes_nothing_more(own: Web, made: tuple[str, str], visit: Visit) -> None:
    """Reload sends the form once more; back and forward do what Chromium likes, for it has kept no page."""
    visitor = visit()
    page = open_(visitor, made)
    page.get_by_label("We accept").check()
    visitor.send("Answer")
    seen = len(account(own))
    again = page.reload()
    assert again is not None
    assert (again.request.method, again.status) == ("POST", 200), "the same form, sent a second time"
    assert ways(own) == [("requested", "accepted")]
    for step in (page.go_back, page.reload, page.go_forward, page.reload):
        with suppress(Error):  # Chromium's own page, which asks before it sends a form again
            step()
        assert ways(own) == [("requested", "accepted")]
    assert state(own)["flags"] == []
    assert len(account(own)) >= seen
    # Somewhere else: where these steps ended Chromium may still be on its way to a page of its own.
    assert open_(visit(), made).locator("main strong").inner_text() == "accepted"


def test_a_page_left_open_beyond_its_time_answers_nothing(
    own: Web, made: tuple[str, str], visit: Visit, clock: Clock
) -> None:
    """The link runs out, or the half hour of the form does."""
    for later in (timedelta(minutes=31), timedelta(days=15)):
        visitor = visit()
        page = open_(visitor, made)
        page.get_by_label("We accept").check()
        clock.now += later
        assert visitor.send("Answer") == 403
        assert page.get_by_role("alert").is_visible()
        assert "MARKER" not in page.content()
        visitor.assert_clean()
    assert ways(own) == []


def test_a_link_revoked_under_an_open_page_is_shut(own: Web, made: tuple[str, str], visit: Visit) -> None:
    visitor = visit()
    page = open_(visitor, made)
    [link] = listed(own)
    path = f"/api/referrals/{NUMBER}/r1/links/{link['link']}"
    assert own.ask("privacy", "DELETE", path).status_code == 200
    page.get_by_label("We accept").check()
    assert visitor.send("Answer") == 403
    page.get_by_label("Code (8 digits)").fill(made[1])
    assert visitor.send("Try again") == 403
    assert ways(own) == []
    visitor.assert_clean()


def test_with_the_keyboard_alone(own: Web, made: tuple[str, str], visit: Visit) -> None:
    """Tab to everything, the way past the header first; where the focus is can be seen."""
    visitor = visit()
    page = visitor.go(made[0])
    keys = page.keyboard
    keys.press("Tab")
    assert focused(page)["text"] == "Skip to the content"
    assert focused(page)["outline"] >= 2, "where the focus is is seen"
    tab_to(page, "id", "code")
    keys.type(made[1])
    with page.expect_navigation():
        keys.press("Enter")
    tab_to(page, "name", "do")
    keys.press("Space")
    assert page.get_by_label("We accept").is_checked()
    tab_to(page, "text", "Answer")
    with page.expect_navigation():
        keys.press("Space")
    assert page.get_by_role("status").is_visible()
    assert ways(own) == [("requested", "accepted")]
    visitor.assert_clean()


def focused(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "() => { const e = document.activeElement, s = getComputedStyle(e);"
        " return {id: e.id, name: e.getAttribute('name'), text: e.textContent.trim(),"
        " outline: s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth)} }"
    )
    return found


def tab_to(page: Page, name: str, value: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page)[name] == value:
            return
    raise AssertionError(f"the keyboard does not reach {value}")


def test_without_scripts_it_is_the_same_page(own: Web, made: tuple[str, str], visit: Visit) -> None:
    visitor = visit(java_script_enabled=False)
    page = open_(visitor, made)
    assert page.locator("script").count() == 0
    page.get_by_label("We accept").check()
    assert visitor.send("Answer") == 200
    assert ways(own) == [("requested", "accepted")]
    visitor.assert_clean()


def test_nothing_is_kept_in_the_browser_and_nobody_else_is_asked(own: Web, made: tuple[str, str], visit: Visit) -> None:
    visitor = visit()
    page = open_(visitor, made)
    assert visitor.context.cookies() == []
    assert page.evaluate("() => [localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    for answer in visitor.answers:
        assert "set-cookie" not in answer.headers
        if "/r/" in answer.url:
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert made[1] not in answer.url, "the code stands in no address"
    assert page.locator("[src], [href^='http'], [href^='//']").count() == 0
    visitor.assert_clean()


def test_nothing_hostile_in_a_text_runs(own: Web, made: tuple[str, str], visit: Visit) -> None:
    hostile = said()
    hostile["referrals"][0]["story"] = "<img src=x onerror=alert(1)><script>document.title='MARKED'</script>"
    assert own.ask("source", "PUT", f"/api/cases/{NUMBER}", hostile).status_code == 202
    visitor = visit()
    visitor.page.on("dialog", lambda dialog: visitor.said.append(dialog.message))
    page = open_(visitor, made)
    assert page.title() == "A referral · Coordinated service planning"
    assert page.get_by_text("<img src=x onerror=alert(1)>").is_visible()
    visitor.assert_clean()


SCREENS: dict[str, dict[str, Any]] = {
    "a desk": {},
    "a telephone": {"viewport": {"width": 320, "height": 640}, "has_touch": True},
    "a dark desk": {"color_scheme": "dark"},
    "a dark telephone in French": {
        "viewport": {"width": 320, "height": 640}, "color_scheme": "dark", "locale": "fr-CA",
    },
}  # fmt: skip


@pytest.mark.parametrize("how", SCREENS.values(), ids=SCREENS)
def test_every_state_of_the_page_can_be_read_by_everyone(
    own: Web, made: tuple[str, str], visit: Visit, how: dict[str, Any]
) -> None:
    """Labels, language, headings, contrast, the width of a telephone (WCAG's reflow at 320): the page for the code, the
    one that does not open, the referral, the one with an answer that is none, and the thanks."""
    visitor = visit(**how)
    page = visitor.go(made[0])
    french = how.get("locale") == "fr-CA"
    open_name, again, answer = ("Ouvrir", "Réessayer", "Répondre") if french else ("Open", "Try again", "Answer")
    assert page.locator("html").get_attribute("lang") == ("fr" if french else "en")
    steps: list[Callable[[], object]] = [
        lambda: page.locator("#code").fill("1"),
        lambda: visitor.send(open_name),
        lambda: page.locator("#code").fill(made[1]),
        lambda: visitor.send(again),
        lambda: page.locator("#do-rejected").check(),
        lambda: visitor.send(answer),
        lambda: page.locator("#do-accepted").check(),
        lambda: visitor.send(answer),
    ]
    assert faults(page) == []
    for step in steps:
        step()
        assert faults(page) == []
    assert page.get_by_role("status").is_visible()
    visitor.assert_clean()


def test_the_other_language_is_a_switch_that_answers_nothing(own: Web, made: tuple[str, str], visit: Visit) -> None:
    """Before the code it is a link, afterwards a button; the record's own words stay as they are."""
    visitor = visit(locale="fr-CA")
    page = visitor.go(made[0])
    assert page.locator("h1").inner_text() == "Une demande de services pour votre organisme"
    with page.expect_navigation():
        page.get_by_role("link", name="English").click()
    assert page.locator("h1").inner_text() == "A referral for your agency"
    page.get_by_label("Code (8 digits)").fill(made[1])
    visitor.send("Open")
    assert page.get_by_text("The child", exact=True).is_visible()
    seen = len(account(own))
    assert visitor.send("Français") == 200
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.get_by_text("L'enfant", exact=True).is_visible()
    assert page.get_by_text(STORY).is_visible()
    assert len(account(own)) > seen, "shown once more is accounted for once more"
    assert ways(own) == []
    page.get_by_label("Nous acceptons").check()
    visitor.send("Répondre")
    assert page.get_by_role("status").inner_text().startswith("Merci")
    assert ways(own) == [("requested", "accepted")]
    visitor.assert_clean()
