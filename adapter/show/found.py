"""Finds a case or a partner; what is not there is one answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.desk import Desk, Preview
from adapter.errors import NotFound
from adapter.store import cases
from adapter.store.cases import StoredCase
from adapter.store.database import Tx


def known_partner(desk: Desk | Preview, partner: str) -> None:
    known: Mapping[str, Any] = desk.catalogue.partners
    if partner not in known:
        raise NotFound("There is no such partner.")


def known_case(tx: Tx, number: str) -> StoredCase:
    """The case, also a deleted one: its account stays."""
    stored = cases.get(tx, number)
    if stored is None:
        raise NotFound("There is no such case.")
    return stored


def stored_case(tx: Tx, number: str) -> StoredCase:
    stored = known_case(tx, number)
    if stored.deleted:
        raise NotFound("There is no such case.")
    return stored


def page_of(desk: Desk, number: str | None, after: str | None, limit: int) -> tuple[list[StoredCase], str | None]:
    """One case; or a page of cases, in the order first saved, and the last's number where there may be more."""
    with desk.store.reading() as tx:
        if number is not None:
            return [stored_case(tx, number)], None
        found = cases.listed(tx, after=known_case(tx, after).id if after else None, limit=limit)
    return found, found[-1].number if len(found) == limit else None
