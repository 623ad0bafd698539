"""Reads what a FHIR request says about itself: content types, preferences, conditions, parameters."""

from __future__ import annotations

import re
from typing import Literal, cast

from flask import request
from werkzeug.exceptions import BadRequest

from adapter.core.fhir.references import ID
from adapter.core.fhir.search import PARAMETERS
from adapter.core.fhir.transaction import Pairs, pairs_of
from adapter.errors import Malformed, NotFound, Problem, UnsupportedMedia
from adapter.web.errors import NotAcceptable

Return = Literal["minimal", "representation", "OperationOutcome"]
_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_ANY = frozenset({"*/*", "application/*"})
_VERSIONS = frozenset({"4.0", "4.0.1"})


def check_accept() -> None:
    """NotAcceptable: the client wants nothing that we speak (`_format` prevails over Accept)."""
    wanted = [request.args["_format"]] if "_format" in request.args else request.headers.get("Accept", "*/*").split(",")
    if not any(_speaks(one.replace(" json", "+json"), _JSON | _ANY) for one in wanted):
        raise NotAcceptable("Answers are application/fhir+json, R4.")


def check_content() -> None:
    """UnsupportedMedia: the body says that it is something else than FHIR R4 in JSON."""
    if not _speaks(request.headers.get("Content-Type", ""), _JSON):
        raise UnsupportedMedia("Resources are taken as application/fhir+json, R4, in UTF-8.")


def known(type_: str) -> str:
    """The type, if resources of it are kept here. NotFound: they are not."""
    if type_ not in PARAMETERS:
        raise NotFound("Resources of this type are not kept here.")
    return type_


def new_id(text: str) -> str:
    """An id that a client chose. Malformed: it is none (http://hl7.org/fhir/R4/datatypes.html#id)."""
    if not ID.match(text):
        raise Malformed("The id cannot be used.", [Problem("/id", "must be 1 to 64 letters, digits, hyphens and dots")])
    return text


def preferred() -> Return:
    """Prefer: return=…; the whole resource, if nothing else is asked."""
    found = re.search(r"\breturn=(minimal|representation|OperationOutcome)\b", request.headers.get("Prefer", ""))
    return cast(Return, found[1]) if found else "representation"


def repeats() -> bool:
    """Does a client want the resources of a transaction repeated? Only if it says so: it has just sent them."""
    return "return=representation" in request.headers.get("Prefer", "")


def lenient() -> bool:
    """Prefer: handling=lenient: leave out search parameters that are unknown."""
    return "handling=lenient" in request.headers.get("Prefer", "")


def create_if_none(type_: str) -> Pairs | None:
    """The condition of If-None-Exist. Malformed: it has none."""
    if (text := request.headers.get("If-None-Exist")) is None:
        return None
    if not (pairs := pairs_of(text, type_)):
        raise Malformed("If-None-Exist has no condition.")
    return pairs


def condition() -> Pairs:
    """The parameters after the question mark, which a conditional update or delete needs."""
    if not (pairs := parameters()):
        raise Malformed("A condition is needed after the type: ?identifier=system|value.")
    return pairs


def parameters() -> Pairs:
    """Every parameter of the address, in order, the content type left out."""
    return tuple((name, value) for name, value in request.args.items(multi=True) if name not in ("_format", "_pretty"))


def searched() -> Pairs:
    """The parameters of a search by POST: those of the form, and those of the address."""
    try:
        if request.mimetype != "application/x-www-form-urlencoded" and request.content_length:
            raise UnsupportedMedia("A search is posted as application/x-www-form-urlencoded.")
        return (*parameters(), *request.form.items(multi=True))
    except BadRequest:
        raise Malformed("The form cannot be read.") from None


def _speaks(text: str, types: frozenset[str]) -> bool:
    name, *settings = (part.strip().lower() for part in text.split(";"))
    told = dict(setting.partition("=")[::2] for setting in settings)
    version, charset = told.get("fhirversion", "4.0"), told.get("charset", "utf-8").strip('"')
    return name in types and version.strip('"') in _VERSIONS and charset in ("utf-8", "utf8") and told.get("q") != "0"
