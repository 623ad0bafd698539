"""The API for case systems: each view says who is asked, what for, and how it is answered; the verbs do the rest."""

from __future__ import annotations

from flask import Blueprint, Response

from adapter import keep, show, steer
from adapter.web import context
from adapter.web.api import asked, documentation
from adapter.web.api.account import account
from adapter.web.api.forms import forms
from adapter.web.api.inbox import arrivals
from adapter.web.api.matching import matching
from adapter.web.api.notices import notices
from adapter.web.api.referrals import referrals
from adapter.web.api.review import review
from adapter.web.auth import caller
from adapter.web.context import wiring
from adapter.web.looks import a_look
from adapter.web.replies import reply, saved, versioned

api = Blueprint("api", __name__)
api.register_blueprint(account)
api.register_blueprint(review)
api.register_blueprint(referrals)
api.register_blueprint(forms)
api.register_blueprint(matching)
api.register_blueprint(arrivals)
api.register_blueprint(notices)

# A case has one of each: they have no id of their own.
CHILD = {"collection": "child", "record": ""}
ENROLMENT = {"collection": "enrolment", "record": ""}


@api.get("/healthz")
def alive() -> Response:
    """Is the process alive?"""
    return reply({"status": "alive"})


@api.get("/readyz")
def ready() -> Response:
    """Can the adapter work: is the database there, and of this version?"""
    context.check_database()
    return reply({"status": "ready"})


@api.get("/openapi.json")
def openapi() -> Response:
    """This API, described."""
    return reply(documentation.openapi(wiring(), context.address()))


@api.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys by which partners check what this adapter signs (RFC 7517), as SMART Backend Services ask."""
    response = reply(show.jwks(wiring()))
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@api.get("/api/schemas/<collection>")
def schema(collection: str) -> Response:
    """The JSON Schema of a record collection, or of the whole case file (`case`)."""
    return reply(documentation.schema(wiring(), collection), content_type="application/schema+json")


@api.get("/api/partners")
def partners() -> Response:
    """The partners of this instance, without their secrets."""
    return reply(show.partners(wiring()))


@api.post("/api/partners/<partner>/pause")
def pause(partner: str) -> Response:
    """Start nothing new for this partner until it is resumed."""
    return reply(steer.pause(wiring(), partner), status=202)


@api.post("/api/partners/<partner>/resume")
def resume(partner: str) -> Response:
    """Go on with this partner; with `per_minute`, at most so many shares a minute of what has become due meanwhile."""
    return reply(steer.resume(wiring(), partner, per_minute=steer.pace_asked(context.body())), status=202)


@api.get("/api/cases")
def cases() -> Response:
    """The cases, a page at a time: `limit` of them, behind the case `after`."""
    return reply(keep.listed(wiring(), after=asked.after(), limit=asked.limit()))


@api.get("/api/cases/<case>")
@a_look
def get_case(case: str) -> Response:
    """One whole case file, as it was put."""
    return versioned(*keep.get_case(wiring(), case))


@api.put("/api/cases/<case>")
def put_case(case: str) -> Response:
    """Put a whole case file in place of what is there; refused whole, with every problem at once."""
    return saved(keep.put_case(wiring(), case, context.body(), version=asked.version(), source=caller().source))


@api.delete("/api/cases/<case>")
def delete_case(case: str) -> Response:
    """Delete a case; what partners hold of it is taken back."""
    return saved(keep.delete_case(wiring(), case, version=asked.version()))


@api.get("/api/cases/<case>/child", defaults=CHILD)
@api.get("/api/cases/<case>/enrolment", defaults=ENROLMENT)
@api.get("/api/cases/<case>/<collection>/<record>")
@a_look
def get_record(case: str, collection: str, record: str) -> Response:
    """One record of a case; `child` and `enrolment` have no id."""
    return versioned(*keep.get_record(wiring(), case, collection, record))


@api.put("/api/cases/<case>/child", defaults=CHILD)
@api.put("/api/cases/<case>/enrolment", defaults=ENROLMENT)
@api.put("/api/cases/<case>/<collection>/<record>")
def put_record(case: str, collection: str, record: str) -> Response:
    """Put one record in place of what is there; the case must be whole afterwards."""
    version, source = asked.version(), caller().source
    return saved(keep.put_record(wiring(), case, collection, record, context.body(), version=version, source=source))


@api.delete("/api/cases/<case>/child", defaults=CHILD)
@api.delete("/api/cases/<case>/enrolment", defaults=ENROLMENT)
@api.delete("/api/cases/<case>/<collection>/<record>")
def delete_record(case: str, collection: str, record: str) -> Response:
    """Delete one record; what partners hold of it is taken back."""
    return saved(keep.delete_record(wiring(), case, collection, record, version=asked.version()))


@api.get("/api/cases/<case>/views/<partner>")
@a_look
def view(case: str, partner: str) -> Response:
    """What this partner may see of the case: as records, as FHIR, or explained; now, or at another time."""
    return reply(show.view_of(wiring(), case, partner, form=asked.form(), at=asked.at(wiring())))


@api.post("/api/preview")
def preview() -> Response:
    """What a partner would see of the case in the body; nothing is stored."""
    return reply(show.preview(wiring(), context.body(), form=asked.form(), at=asked.at(wiring())))


@api.get("/api/cases/<case>/shares")
def shares(case: str) -> Response:
    """The shares of a case: with whom, in which state, when next due."""
    return reply(show.shares_of(wiring(), case))


@api.post("/api/shares/<case>/<partner>/retry")
def retry(case: str, partner: str) -> Response:
    """Make a share due now, also one that has stopped; with what becomes of what was changed at the partner."""
    return reply(steer.retry_as_asked(wiring(), case, partner, context.body(), role=caller().role), status=202)


@api.post("/api/shares/<case>/<partner>/purged")
def purged(case: str, partner: str) -> Response:
    """Enter what the partner has said in another way of the request to purge: done, or that it keeps its copies."""
    who = caller()
    return reply(steer.purged(wiring(), case, partner, context.body(), role=who.role, label=who.label), status=201)
