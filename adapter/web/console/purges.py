"""The page of one request to purge: what the partner says of it, and a form to write down what it says elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, make_response, redirect, request

from adapter import show, steer
from adapter.core import strict_json
from adapter.core.account.words import HOW
from adapter.core.purge import LONGEST_REASON, WORDS
from adapter.errors import Problem, Refused
from adapter.store.tokens import Principal
from adapter.web.console import session
from adapter.web.console.page import page
from adapter.web.console.waiting import who_sees_cases
from adapter.web.context import wiring

purges = Blueprint("purges", __name__)

FIELDS = {
    "/answer": ("What it says", "Say whether it has removed its copies or keeps them."),
    "/how": ("How it said so", "Say how it said so."),
    "/on": ("When it said so", "Say when it said so."),
    "/reason": ("Why", "Say why it keeps its copies."),
}
"""Field → what it is called, and what is said of one that is not filled in."""


@purges.get("/purges/<case>/<partner>")
def one(case: str, partner: str) -> Response:
    """One request, also of a deleted case: whoever opens it looks at the case."""
    person = who_sees_cases()
    shown = _shown(person, case, partner, {}, ())
    steer.enter_look(wiring(), case, "", role=person.role, label=person.label)
    return shown


@purges.post("/purges/<case>/<partner>")
def act(case: str, partner: str) -> Response:
    """Write down what the partner says: it is a line of the account, and ends the alarm."""
    person = who_sees_cases()
    session.check_form()
    filled = {name: request.form.get(name, "").strip() for name in ("answer", "how", "on", "reason", "asked")}
    # Whoever writes down that copies are kept says why; of what is done there is often nothing more to say.
    said = {name: value for name, value in filled.items() if value or name != "reason" or filled["answer"] == "kept"}
    try:
        steer.purged(wiring(), case, partner, strict_json.dump(said), role=person.role, label=person.label)
    except Refused as error:
        return _shown(person, case, partner, filled, error.problems, status=error.status)
    return make_response(redirect(request.path, 303))


def _shown(
    person: Principal,
    case: str,
    partner: str,
    filled: dict[str, str],
    problems: Sequence[Problem],
    *,
    status: int = 200,
) -> Response:
    row = show.purge_of(wiring(), case, partner)
    wrong = {p.pointer: _sentence(p, filled) for p in problems}
    values = {"row": row, "filled": filled, "wrong": wrong, "words": WORDS, "how": HOW, "longest": LONGEST_REASON}
    return page("purge.html", status=status, person=person, **values)


def _sentence(problem: Problem, filled: dict[str, str]) -> str:
    called, missing = FIELDS.get(problem.pointer, ("", ""))
    return f"{called} {problem.detail}.".lstrip() if filled.get(problem.pointer[1:]) else missing
