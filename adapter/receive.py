"""A partner wrote to our /fhir, or reads there what it wrote: check, keep, answer (exchange.md, *What comes in*).

Each partner has a world of its own: every function takes whose it is, and nothing of another's can be found, referred
to, or told from what is not there. Whatever writes does so in one transaction that is alone in this world.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from adapter.core import strict_json
from adapter.core.fhir import models
from adapter.core.fhir.search import PARAMETERS, REFERS, Pairs, Query, index, query
from adapter.core.fhir.transaction import Step, count, in_order, loose, placed, steps, twice
from adapter.core.partner import Release
from adapter.errors import (
    AdapterError,
    Conflict,
    Malformed,
    NotFound,
    PreconditionFailed,
    Problem,
    Refused,
    TooLarge,
)
from adapter.store import resources, tokens
from adapter.store.database import Store, Tx
from adapter.store.resources import Received
from adapter.store.tokens import Principal

MOST_VALUES = 50_000
_ETAG = re.compile(r'(?:W/)?"(?P<version>[0-9]{1,9})"\Z')


class Gone(AdapterError):  # noqa: N818  named as its siblings in errors.py
    """It was here, and the same partner deleted it."""

    status = 410
    code = "deleted"
    title = "Deleted"


class Ambiguous(PreconditionFailed):
    """A condition that is to name one resource matches several."""

    code = "multiple-matches"


@dataclass(frozen=True, slots=True)
class World:
    """Whose resources, under which address of ours (`https://…/fhir`), when, and in which release of FHIR."""

    partner: str
    base: str
    now: datetime
    release: Release = "R4"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one interaction; `kept` is the resource as it stands now, `page` what a search found."""

    status: int
    kept: Received | None = None
    page: Page | None = None

    @property
    def etag(self) -> str:
        """The weak ETag of the version."""
        return f'W/"{self.kept.version}"' if self.kept else ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: what is on it, how many there are in all, and behind which id the next page begins."""

    found: tuple[Received, ...]
    total: int
    after: str | None
    asked: Query


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of the entries of a Bundle, in their order."""

    kind: Literal["transaction", "batch"]
    entries: tuple[tuple[Step, Answer | AdapterError], ...]


def caller(store: Store, token: str) -> Principal | None:
    """Whose token this is; None where it is not one, or no longer."""
    with store.reading() as tx:
        return tokens.find(tx, token)


def secret(store: Store, purpose: str) -> bytes:
    """32 bytes for one purpose at the edge, the same in every process of this instance, and in no other."""
    with store.reading() as tx:
        return tx.seal.index("secrets of the edge", purpose)


def interact(store: Store, world: World, asked: Step, body: bytes = b"") -> Answer:
    """One create, update, read, version read or delete, conditional ones too; `body` holds what is to be written."""
    if asked.method == "GET":
        with store.reading() as tx:
            return _get(tx, world, asked)
    step = asked if asked.method == "DELETE" else replace(asked, resource=_resource(body, asked.type))
    _check_structure(world, [step])
    with store.writing() as tx:
        resources.alone(tx, world.partner)
        return _work(tx, world, [step], body or None)[step.position]


def search(store: Store, world: World, type_: str, asked: Query, *, after: str | None = None) -> Page:
    """What of this type meets the query, a page at a time."""
    with store.reading() as tx:
        return _search(tx, world, type_, asked, after)


def bundle(store: Store, world: World, body: bytes) -> Worked:
    """Work on a transaction (all or nothing) or a batch (each entry for itself), and say what became of each entry.

    An error of a transaction names its entries by their pointers; in a batch an entry's error is what became of it.
    """
    kind, found = steps(_parsed(body), PARAMETERS, base=world.base)
    if kind == "batch":
        return Worked(kind, tuple((step, _by_itself(store, world, step)) for step in found))
    if problems := twice(found):
        raise Refused("An identity stands in the transaction more than once.", problems)
    _check_structure(world, found)
    with store.writing() as tx:
        resources.alone(tx, world.partner)
        answers = _work(tx, world, found, None)
    return Worked(kind, tuple((step, answers[step.position]) for step in found))


