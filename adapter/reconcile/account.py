"""The lines that the account of disclosures gets for what is attempted, done, looked up and left as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from adapter.core.diff import Change, Create, Delete, Freeze, Holding, Made, Update
from adapter.core.fhir.results import Result
from adapter.core.keeping import version_of
from adapter.desk import Desk
from adapter.reconcile.work import Work, thing_of
from adapter.store.disclosures import Line


def kind_of(result: Result) -> str:
    """The kind of the second line of a change: what became of it."""
    if result.outcome not in ("delivered", "existing"):
        return "failed"
    return "withdrawn" if isinstance(result.change, Delete) else "delivered"


_OPERATIONS: Mapping[type[Change], str] = {Create: "create", Update: "update", Delete: "withdraw", Freeze: "freeze"}


def line(desk: Desk, work: Work, change: Change, kind: str, outcome: str, now: datetime) -> Line:
    """One line of the account for one change."""
    return line_of(desk, work, thing_of(change), _OPERATIONS[type(change)], kind, outcome, now)


def line_of(
    desk: Desk, work: Work, thing: Made | Holding, operation: str, kind: str, outcome: str, now: datetime
) -> Line:
    """One line of the account: what, for what, under which consents as they are now."""
    labels = work.plan.desired.view.labels
    known = {each for path in thing.about.split() if path in labels for each in labels[path].purposes}
    purposes: Iterable[str] = sorted(known) or (desk.catalogue.partners[work.share.partner].purpose,)
    return Line(
        at=now,
        partner=work.share.partner,
        purpose=" ".join(purposes),
        kind=kind,
        request_id=work.request_id,
        operation=operation,
        resource_type=thing.type,
        urn=thing.urn,
        about=thing.about,
        parts=thing.parts,
        topics=thing.topics,
        consents=tuple(version_of(work.stored.kept, c) for c in work.plan.desired.view.consents),
        outcome=outcome,
    )
