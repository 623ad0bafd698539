"""The pages of the inbox: what partners have sent, and one item beside the agency's case, with what to do about it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, redirect, request

from adapter import inbox, steer
from adapter.core import strict_json
from adapter.errors import Forbidden
from adapter.store.tokens import Principal
from adapter.web.api import asked
from adapter.web.auth import DECIDES_INBOX
from adapter.web.console import session
from adapter.web.console.page import page
from adapter.web.console.waiting import who_sees_cases
from adapter.web.context import wiring

arrivals = Blueprint("arrivals", __name__)

LONGEST = 2000
"""Characters of a value that a page shows: what a document holds is no text to read there."""
KINDS = {
    "record": "new", "field": "new here", "differs": "differs", "incomplete": "incomplete",
    "refused": "could not be read", "gone": "taken back by the partner",
}  # fmt: skip


@arrivals.get("/inbox")
def items() -> Response:
    """Every item: whose, of which case, whether anything waits; nothing of what a partner said."""
    person = who_sees_cases()
    found = inbox.listed(wiring(), partner=None, state=None, after=asked.number("after"), limit=asked.USUAL)
    return page("inbox.html", person=person, **found)


@arrivals.get("/inbox/<item>")
def one(item: str) -> Response:
    """One item, what the partner says beside what the agency has: whoever opens it looks at the case."""
    person, found = who_sees_cases(), inbox.show(wiring(), item)
    if found["case"]:
        steer.enter_look(wiring(), found["case"], "", role=person.role, label=person.label)
    decides, programs = person.role in DECIDES_INBOX, sorted(wiring().catalogue.programs)
    shown: dict[str, Any] = {"row": found, "kinds": KINDS, "decides": decides, "programs": programs}
    return page("inbox_item.html", person=person, plain=plain, label=label, **shown)


@arrivals.post("/inbox/<item>")
def act(item: str) -> Response:
    """Match the item or undo that, open a case, adopt or dismiss what is chosen."""
    person = who_sees_cases()
    session.check_form()
    do = request.form.get("do", "")
    if do not in ("match", "undo") and person.role not in DECIDES_INBOX:
        raise Forbidden("Your role does not decide what is adopted.")
    version = asked.number_of(request.form.get("version", ""))
    _do(do, item, person, version)
    return make_response(redirect(request.path, 303))


def _do(do: str, item: str, person: Principal, version: int | None) -> None:
    by, form = person.label or person.role, request.form
    if do in ("match", "undo"):
        said: dict[str, Any] = {"case": form.get("case", "").strip() if do == "match" else None}
        inbox.match(wiring(), item, strict_json.dump(said), version=version, by=by, role=person.role)
    elif do == "open":
        said = {"case": form.get("case", "").strip(), "program": form.get("program", "")}
        inbox.open_case(wiring(), item, strict_json.dump(said), version=version, by=by)
    else:
        chosen: dict[str, Any] = {"all": True} if form.get("all") else {"paths": form.getlist("paths")}
        if do == "dismiss":
            body = strict_json.dump({**chosen, "reason": form.get("reason", "")})
            inbox.dismiss(wiring(), item, body, version=version, by=by)
        else:
            inbox.adopt(wiring(), item, strict_json.dump(chosen), version=version, by=by)


def label(path: str, record: str) -> str:
    """What of a record a path names, in words."""
    steps = [step for step in path.removeprefix(record).split("/") if step]
    words = ("one more" if step.startswith("+") else step.replace("_", " ") for step in steps)
    return ", ".join(words) or "the whole record"


def plain(value: Any) -> str:
    """A value as a person reads it: fields by name, one a line."""
    if isinstance(value, dict):
        return "\n".join(f"{name.replace('_', ' ')}: {_within(inner)}" for name, inner in value.items() if name != "id")
    if isinstance(value, list):
        return "\n".join(_within(each) for each in value)
    if isinstance(value, bool | None):
        return {True: "yes", False: "no", None: ""}[value]
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def _within(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_within(inner)}" for name, inner in value.items() if name != "id")
    if isinstance(value, list):
        return "; ".join(_within(each) for each in value)
    return plain(value)