def _work(tx: Tx, world: World, found: Sequence[Step], sent: bytes | None) -> dict[int, Answer]:
    """The steps of one transaction: delete, give each resource its place, check everything, write, read."""
    ordered = in_order(found)
    answers = {step.position: _delete(tx, world, step) for step in ordered if step.method == "DELETE"}
    removed = {_name(answer.kept): step for step in ordered if (answer := answers.get(step.position)) and answer.kept}
    writes = [_settled(tx, world, step) for step in ordered if step.method in ("POST", "PUT")]
    _check_once(writes, removed)
    places = {step.full_url: f"{step.type}/{step.id}" for step, _ in writes if step.full_url}
    writes = [(_with(step, placed(step.resource or {}, places, step.full_url)), there) for step, there in writes]
    _check(tx, world, [step for step, there in writes if there is None or step.method == "PUT"])
    for step, there in writes:
        answers[step.position] = _write(tx, world, step, there, sent)
    _check_still_whole(tx, world, removed)
    for step in ordered:
        if step.method == "GET":
            answers[step.position] = _get(tx, world, step)
    return answers


def _delete(tx: Tx, world: World, step: Step) -> Answer:
    id_ = step.id
    if step.query is not None:
        match = _match(tx, world, step, step.query)
        if match is None:
            return Answer(204)
        id_ = match.id
    there = resources.read(tx, world.partner, step.type, id_)
    _check_version(step, there)
    return Answer(204, resources.delete(tx, world.partner, step.type, id_, now=world.now))


def _settled(tx: Tx, world: World, step: Step) -> tuple[Step, Received | None]:
    """The step with the id under which its resource will stand, and what stands there now."""
    there: Received | None = None
    condition = step.create_if_none if step.method == "POST" else step.query
    if condition is not None:
        there = _match(tx, world, step, condition)
    elif step.method == "PUT":
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
        _check_version(step, there)
    return replace(step, id=id_), there


def _write(tx: Tx, world: World, step: Step, there: Received | None, sent: bytes | None) -> Answer:
    if step.method == "POST" and there:
        return Answer(200, there)
    resource = step.resource or {}
    terms = index(resource, base=world.base)
    if step.method == "POST":
        made = resources.create(
            tx, world.partner, step.type, resource, id=step.id, now=world.now, indexed=terms, sent=sent
        )
    else:
        made = resources.update(
            tx, world.partner, step.type, step.id, resource, now=world.now, indexed=terms, sent=sent
        )
    return Answer(200 if there else 201, replace(made, body=resource))


def _get(tx: Tx, world: World, step: Step) -> Answer:
    if step.query is not None:
        return Answer(200, page=_search(tx, world, step.type, query(step.type, step.query, base=world.base), None))
    if step.version:
        number = int(step.version) if re.fullmatch("[0-9]{1,9}", step.version) else 0
        kept = resources.version(tx, world.partner, step.type, step.id, number)
    else:
        kept = resources.read(tx, world.partner, step.type, step.id)
    if kept is None:
        raise NotFound("There is no such resource.")
    if kept.deleted:
        raise Gone("The resource was deleted.")
    unchanged = step.if_none_match is not None and _version_of(step.if_none_match) == kept.version
    return Answer(304 if unchanged else 200, kept)


def _search(tx: Tx, world: World, type_: str, asked: Query, after: str | None) -> Page:
    criteria = [*asked.terms, *([("_id", asked.ids)] if asked.ids is not None else [])]
    if asked.since or asked.before or asked.newest_first:
        return _search_by_time(tx, world, type_, asked, criteria, after)
    total = resources.count(tx, world.partner, type_, criteria)
    if asked.total_only:
        return Page((), total, None, asked)
    found = resources.search(tx, world.partner, type_, criteria, limit=asked.count + 1, after=after)
    return _page(found, total, asked)


