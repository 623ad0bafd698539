"""What was sent and whose end is not known: kept before the bytes leave, looked up before anything else is sent.

Without it, what was created by a request that seemed to fail would be unknown to everyone, and would stay at the
partner when permission ends (exchange.md, *Delivery*: unknown outcome).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from adapter.core.diff import Change, Create, Delete, Holding, Update
from adapter.core.fhir.bundle import Sent
from adapter.core.fhir.instants import instant
from adapter.core.fhir.outcome import is_gone
from adapter.core.fhir.results import found, place_of
from adapter.core.retry import Outcome

LOOKED = "looked up"
"""The hash of what was found there: of no content of ours, so that it is written."""
LATER = (timedelta(minutes=1), timedelta(minutes=15))
"""After these what was not found is looked for once more: a gateway gives up on a request, and the server behind it is
still at it. Else it would come there when permission has ended, and nobody would ever take it back."""


def sent(change: Sent) -> Holding:
    """What a share holds while `change` is under way: nothing is known to be equal, and what may come or go has no id.

    A directory resource that is being taken back has none either, so that no other share counts on it.
    """
    match change:
        case Create(made):
            return Holding(
                made.urn, made.type, made.identifier, "", "", "", made.directory,
                about=made.about, parts=made.parts, topics=made.topics,
            )  # fmt: skip
        case Delete(held) if held.directory:
            return replace(held, id="", version="", hash="")
        case Update(holding=held) | Delete(held):
            return replace(held, hash="")


def doubted(held: Iterable[Holding]) -> list[Holding]:
    """What is held and ours, as if it were not known: it is then looked up, and set right where it is not as it should
    be, or is not there. What is frozen is left alone: it may neither be updated nor read."""
    return [
        replace(h, id="", version="", hash="") if h.directory else replace(h, hash="")
        for h in held
        if h.state == "active" and h.ours
    ]


def lost_from_sight(held: Iterable[Holding], wanted: Collection[str], now: datetime) -> list[Holding]:
    """What is to be looked for once more by now: what was not found, or has been taken back since, as if it were there,
    and by its identifier, for what comes late has an id of its own; and what is `wanted` and may have been taken back.
    What is wanted and was not found is created anyway.
    """
    asked = []
    for h in held:
        if h.state == "withdrawn" and h.urn not in wanted and _is_due(h.late, now):
            asked.append(replace(h, id="", state="active"))
        elif h.state == "active" and h.hash and h.urn in wanted and _is_due(h.leaving, now):
            asked.append(h)
    return asked


def missed(found: Holding, before: Holding, now: datetime, *, leaving: bool) -> Holding:
    """`found`, and when it is looked for again: where it was sent and is not there, it may be on its way yet; where it
    is there and may stay, and was asked to be taken back (`leaving`), that may be."""
    if before.state == "withdrawn":
        return still_late(replace(found, id=found.id or before.id), before, now)
    if found.state == "withdrawn":
        return replace(found, leaving=(), late=found.late if found.id else _later(now))
    if before.hash:
        return replace(before, leaving=_after(before.leaving, now))
    return replace(found, leaving=_later(now)) if leaving else found


def still_late(held: Holding, before: Holding | None, now: datetime) -> Holding:
    """`held` in the place of `before`, of which something may still be on its way there."""
    return replace(held, late=_after(before.late, now)) if before else held


def looks_again(held: Iterable[Holding], wanted: Collection[str], now: datetime) -> datetime | None:
    """When something is to be looked for once more, after `now`; None where nothing is."""
    moments = (each for h in held for each in _after(h.leaving if h.urn in wanted else h.late, now))
    first = min(moments, default="")
    return datetime.fromisoformat(first) if first else None


def _later(now: datetime) -> tuple[str, ...]:
    return tuple(instant(now + wait) for wait in LATER)


def _after(moments: Iterable[str], now: datetime) -> tuple[str, ...]:
    return tuple(each for each in moments if each > instant(now))


def _is_due(moments: Sequence[str], now: datetime) -> bool:
    return bool(moments) and moments[0] <= instant(now)


def unclear(held: Iterable[Holding], changes: Iterable[Change]) -> list[Holding]:
    """What must be looked up before `changes` may be sent: what has no id, and what they write and is not known."""
    touched = {change.holding.urn for change in changes if isinstance(change, Update | Delete)}
    return [h for h in held if h.state != "withdrawn" and (not h.id or (not h.hash and h.urn in touched))]


def looked_up(held: Holding, status: int, body: Any) -> Holding | Outcome:
    """What `held` is, after a search by its identifier (where it has no id) or a read; an outcome where neither tells.

    What is not there is withdrawn: it may be named in a request to purge, for it was sent. What is there is not looked
    up again before it is written: a partner that is to be asked seldom would be asked the same for ever.
    """
    gone = replace(held, version="", hash="", state="withdrawn")
    if held.id:
        if is_gone(status, body):
            return gone
        id_, version = place_of(body)
        there = status == 200 and body.get("resourceType") == held.type and id_ == held.id if id_ else False
        return replace(held, version=version, hash=LOOKED) if there else "unknown"
    places = found(body, held.type, held.identifier) if status == 200 else None
    match places:
        case None:
            return "unknown"
        case ():
            return gone
        case ((id_, version),):
            return replace(held, id=id_, version=version, hash=LOOKED)
    return "ambiguous"
