"""The pages of what the programs ask for: of one case, and the waitlists."""

from __future__ import annotations

from flask import Blueprint, Response, request

from adapter import show, steer
from adapter.core.purge import WORDS
from adapter.web.console.page import page
from adapter.web.console.waiting import who_sees_cases
from adapter.web.context import wiring

programs = Blueprint("programs", __name__)


@programs.get("/cases/<case>")
def one(case: str) -> Response:
    """One case: what its program asks for, what ends soon, and with whom it is shared."""
    person, found = who_sees_cases(), show.case_of(wiring(), case)
    steer.enter_look(wiring(), case, "", role=person.role, label=person.label)
    ending, shares = show.due_soon(wiring(), case)["due"], show.shares_of(wiring(), case, words=True)
    return page("case.html", person=person, ending=ending, shares=shares, purge_words=WORDS, **found)


@programs.get("/waitlist")
def waitlist() -> Response:
    """Who waits, in order, and why each stands there; of one region, or all."""
    person, region = who_sees_cases(), request.args.get("region") or None
    whole = show.waitlist(wiring())["waitlist"]
    regions = sorted({place["region"] for place in whole if place["region"]})
    places = [place for place in whole if region in (None, place["region"])]
    titles = {program.id: program.title["en"] for program in wiring().catalogue.programs.values()}
    return page("waitlist.html", person=person, places=places, regions=regions, region=region, titles=titles)