def _search_by_time(
    tx: Tx, world: World, type_: str, asked: Query, criteria: list[tuple[str, tuple[str, ...]]], after: str | None
) -> Page:
    """The store searches by terms alone: times are looked at here."""
    every = resources.search(tx, world.partner, type_, criteria, limit=2**31 - 1)
    found = [
        kept
        for kept in every
        if (not asked.since or kept.updated >= asked.since) and (not asked.before or kept.updated < asked.before)
    ]
    found.sort(key=lambda kept: kept.updated, reverse=asked.newest_first)
    if asked.total_only:
        return Page((), len(found), None, asked)
    start = next((place for place, kept in enumerate(found, 1) if kept.id == after), 0) if after else 0
    return _page(found[start : start + asked.count + 1], len(found), asked)


def _page(found: Sequence[Received], total: int, asked: Query) -> Page:
    page = tuple(found[: asked.count])
    return Page(page, total, page[-1].id if len(found) > asked.count else None, asked)


def _match(tx: Tx, world: World, step: Step, condition: Pairs) -> Received | None:
    """The one resource that a condition names, or none. PreconditionFailed: several."""
    asked = query(step.type, condition, base=world.base)
    if not asked.terms and asked.ids is None:
        raise Malformed(
            "A condition must name at least one search parameter.", [Problem(step.pointer, "has no condition")]
        )
    page = _search(tx, world, step.type, replace(asked, count=2, total_only=False), None)
    if page.total > 1:
        raise Ambiguous("The condition matches several.", [Problem(step.pointer, "The condition matches several.")])
    return page.found[0] if page.found else None


def _check_once(writes: Sequence[tuple[Step, Received | None]], removed: Mapping[str, Step]) -> None:
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


def _check(tx: Tx, world: World, writes: Sequence[Step]) -> None:
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


def _check_structure(world: World, found: Sequence[Step]) -> None:
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
    return bool((kept := resources.read(tx, world.partner, type_, id_)) and not kept.deleted)


def _check_still_whole(tx: Tx, world: World, removed: Mapping[str, Step]) -> None:
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


def _check_version(step: Step, there: Received | None) -> None:
    """If-Match names the version that stands (http://hl7.org/fhir/R4/http.html#concurrency)."""
    if step.if_match is None or (step.if_match == "*" and there and not there.deleted):
        return
    if there is None or there.deleted or _version_of(step.if_match) != there.version:
        raise PreconditionFailed(
            "The current version is another one.", [Problem(step.pointer, "If-Match names another version.")]
        )


def _version_of(etag: str) -> int | None:
    return int(match["version"]) if (match := _ETAG.match(etag.strip())) else None


def _by_itself(store: Store, world: World, step: Step) -> Answer | AdapterError:
    """One entry of a batch, in a transaction of its own."""
    try:
        _check_structure(world, [step])
        with store.writing() as tx:
            resources.alone(tx, world.partner)
            return _work(tx, world, [step], None)[step.position]
    except AdapterError as error:
        return error


def _parsed(body: bytes) -> Any:
    """The JSON of a body. TooLarge: more values in it than anything that is exchanged here has."""
    value = strict_json.parse(body)
    # Counting marks is quick and never too low; only where texts hold many of them are values counted one by one.
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > MOST_VALUES and count(value) > MOST_VALUES:
        raise TooLarge(f"The body holds more than {MOST_VALUES} values.")
    return value


def _resource(body: bytes, type_: str) -> dict[str, Any]:
    resource = _parsed(body)
    if not isinstance(resource, dict):
        raise Malformed("A resource is expected: a JSON object.")
    if resource.get("resourceType") != type_:
        raise Malformed(
            "The resource is not of the type that the URL names.", [Problem("/resourceType", f"must be {type_}")]
        )
    return resource


def _with(step: Step, resource: dict[str, Any]) -> Step:
    return replace(step, resource={**resource, "id": step.id})


def _name(kept: Received | None) -> str:
    return f"{kept.type}/{kept.id}" if kept else ""
