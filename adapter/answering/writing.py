"""Writes versions of the Task in the partner's world, each with its line in the account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.answering.incoming import Incoming
from adapter.core.account.chain import Line
from adapter.core.fhir.search import index
from adapter.core.referral import inward
from adapter.core.referral.reply import Reply
from adapter.store import disclosures, resources
from adapter.store.resources import Received


def told(at: Incoming, task: Mapping[str, Any], **says: Any) -> dict[str, Any]:
    """The Task with what is said, as the partner's dialect and release have it (core/referral/inward.py)."""
    release = at.desk.catalogue.partners[at.row.partner].release
    return inward.told(task, at.dialect, at.desk.catalogue.codes["business-status"], release, **says)


def write(
    at: Incoming, task: Received, bodies: Sequence[dict[str, Any]], wanted: Reply, operation: str = "update"
) -> None:
    """Each of these as a version of its own, each with its line in the account, in this transaction."""
    before = index(task.body, base="")
    for body in bodies:
        made = inward.dated(body, at.now)
        after = index(made, base="")
        gone, come = _less(before, after), _less(after, before)
        resources.amend(at.tx, at.row.partner, "Task", task.id, made, now=at.now, gone=gone, come=come)
        account(at, operation, wanted)
        before = after


def _less(some: Mapping[str, Sequence[str]], others: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {name: [v for v in values if v not in others.get(name, ())] for name, values in some.items()}


def account(at: Incoming, operation: str, wanted: Reply) -> None:
    """A line of the account, for one version of the Task."""
    line = Line(
        at=at.now,
        partner=at.row.partner,
        purpose="referral",
        kind="withdrawn" if operation == "withdraw" else "delivered",
        request_id=at.request_id,
        operation=operation,
        resource_type="Task",
        urn=at.row.urn,
        about=at.row.path,
        parts=wanted.parts,
        topics=wanted.topics,
        consents=wanted.consents,
        outcome="delivered",
    )
    disclosures.append(at.tx, at.stored.id, [line])
