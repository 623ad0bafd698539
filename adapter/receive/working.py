"""Works on the steps of one transaction: give each resource its place, check everything, write, read."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from adapter import answering, answers, purging
from adapter.core.fhir.search import index
from adapter.core.fhir.transaction import Step, in_order, placed
from adapter.errors import (
    Forbidden,
    Malformed,
    NotFound,
    Problem,
)
from adapter.receive.checks import check, check_once, check_still_whole, check_version, name_of
from adapter.receive.noting import note
from adapter.receive.reading import get, matching
from adapter.receive.world import Answer, Gone, World
from adapter.store import resources
from adapter.store.database import Tx
from adapter.store.resources import Received


def work(tx: Tx, world: World, found: Sequence[Step], sent: bytes | None) -> dict[int, Answer]:
    """The steps of one transaction: delete, give each resource its place, check everything, write, read."""
    ordered = in_order(found)
    answers = {step.position: _delete(tx, world, step) for step in ordered if step.method == "DELETE"}
    removed = {name_of(answer.kept): step for step in ordered if (answer := answers.get(step.position)) and answer.kept}
    writes = [_settled(tx, world, step) for step in ordered if step.method in ("POST", "PUT")]
    check_once(writes, removed)
    places = {step.full_url: f"{step.type}/{step.id}" for step, _ in writes if step.full_url}
    writes = [(_with(step, placed(step.resource or {}, places, step.full_url)), there) for step, there in writes]
    check(tx, world, [step for step, there in writes if there is None or step.method == "PUT"])
    for step, there in writes:
        answers[step.position] = _write(tx, world, step, there, sent)
    _hear(tx, world, writes, answers)
    check_still_whole(tx, world, removed)
    gone = [answer.kept for answer in answers.values() if answer.kept and answer.kept.deleted]
    note(tx, world, gone, writes)
    for step in ordered:
        if step.method == "GET":
            answers[step.position] = get(tx, world, step)
    return answers


def _delete(tx: Tx, world: World, step: Step) -> Answer:
    id_ = step.id
    if step.query is not None:
        match = matching(tx, world, step, step.query)
        if match is None:
            return Answer(204)
        id_ = match.id
    there = resources.read(tx, world.partner, step.type, id_)
    check_version(step, there)
    kept = resources.delete(tx, world.partner, step.type, id_, now=world.now)
    answering.noticed(tx, world.partner, step.type, id_, [there.body] if there else [], world.now)
    return Answer(204, kept)


def _settled(tx: Tx, world: World, step: Step) -> tuple[Step, Received | None]:
    """The step with the id under which its resource will stand, and what stands there now."""
    there: Received | None = None
    condition = step.create_if_none if step.method == "POST" else step.query
    if condition is not None:
        there = matching(tx, world, step, condition)
    elif step.method == "PUT":
        check_whose(tx, world, step)
        there = resources.read(tx, world.partner, step.type, step.id)
        there = None if there and there.deleted else there
    own = (step.resource or {}).get("id") if step.method == "PUT" else None
    id_ = step.id or (there.id if there else own if isinstance(own, str) else str(uuid.uuid4()))
    if step.method == "PUT" and own != id_ and (step.query is None or own is not None):
        raise Malformed(
            "The resource's id is not the one that is updated.",
            [Problem(f"{step.root}/id", "must be the id of the URL")],
        )
    if step.method == "PUT":
        check_version(step, there)
    return replace(step, id=id_), there


def check_whose(tx: Tx, world: World, step: Step) -> None:
    """Forbidden: this is, or was, ours to write. What a partner answers to a referral goes on a Task of its own."""
    if world.shelf and resources.read(tx, world.shelf, step.type, step.id) is not None:
        raise Forbidden("This resource is the agency's: it can be read, and not be written.")


def to_patch(tx: Tx, world: World, step: Step) -> Received:
    """What a patch changes: as it stands in the partner's own world, in the version that If-Match names."""
    check_whose(tx, world, step)
    there = resources.read(tx, world.partner, step.type, step.id)
    if there is None:
        raise NotFound("There is no such resource.")
    if there.deleted:
        raise Gone("The resource was deleted.")
    check_version(step, there)
    return there


def _write(tx: Tx, world: World, step: Step, there: Received | None, sent: bytes | None) -> Answer:
    if step.method == "POST" and there:
        return Answer(200, there)
    resource = step.resource or {}
    if step.type == "Task" and world.hears is not None:
        before = there or resources.read(tx, world.partner, step.type, step.id)
        resource = answering.judged(tx, world.partner, resource, before, step.id, world.hears, world.now)
    terms = index(resource, base=world.base)
    if step.method == "POST":
        made = resources.create(
            tx, world.partner, step.type, resource, id=step.id, now=world.now, indexed=terms, sent=sent
        )
    else:
        made = resources.update(
            tx, world.partner, step.type, step.id, resource, now=world.now, indexed=terms, sent=sent
        )
    answering.noticed(tx, world.partner, step.type, step.id, [resource], world.now)
    return Answer(200 if there else 201, replace(made, body=resource))


def _hear(tx: Tx, world: World, writes: Sequence[tuple[Step, Received | None]], done: Mapping[int, Answer]) -> None:
    """What the Tasks that were written say of ours, once everything that they refer to is there."""
    for step, there in writes:
        kept, repeated = done[step.position].kept, step.method == "POST" and there is not None
        if step.type != "Task" or world.hears is None or kept is None or repeated:
            continue
        place, version, now = f"Task/{step.id}", kept.version, world.now
        answers.written(
            tx, world.partner, kept.body, world.hears, place=place, version=version, now=now, shelf=world.shelf
        )
        purging.written(tx, world.partner, kept.body, world.hears, place=place, version=version, now=now)


def _with(step: Step, resource: dict[str, Any]) -> Step:
    return replace(step, resource={**resource, "id": step.id})
