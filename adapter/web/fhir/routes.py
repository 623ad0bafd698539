"""The FHIR REST interface for partners (http://hl7.org/fhir/R4/http.html): one view for each interaction."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from adapter import __version__, answers, receive, serve
from adapter.core.fhir.capability import statement
from adapter.core.fhir.transaction import ALONE, Step
from adapter.receive import operations
from adapter.receive.world import World
from adapter.web import context
from adapter.web.context import wiring
from adapter.web.fhir import asked
from adapter.web.fhir.replies import found, kept, resource
from adapter.web.fhir.subscriptions import subscriptions
from adapter.web.fhir.wire import document_of, response_bundle, whole

fhir = Blueprint("fhir", __name__, url_prefix="/fhir")
fhir.register_blueprint(subscriptions)


@fhir.before_request
def negotiate() -> None:
    asked.check_accept()


@fhir.get("/metadata")
def capabilities() -> Response:
    """What this FHIR server can do."""
    return resource(statement(f"{context.address()}/fhir", __version__, asked.release()))


@fhir.post("")
def bundle() -> Response:
    """Work on a transaction (all or nothing) or on a batch."""
    asked.check_content()
    world = _world()
    worked = receive.bundle(wiring().store, world, context.body())
    serve.account(wiring(), world.partner, worked.read())
    return resource(response_bundle(world, worked, repeats=asked.repeats()))


@fhir.get("/<type_>")
def search(type_: str) -> Response:
    """Search what the caller wrote."""
    return found(wiring(), _world(), asked.known(type_), asked.parameters())


@fhir.post("/<type_>/_search")
def search_by_post(type_: str) -> Response:
    """Search, with the parameters in the body."""
    return found(wiring(), _world(), asked.known(type_), asked.searched())


@fhir.post("/<type_>")
def create(type_: str) -> Response:
    """Create; with If-None-Exist only if nothing meets the condition."""
    return _write(Step(ALONE, "POST", asked.known(type_), create_if_none=asked.create_if_none(type_)))


@fhir.put("/<type_>/<id_>")
def update(type_: str, id_: str) -> Response:
    """Update, or create with the caller's id."""
    return _write(Step(ALONE, "PUT", asked.known(type_), asked.new_id(id_), if_match=request.headers.get("If-Match")))


@fhir.put("/<type_>")
def update_by_condition(type_: str) -> Response:
    """Update what meets the condition; create it if nothing does."""
    match = request.headers.get("If-Match")
    return _write(Step(ALONE, "PUT", asked.known(type_), query=asked.condition(), if_match=match))


@fhir.patch("/<type_>/<id_>")
def patch(type_: str, id_: str) -> Response:
    """Update by a JSON Patch (RFC 6902); with If-Match only the version that it names."""
    asked.check_patch()
    world, match = _world(), request.headers.get("If-Match")
    step = Step(ALONE, "PUT", asked.known(type_), asked.new_id(id_), if_match=match)
    return kept(world, receive.patch(wiring().store, world, step, context.body()), asked.preferred())


@fhir.get("/<type_>/<id_>")
def read(type_: str, id_: str) -> Response:
    """Read the current version."""
    unless = request.headers.get("If-None-Match")
    return _read(Step(ALONE, "GET", asked.known(type_), id_, if_none_match=unless))


@fhir.get("/<type_>/<id_>/_history/<version>")
def vread(type_: str, id_: str, version: str) -> Response:
    """Read one version."""
    return _read(Step(ALONE, "GET", asked.known(type_), id_, version))


@fhir.get("/Patient/<id_>/$everything")
def everything(id_: str) -> Response:
    """A child, and everything there is of it."""
    world = _world()
    read = operations.everything(wiring().store, world, id_)
    serve.account(wiring(), world.partner, read)
    return resource(whole(world, read))


@fhir.get("/Composition/<id_>/$document")
def document(id_: str) -> Response:
    """A plan as a document, with everything that it leads to."""
    world = _world()
    read = operations.document(wiring().store, world, id_)
    serve.account(wiring(), world.partner, read)
    return resource(document_of(world, read))


@fhir.delete("/<type_>/<id_>")
def delete(type_: str, id_: str) -> Response:
    """Delete; what others refer to is not deleted before them."""
    return _read(Step(ALONE, "DELETE", asked.known(type_), id_, if_match=request.headers.get("If-Match")))


@fhir.delete("/<type_>")
def delete_by_condition(type_: str) -> Response:
    """Delete the one that meets the condition."""
    return _read(Step(ALONE, "DELETE", asked.known(type_), query=asked.condition()))


def _world() -> World:
    world, desk = asked.world(), wiring()
    return replace(
        world,
        shelf=serve.shelf(desk, world.partner),
        hears=answers.hearing(desk.catalogue, world.partner),
    )


def _read(step: Step) -> Response:
    world = _world()
    answer = receive.interact(wiring().store, world, step)
    serve.account(wiring(), world.partner, answer.read())
    return kept(world, answer)


def _write(step: Step) -> Response:
    asked.check_content()
    world = _world()
    return kept(world, receive.interact(wiring().store, world, step, context.body()), asked.preferred())
