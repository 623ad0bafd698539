"""Reads what a FHIR request says about itself: content types, preferences, conditions, parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

from flask import g, request
from werkzeug.exceptions import BadRequest

from adapter.core.fhir.references import ID
from adapter.core.fhir.search import PARAMETERS
from adapter.core.fhir.transaction import Pairs, pairs_of
from adapter.core.partner import Release
from adapter.core.scopes import read as read_scopes
from adapter.errors import Malformed, NotFound, Problem, UnsupportedMedia
from adapter.receive.world import World
from adapter.store.tokens import Principal
from adapter.web.context import address, wiring
from adapter.web.errors import NotAcceptable

Return = Literal["minimal", "representation", "OperationOutcome"]
_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_PATCH = frozenset({"application/json-patch+json"})
_ANY = frozenset({"*/*", "application/*"})
_VERSIONS: Mapping[Release, frozenset[str]] = {"R4": frozenset({"4.0", "4.0.1"}), "R5": frozenset({"5.0", "5.0.0"})}
"""What may stand in the `fhirVersion` of a content type (http://hl7.org/fhir/R5/http.html#version-parameter)."""


def world() -> World:
    """Whose world is asked for, as its token permits; without what is served to it beside."""
    who: Principal = g.principal
    scopes = read_scopes(who.scopes) if who.scopes else None
    return World(who.partner, f"{address()}/fhir", wiring().clock(), release(), scopes=scopes)


def release() -> Release:
    """The release of this exchange: the partner's own, by its file; where nobody is known, what is asked for."""
    if (principal := g.get("principal")) is not None:
        partner = wiring().catalogue.partners.get(principal.partner)
        return partner.release if partner else "R4"
    return "R5" if any(_speaks(one, _JSON, "R5", "4.0") for one in _accepted()) else "R4"


def check_accept() -> None:
    """NotAcceptable: the client wants nothing that we speak (`_format` prevails over Accept)."""
    spoken = release()
    if not any(_speaks(one, _JSON | _ANY, spoken) for one in _accepted()):
        raise NotAcceptable(f"Answers are application/fhir+json, {spoken}.")


def check_content() -> None:
    """UnsupportedMedia: the body says that it is something else than FHIR in JSON, in the partner's release."""
    spoken = release()
    if not _speaks(request.headers.get("Content-Type", ""), _JSON, spoken):
        raise UnsupportedMedia(f"Resources are taken as application/fhir+json, {spoken}, in UTF-8.")


def check_patch() -> None:
    """UnsupportedMedia: the body is no JSON Patch (http://hl7.org/fhir/R4/http.html#patch)."""
    if not _speaks(request.headers.get("Content-Type", ""), _PATCH, release()):
        raise UnsupportedMedia(
            "A patch is taken as application/json-patch+json (JSON Patch, RFC 6902), in UTF-8. FHIRPath Patch and XML"
            " Patch are not spoken here: write such a change as a JSON Patch, or the whole resource by PUT."
        )


def _accepted() -> list[str]:
    wanted = [request.args["_format"]] if "_format" in request.args else request.headers.get("Accept", "*/*").split(",")
    return [one.replace(" json", "+json") for one in wanted]


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


def _speaks(text: str, types: frozenset[str], spoken: Release, unsaid: str = "") -> bool:
    """Is it one of these types, in this release? `unsaid` stands for a version that is not named (else: the same)."""
    name, *settings = (part.strip().lower() for part in text.split(";"))
    told = dict(setting.partition("=")[::2] for setting in settings)
    charset, version = told.get("charset", "utf-8").strip('"'), told.get("fhirversion", unsaid).strip('"')
    right = not version or version in _VERSIONS[spoken]
    return name in types and right and charset in ("utf-8", "utf8") and told.get("q") != "0"
