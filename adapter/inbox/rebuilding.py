"""Builds the inbox from what stands there: of cases and resources that came before this adapter kept one, or before a
partner was added. Everything that was decided stays."""

from __future__ import annotations

from adapter.core.fhir.called import calls
from adapter.core.fhir.search import CALLED, CHILDLESS, children
from adapter.desk import Desk
from adapter.saving import known_by
from adapter.store import cases, inbox, resources

_PAGE = 100


def rebuild(desk: Desk) -> tuple[int, int]:
    """Let every case be found by its child's names, and every child that a partner has written of have its item: how
    many cases and resources were gone through. A page at a time: others save and write meanwhile."""
    return _cases(desk), sum(_resources(desk, partner) for partner in desk.catalogue.partners)


def _cases(desk: Desk) -> int:
    done, after = 0, None
    while True:
        with desk.store.reading() as tx:
            page = cases.listed(tx, after=after, limit=_PAGE)
        if not page:
            return done
        for stored in page:
            with desk.store.writing() as tx:
                if (current := cases.get(tx, stored.number)) is not None:
                    known_by(desk, tx, current)
        done, after = done + len(page), page[-1].id


def _resources(desk: Desk, partner: str) -> int:
    base = f"{desk.settings.public_url.rstrip('/')}/fhir" if desk.settings.public_url else ""
    done = after = 0
    while True:
        with desk.store.writing() as tx:
            resources.alone(tx, partner)
            page = resources.every(tx, partner, after=after, limit=_PAGE)
            if not page:
                return done
            for after, kept in page:  # noqa: B007  the last one is where the next page begins
                named = children(kept.body, base=base)
                if not named:
                    resources.find_by(tx, kept, CHILDLESS, "yes")
                    for call in calls(kept.body):
                        resources.find_by(tx, kept, CALLED, call)
                inbox.touch(tx, partner, named or {inbox.NOBODY}, every=False, now=desk.clock())
        done += len(page)
