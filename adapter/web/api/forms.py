"""Consent forms: what they say, what a family's ticks would change, and where a coordinator enters them."""

from __future__ import annotations

from flask import Blueprint, Response

from adapter import consenting, show
from adapter.web import context
from adapter.web.auth import caller
from adapter.web.context import wiring
from adapter.web.replies import reply

forms = Blueprint("forms", __name__)


@forms.get("/api/forms")
def listed() -> Response:
    """The consent forms in use, with their versions."""
    return reply(show.forms(wiring()))


@forms.get("/api/forms/<form>")
def one(form: str) -> Response:
    """One consent form: its words in each language, and what each box gives."""
    return reply(show.form_of(wiring(), form))


@forms.post("/api/cases/<case>/what-if")
def what_if(case: str) -> Response:
    """What a consent, or ticked boxes, would change for each partner; nothing is saved."""
    return reply(show.what_if(wiring(), case, context.body()))


@forms.post("/api/cases/<case>/consents/capture")
def capture(case: str) -> Response:
    """Enter what a family ticked and signed; its consents join the case, and no put of the case removes them."""
    return _kept(consenting.capture(wiring(), case, context.body(), label=caller().label))


@forms.post("/api/cases/<case>/consents/<consent>/limits")
def limit(case: str, consent: str) -> Response:
    """Put the handwritten limits of a consent into effect, as denials; until then it permits nothing."""
    return _kept(consenting.limit(wiring(), case, consent, context.body()))


@forms.post("/api/cases/<case>/consents/<consent>/revoke")
def revoke(case: str, consent: str) -> Response:
    """Take back a consent that was entered here; its denials stay."""
    return _kept(consenting.revoke(wiring(), case, consent, context.body()))


@forms.post("/api/cases/<case>/consents/<consent>/entered-in-error")
def cancel(case: str, consent: str) -> Response:
    """Cancel a consent that was entered in error, whole, its denials too; lists what had left under it."""
    return _kept(consenting.cancel(wiring(), case, consent, context.body(), by=caller().label))


def _kept(told: dict[str, object]) -> Response:
    response = reply(told, status=202)
    response.headers["ETag"] = f'W/"{told["version"]}"'
    return response
