"""A real Chromium in front of a real server: what a person's browser does with our pages, says of them, and asks for.

Chromium is the system's own, found on the PATH. Where CSP_SERVERS=1 asks for these tests, a missing one fails them.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from waitress.server import create_server

from tests.web.conftest import Web, desk, keys, opened, upgraded, web  # noqa: F401
from tests.web.test_link import Clock
from tests.web.test_link import opened as answering_by_link

HERE = os.path.dirname(__file__)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if str(item.path).startswith(HERE):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None and os.environ.get("CSP_SERVERS") != "1":
        pytest.skip("chromium is not installed here")
    assert path is not None, "chromium is not on the PATH"
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path)
        yield started
        started.close()


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """The application on a port of its own, as `adapter serve` serves it; its address."""
    server = create_server(app, host="127.0.0.1", port=0, threads=4)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.close()
        server.task_dispatcher.shutdown()
        thread.join(timeout=5)


class Visitor:
    """One person's browser, and everything that it said and asked for meanwhile."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.context, self.address = context, address
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.answers: list[Response] = []
        self.status = 0
        """Of the page that `go` went to last."""
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        context.on("request", self._note)
        context.on("response", lambda answer: self.answers.append(answer))

    def _hear(self, message: ConsoleMessage) -> None:
        # That an answer is a refusal (403, 422) Chromium says as an error; the tests look at its status themselves.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.said.append(message.text)

    def _note(self, request: Request) -> None:
        self.asked.append(request.url)

    def go(self, path: str) -> Page:
        answer = self.page.goto(f"{self.address}{path}")
        self.status = answer.status if answer else 0
        return self.page

    def send(self, name: str) -> int:
        """Press this button, and wait for the page that comes; its status."""
        with self.page.expect_navigation() as loaded:
            self.page.get_by_role("button", name=name, exact=True).click()
        return loaded.value.status

    def assert_clean(self) -> None:
        """Nothing went wrong in the browser, nobody else was asked, and every answer says what may run on it."""
        assert self.said == []
        own = urlsplit(self.address).netloc
        assert {urlsplit(url).netloc for url in self.asked} == {own}
        for answer in self.answers:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy


Visit = Callable[..., Visitor]


@pytest.fixture
def visit_at(browser: Browser) -> Iterator[Callable[..., Visitor]]:
    """Opens a browser of its own for one person at an address; keywords are Playwright's (locale, viewport, …)."""
    contexts: list[BrowserContext] = []

    def enter(address: str, **how: Any) -> Visitor:
        context = browser.new_context(**how)
        context.set_default_timeout(10_000)
        contexts.append(context)
        return Visitor(context, address)

    yield enter
    for context in contexts:
        context.close()


@pytest.fixture
def visit(visit_at: Callable[..., Visitor], address: str) -> Visit:
    """As `visit_at`, at the server of this test."""
    return partial(visit_at, address)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def own(web: Web, clock: Clock) -> Web:  # noqa: F811
    """The school answers by a link."""
    return answering_by_link(web, clock, "generic")


@pytest.fixture
def address(own: Web) -> Iterator[str]:
    with serving(own.app) as at:
        yield at
