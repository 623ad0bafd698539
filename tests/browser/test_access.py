"""What the eye for faults sees: each planted in a page that is otherwise well."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.access import faults

WELL = (
    '<html lang="en"><title>A page</title><body style="background:#fff;color:#222"><a href="#m">Skip</a>'
    '<main id="m"><h1>One</h1><h2>Two</h2><p>Text</p><label for="f">Name</label><input id="f" name="f">'
    "<button>Go</button></main></body></html>"
)
PLANTED = {
    "no language": (' lang="en"', "", "no language"),
    "no title": ("A page", " ", "no title"),
    "a heading left out": ("<h2>Two</h2>", "<h3>Two</h3>", "h3 after h1"),
    "two first headings": ("<h2>Two</h2>", "<h1>Two</h1>", "not one h1"),
    "a field without a label": ('for="f"', 'for="g"', "the field f has no label"),
    "a button without a name": ("Go", "", "a button or link has no name"),
    "pale text": ("<p>", '<p style="color:#999">', "contrast 2.85 of “Text”"),
    "text on its own colour": ("<p>", '<p style="background:#333">', "contrast 1.26 of “Text”"),
    "half transparent text": ("<p>", '<p style="color:rgba(34,34,34,.5)">', "contrast 3.17 of “Text”"),
    "too wide": ("<p>", '<p style="width:3000px">', "pixels do not fit in the width"),
    "an id twice": ("<p>", '<p id="f">', "the id f stands twice"),
    "a way that leads nowhere": ("#m", "#n", "no way past the header"),
    "a description that is not there": ("<p>", '<p aria-describedby="x">', "x is referred to, and is not there"),
    "choices without a group": ("<p>", '<p><label><input type="radio" name="r"> R</label>', "outside of a fieldset"),
}


@pytest.mark.parametrize(("old", "new", "said"), PLANTED.values(), ids=PLANTED)
def test_each_planted_fault_is_seen(browser: Browser, old: str, new: str, said: str) -> None:
    page = browser.new_page()
    page.set_content(WELL)
    assert faults(page) == []
    assert WELL.count(old) >= 1
    page.set_content(WELL.replace(old, new, 1))
    assert any(said in fault for fault in faults(page)), faults(page)
    page.close()
