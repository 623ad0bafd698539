"""A browser without a window: opens the page of a signed link, fills in its forms, and sends what they offer."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser

from adapter.demo.there import Untrue


@dataclass(frozen=True, slots=True)
class Link:
    """What the agency that has no server was given: an address by mail, a code by telephone."""

    address: str
    code: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a person would see, and what its form would send: `fields` with what they hold, `choices` of its radio
    buttons."""

    address: str
    status: int
    text: str
    fields: dict[str, str]
    choices: frozenset[tuple[str, str]]


def accept(link: Link) -> None:
    """Open the link, mistype the code, enter it, read, and accept. Untrue where the page does not let one do so."""
    asked = visit(link.address)
    if "code" not in asked.fields or asked.choices:
        raise Untrue("the page of the link shows more than a place for the code before that is given")
    wrong = send(asked, code="0000 0000" if link.code != "0000 0000" else "0000 0001")
    if wrong.status != 403 or wrong.choices:
        raise Untrue("a wrong code opens the page")
    shown = send(wrong, code=link.code)
    if ("do", "accepted") not in shown.choices:
        raise Untrue("the page does not let the referral be accepted")
    after = send(shown, do="accepted")
    if after.status != 200 or ("do", "accepted") in after.choices:
        raise Untrue("the page has not taken the answer")


def visit(address: str) -> Page:
    """Open a page by its address."""
    return _page(urllib.request.Request(address))  # noqa: S310  http on loopback


def send(page: Page, **filled: str) -> Page:
    """Send the form of a page with this filled in. Untrue where it offers no such field or choice."""
    for name, value in filled.items():
        if name not in page.fields and (name, value) not in page.choices:
            raise Untrue(f"the page offers no {name}")
    body = urllib.parse.urlencode({**page.fields, **filled}).encode()
    return _page(urllib.request.Request(page.address, body, method="POST"))  # noqa: S310


def _page(request: urllib.request.Request) -> Page:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            status, text = refused.code, refused.read().decode()
    reader = _Reader()
    reader.feed(text)
    return Page(request.full_url, status, " ".join(reader.words), reader.fields, frozenset(reader.choices))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.fields: dict[str, str] = {}
        self.choices: set[tuple[str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name, value = said.get("name") or "", said.get("value") or ""
        if tag != "input" or not name:
            return
        if said.get("type") == "radio":
            self.choices.add((name, value))
        else:
            self.fields[name] = value

    def handle_data(self, data: str) -> None:
        self.words += data.split()
