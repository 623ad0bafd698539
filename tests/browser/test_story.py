"""The demo's chapter of referrals, its third answered in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from adapter.cli import main
from adapter.demo.browsing import Link
from adapter.demo.neighbours import Neighbours
from adapter.demo.referrals import STORY, refer
from tests.browser.access import faults
from tests.browser.conftest import Visitor


@pytest.mark.timeout(180)
def test_the_third_referral_of_the_demo_is_answered_in_the_browser(
    tmp_path: Path, visit_at: Callable[..., Visitor]
) -> None:
    """What the story tells is checked by the story itself (Untrue otherwise); here the link is opened by Chromium."""
    neighbours = Neighbours(tmp_path, main)
    visitors = []

    def accept(link: Link) -> None:
        visitor = visit_at(neighbours.agency.url, locale="fr-CA")
        page = visitor.go(link.address.removeprefix(neighbours.agency.url))
        page.get_by_label("Code (8 chiffres)").fill("00000000" if link.code != "0000 0000" else "00000001")
        assert visitor.send("Ouvrir") == 403
        page.get_by_label("Code (8 chiffres)").fill(link.code)
        assert visitor.send("Réessayer") == 200
        assert STORY not in page.content(), "the story went along with another referral"
        page.get_by_label("Nous acceptons").check()
        assert visitor.send("Répondre") == 200
        assert faults(page) == []
        visitors.append(visitor)

    try:
        neighbours.start()
        refer(Console(quiet=True), neighbours, accept)
        [visitor] = visitors
        visitor.assert_clean()
    finally:
        neighbours.stop()
