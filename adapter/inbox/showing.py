"""The items of the inbox, and one of them in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter import arrived
from adapter.arrived import Look
from adapter.core.inbox import imported
from adapter.core.inbox.values import Compared, Proposal, Refusal
from adapter.desk import Desk
from adapter.errors import NotFound
from adapter.store import cases, inbox
from adapter.store.database import Tx
from adapter.store.inbox import Item, State


def listed(
    desk: Desk, *, partner: str | None, state: State | None, after: int, limit: int, case: str | None = None
) -> dict[str, Any]:
    """The items, in the order in which they first came: whose, of which case, whether anything waits; no values.

    `next`: behind which position the next page begins. `unread`: how many have been written of since they were looked
    at, so that their state is not known yet.
    """
    arrived.settle_all(desk)
    with desk.store.reading() as tx:
        stored = cases.get(tx, case) if case else None
        if case and stored is None:
            raise NotFound("There is no such case.")
        of_case = stored.id if stored else None
        found = inbox.listed(tx, partner=partner, state=state, case_id=of_case, after=after, limit=limit + 1)
        rows = [_row(tx, item) for item in found[:limit]]
    return {"items": rows, "next": found[limit - 1].position if len(found) > limit else None}


def show(desk: Desk, id_: str) -> dict[str, Any]:
    """One item: every record that the partner says something of beside the case's, and everything that was refused."""
    with desk.store.reading() as tx:
        stale = _get(tx, id_)
    arrived.settle(desk, stale)
    with desk.store.reading() as tx:
        seen = arrived.look(desk, tx, _get(tx, id_))
        proposed = arrived.candidates(desk, tx, seen)
        row = _row(tx, seen.item)
    return {
        **row,
        "matched": {name: said for name, said in seen.item.matched.items() if name != "despite" and seen.stored},
        "doubt": bool(seen.doubt),
        "candidates": [{"case": each.number, "by": each.proof, "sure": each.sure} for each in proposed],
        "records": [_record(each) for each in seen.compared],
        "others": [_proposal(each) for each in seen.others],
        "consents": _consents(seen),
        "refused": [_refusal(each) for each in seen.refusals],
        "findings": [
            {"resource": seen.sent.names[note.index], "element": note.expression, "rule": note.rule}
            for note in seen.mapped.findings
        ],
        "resources": _resources(seen),
        "more": seen.sent.more,
    }


def _get(tx: Tx, id_: str) -> Item:
    if (item := inbox.get(tx, id_)) is None:
        raise NotFound("There is no such item.")
    return item


def _row(tx: Tx, item: Item) -> dict[str, Any]:
    stored = cases.by_id(tx, item.case_id) if item.case_id else None
    return {
        "id": item.id,
        "partner": item.partner,
        "of": "child" if item.subject else "no child",
        "case": stored.number if stored and not stored.deleted else None,
        "state": item.state,
        "version": item.version,
        "changed_at": item.changed_at.isoformat(),
    }


def _record(compared: Compared) -> dict[str, Any]:
    return {
        "path": compared.path,
        "sources": list(compared.sources),
        "proposals": [_proposal(each) for each in compared.proposals],
        "same": list(compared.same),
        "only_here": list(compared.only_here),
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    told: Mapping[str, Any] = {
        "path": proposal.path, "kind": proposal.kind, "theirs": proposal.theirs, "ours": proposal.ours,
        "decided": proposal.decided, "needs": list(proposal.needs), "sources": list(proposal.sources),
    }  # fmt: skip
    return dict(told)


def _consents(seen: Look) -> list[dict[str, Any]]:
    """What becomes of each Consent: a denial counts in the case at once, or waits until it is known whose it is."""
    return [
        {
            "path": f"consents/{id_}",
            "resource": name,
            "denies": imported.denies(record),
            "counts": seen.stored is not None and imported.denies(record),
        }
        for id_, (name, record) in seen.consents.items()
    ]


def _refusal(refusal: Refusal) -> dict[str, str]:
    return {"resource": refusal.resource, "element": refusal.element, "rule": refusal.rule}


def _resources(seen: Look) -> list[dict[str, Any]]:
    return [
        {"resource": f"{kept.type}/{kept.id}", "version": kept.version, "updated": kept.updated.isoformat()}
        for kept in seen.sent.resources
    ]
