"""Reads and searches in a partner's world, within one transaction."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from adapter.core.fhir.search import MOST, REFERS, Pairs, Query, linked, query
from adapter.core.fhir.transaction import Step
from adapter.errors import (
    Malformed,
    NotFound,
    Problem,
)
from adapter.receive.checks import version_of
from adapter.receive.world import Ambiguous, Answer, Gone, Page, World
from adapter.store import resources
from adapter.store.database import Tx
from adapter.store.resources import Received


def get(tx: Tx, world: World, step: Step) -> Answer:
    """A read, a version read, or a search within a Bundle. NotFound, or Gone, where it is not there."""
    if step.query is not None:
        return Answer(200, page=found(tx, world, step.type, query(step.type, step.query, base=world.base), None))
    kept = _kept(tx, world, step)
    if kept is None:
        raise NotFound("There is no such resource.")
    if kept.deleted:
        raise Gone("The resource was deleted.")
    unchanged = step.if_none_match is not None and version_of(step.if_none_match) == kept.version
    return Answer(304 if unchanged else 200, kept)


def _kept(tx: Tx, world: World, step: Step) -> Received | None:
    number = int(step.version) if step.version and re.fullmatch("[0-9]{1,9}", step.version) else 0
    if step.version:
        kept = resources.version(tx, world.partner, step.type, step.id, number)
    else:
        kept = resources.read(tx, world.partner, step.type, step.id)
    if kept is not None or not world.shelf:
        return kept
    # Of what is served only what stands there now is there: what it was may be withheld, and so is that it was.
    shown = resources.read(tx, world.shelf, step.type, step.id)
    current = shown is not None and not shown.deleted and (not step.version or number == shown.version)
    return shown if current else None


def found(tx: Tx, world: World, type_: str, asked: Query, after: str | None) -> Page:
    """What of this type meets the query, a page at a time, behind the id `after`; with what is to be included."""
    page = _found(tx, world, type_, asked, after)
    if not (asked.include or asked.revinclude) or not page.found:
        return page
    return replace(page, included=tuple(_belonging(tx, world, page).values()))


def _belonging(tx: Tx, world: World, page: Page) -> dict[str, Received]:
    """What the resources of a page refer to, and what refers to them, as far as it was asked for: each once."""
    there = {f"{kept.type}/{kept.id}" for kept in page.found}
    names = [n for kept in page.found for link in page.asked.include for n in linked(kept.body, link, base=world.base)]
    included = {n: kept for n in dict.fromkeys(names) if n not in there and (kept := named(tx, world, n)) is not None}
    for link in page.asked.revinclude:
        if not world.permits("r", link.type):
            continue
        criteria = [(REFERS if link.parameter == "*" else link.parameter, sorted(there))]
        for kept in resources.search(tx, world.partner, link.type, criteria, limit=MOST, also=world.shelf):
            if (name := f"{kept.type}/{kept.id}") not in there:
                included.setdefault(name, kept)
    return included


def named(tx: Tx, world: World, name: str) -> Received | None:
    """The resource `Type/id`, as it stands in either world; None where it is not there."""
    type_, _, id_ = name.partition("/")
    if not world.permits("r", type_):
        return None
    for place in (world.partner, world.shelf) if world.shelf else (world.partner,):
        kept = resources.read(tx, place, type_, id_)
        if kept is not None and not kept.deleted:
            return kept
    return None


def _found(tx: Tx, world: World, type_: str, asked: Query, after: str | None) -> Page:
    criteria = [*asked.terms, *([("_id", asked.ids)] if asked.ids is not None else [])]
    if asked.since or asked.before or asked.newest_first:
        return _search_by_time(tx, world, type_, asked, criteria, after)
    total = resources.count(tx, world.partner, type_, criteria, also=world.shelf)
    if asked.total_only:
        return Page((), total, None, asked)
    found = resources.search(tx, world.partner, type_, criteria, limit=asked.count + 1, after=after, also=world.shelf)
    return _page(found, total, asked)


def _search_by_time(
    tx: Tx, world: World, type_: str, asked: Query, criteria: list[tuple[str, tuple[str, ...]]], after: str | None
) -> Page:
    """The store searches by terms alone: times are looked at here."""
    every = resources.search(tx, world.partner, type_, criteria, limit=2**31 - 1, also=world.shelf)
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


def matching(tx: Tx, world: World, step: Step, condition: Pairs) -> Received | None:
    """The one resource that a condition names, or none. PreconditionFailed: several."""
    asked = query(step.type, condition, base=world.base)
    if not asked.terms and asked.ids is None:
        raise Malformed(
            "A condition must name at least one search parameter.", [Problem(step.pointer, "has no condition")]
        )
    page = found(tx, replace(world, shelf=""), step.type, replace(asked, count=2, total_only=False), None)
    if page.total > 1:
        raise Ambiguous("The condition matches several.", [Problem(step.pointer, "The condition matches several.")])
    return page.found[0] if page.found else None
