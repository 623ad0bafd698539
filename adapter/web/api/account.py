"""The account of one case: for people and systems to read, for the family, and where people enter what was told."""

from __future__ import annotations

from flask import Blueprint, Response, request

from adapter import show, steer
from adapter.core.account.words import LANGUAGES
from adapter.errors import Malformed, Problem
from adapter.web import context
from adapter.web.auth import caller
from adapter.web.context import wiring
from adapter.web.errors import FHIR_JSON
from adapter.web.replies import reply

account = Blueprint("account", __name__)

ACCOUNTS = ("lines", "fhir")
CONTENT = {"html": "text/html; charset=utf-8", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


@account.get("/api/cases/<case>/disclosures")
def disclosures(case: str) -> Response:
    """The account of what of this case left, changed or was withdrawn, and of who looked: lines, or AuditEvents."""
    if _one_of("as", ACCOUNTS) == "fhir":
        return reply(show.audit_of(wiring(), case), content_type=FHIR_JSON)
    return reply(show.disclosures_of(wiring(), case))


@account.post("/api/cases/<case>/disclosures")
def enter(case: str) -> Response:
    """Enter what was told outside of the adapter: by fax, by telephone, under a duty to report; never as consent."""
    who = caller()
    return reply(steer.enter_disclosure(wiring(), case, context.body(), role=who.role, label=who.label), status=201)


@account.get("/api/cases/<case>/statement")
def statement(case: str) -> Response:
    """The account of this case for the family, in plain words: a page or a table, in English or French."""
    form, language = _one_of("as", tuple(CONTENT)), _one_of("language", LANGUAGES)
    made = show.statement_of(wiring(), case, form=form, language=language)
    response = Response(made, content_type=CONTENT[form])
    if form != "html":
        response.headers["Content-Disposition"] = f'attachment; filename="statement.{form}"'
    return response


def _one_of(name: str, known: tuple[str, ...]) -> str:
    """A parameter of the address; the first of those known if it is left out."""
    if (wanted := request.args.get(name, known[0])) not in known:
        problem = Problem(f"/{name}", f"must be one of {', '.join(known)}")
        raise Malformed("A parameter of the address cannot be read.", [problem])
    return wanted
