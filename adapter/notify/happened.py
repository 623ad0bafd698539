"""What of that which has happened a partner may be told now, and its lines in the account of each case."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from adapter import serve
from adapter.core.account.chain import Line
from adapter.core.subscriptions.telling import Event
from adapter.desk import Desk
from adapter.store import disclosures, resources, subscriptions, views
from adapter.store.database import Tx
from adapter.store.subscriptions import Happened, Subscription

LAST = 2**31 - 1
"""No event has a number behind it."""


def told_of(desk: Desk, partner: str, one: Subscription, found: Sequence[Happened], content: str) -> list[Event]:
    """These events, each with what it is about where the partner may read that at this moment. Unavailable: that is
    being found out."""
    if content != "id-only" or not found:
        return [Event(each.number, each.at) for each in found]
    shelf = serve.shelf_with(desk, partner, {(each.type, each.id) for each in found})
    with desk.store.reading() as tx:
        return [
            Event(each.number, each.at, f"{each.type}/{each.id}" if _may_read(tx, partner, shelf, each) else "")
            for each in found
        ]


def _may_read(tx: Tx, partner: str, shelf: str, each: Happened) -> bool:
    worlds = (partner, shelf) if shelf else (partner,)
    return any((kept := resources.read(tx, w, each.type, each.id)) is not None and not kept.deleted for w in worlds)


def account(desk: Desk, partner: str, one: Subscription, found: Sequence[Happened], told: Sequence[Event]) -> None:
    """Enter the ids that the partner is told of now and never was before; to be told of the same again tells nothing.
    That something of it has changed is told by its number, and is in the account when it is read."""
    new = {
        each.number: (each.type, each.id)
        for each, event in zip(found, told, strict=True)
        if event.focus and not each.accounted
    }
    if not new:
        return
    now, request_id = desk.clock(), secrets.token_hex(16)
    with desk.store.writing() as tx:
        by_case: dict[str, list[Line]] = {}
        for case_id, _, name, shown_ in views.untold(tx, partner, dict.fromkeys(new.values(), LAST)):
            if not shown_.told:
                by_case.setdefault(case_id, []).append(serve.line(partner, name, shown_, request_id, now, "notify"))
        for case_id, lines in sorted(by_case.items()):
            disclosures.append(tx, case_id, lines)
        subscriptions.accounted(tx, one, new)
