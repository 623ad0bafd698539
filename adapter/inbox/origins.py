"""Where what was adopted into a case came from: for the agency alone (core/inbox/sources.py)."""

from __future__ import annotations

from typing import Any

from adapter.core.inbox.provenance import provenance
from adapter.core.inbox.sources import sources
from adapter.desk import Desk
from adapter.errors import NotFound
from adapter.store import cases


def sources_of(desk: Desk, number: str, *, form: str) -> dict[str, Any]:
    """Each adopted record and field with the partner, the resources and their version, when and by whom; `form` is
    `records`, or `fhir` for a Bundle of Provenance. NotFound: no such case."""
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
    if stored is None or stored.deleted:
        raise NotFound("There is no such case.")
    found = list(sources(stored.kept))
    if form == "fhir":
        return provenance(number, found, {id_: partner.name for id_, partner in desk.catalogue.partners.items()})
    return {"case": number, "sources": found}
