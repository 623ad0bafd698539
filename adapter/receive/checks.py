"""What must hold before anything is kept: structure, versions, references, and that nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from adapter.core.fhir import models
from adapter.core.fhir.search import PARAMETERS, REFERS
from adapter.core.fhir.transaction import Step, loose
from adapter.errors import (
    Conflict,
    Forbidden,
    PreconditionFailed,
    Problem,
    Refused,
)
from adapter.receive.world import World
from adapter.store import resources
from adapter.store.database import Tx
from adapter.store.resources import Received

_ETAG = re.compile(r'(?:W/)?"(?P<version>[0-9]{1,9})"\Z')


def check_once(writes: Sequence[tuple[Step, Received | None]], removed: Mapping[str, Step]) -> None:
    """After conditions are resolved: no identity is written twice, or written and deleted."""
    seen = set(removed)
    problems = []
    for step, there in writes:
        name = f"{step.type}/{step.id}"
        if name in seen and not (step.method == "POST" and there and name not in removed):
            problems.append(Problem(step.pointer, "is the same resource as another entry"))
        seen.add(name)
    if problems:
        raise Refused("An identity stands in the transaction more than once.", problems)


def check(tx: Tx, world: World, writes: Sequence[Step]) -> None:
    """No resource refers to what is not there. Refused: every reference that does."""
    coming = {f"{step.type}/{step.id}" for step in writes}
    problems: list[Problem] = []
    wanted: dict[str, list[str]] = {}
    for step in writes:
        resource = step.resource or {}
        dangling, targets = loose(resource, world.base)
        problems += [Problem(step.root + problem.pointer, problem.detail) for problem in dangling]
        for target, pointers in targets.items():
            wanted.setdefault(target, []).extend(step.root + pointer for pointer in pointers)
    missing = _missing(tx, world, wanted.keys() - coming)
    problems += [
        Problem(pointer, "refers to a resource that is not there")
        for name in sorted(missing)
        for pointer in wanted[name]
    ]
    if problems:
        raise Refused("The content refers to what is not there.", sorted(problems))


_LETTERS = {"POST": "c", "PUT": "u", "DELETE": "d", "GET": "r"}


def not_permitted() -> Forbidden:
    """The token is good, and not for this."""
    return Forbidden("The scopes of this token do not permit that.")


def check_permitted(world: World, found: Sequence[Step]) -> None:
    """Forbidden: the token's scopes leave out an interaction that is asked for."""
    for step in found:
        letter = "s" if step.method == "GET" and step.query is not None else _LETTERS[step.method]
        if not world.permits(letter, step.type):
            raise not_permitted()


def check_structure(world: World, found: Sequence[Step]) -> None:
    """Every resource keeps FHIR's structure. Looked at before the transaction: nobody waits for it."""
    problems: list[Problem] = []
    for step in found:
        if step.resource is not None:
            dropped = ("id",) if step.method == "POST" else ()  # the id is ours
            resource = {name: value for name, value in step.resource.items() if name not in dropped}
            wrong = models.problems(resource, release=world.release)
            problems += [Problem(step.root + each.pointer, each.detail) for each in wrong]
    if problems:
        raise Refused("The content breaks rules of FHIR.", sorted(problems))


def _missing(tx: Tx, world: World, names: Iterable[str]) -> set[str]:
    """Which of these `Type/id` are not there: counted by type, and looked for singly only where some are missing."""
    by_type: dict[str, set[str]] = {}
    for name in names:
        by_type.setdefault(name.split("/")[0], set()).add(name.split("/")[1])
    missing = set()
    for type_, ids in by_type.items():
        if resources.count(tx, world.partner, type_, [("_id", sorted(ids))]) < len(ids):
            missing |= {f"{type_}/{id_}" for id_ in ids if not _there(tx, world, type_, id_)}
    return missing


def _there(tx: Tx, world: World, type_: str, id_: str) -> bool:
    worlds = (world.partner, world.shelf) if world.shelf else (world.partner,)
    return any((kept := resources.read(tx, each, type_, id_)) and not kept.deleted for each in worlds)


def check_still_whole(tx: Tx, world: World, removed: Mapping[str, Step]) -> None:
    """What was deleted is referred to by nothing that remains. Conflict otherwise."""
    if not removed:
        return
    for type_ in PARAMETERS:
        if resources.count(tx, world.partner, type_, [(REFERS, sorted(removed))]):
            at = {
                step.pointer
                for name, step in removed.items()
                if resources.count(tx, world.partner, type_, [(REFERS, [name])])
            }
            problems = [Problem(pointer, f"is still referred to by a {type_}") for pointer in sorted(at)]
            raise Conflict("A resource that others refer to cannot be deleted before them.", problems)


def check_version(step: Step, there: Received | None) -> None:
    """If-Match names the version that stands (http://hl7.org/fhir/R4/http.html#concurrency)."""
    if step.if_match is None or (step.if_match == "*" and there and not there.deleted):
        return
    if there is None or there.deleted or version_of(step.if_match) != there.version:
        raise PreconditionFailed(
            "The current version is another one.", [Problem(step.pointer, "If-Match names another version.")]
        )


def version_of(etag: str) -> int | None:
    """The number in an ETag of ours; None where it is none."""
    return int(match["version"]) if (match := _ETAG.match(etag.strip())) else None


def name_of(kept: Received | None) -> str:
    """`Type/id`; empty for nothing."""
    return f"{kept.type}/{kept.id}" if kept else ""
