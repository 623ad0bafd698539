"""A person acts: a share is tried again, a look or a disclosure by other means is entered in the account."""

from __future__ import annotations

import secrets
from typing import Any

from adapter.core import strict_json
from adapter.core.account import entering
from adapter.core.account.chain import Line
from adapter.desk import Desk
from adapter.errors import NotFound
from adapter.store import cases, disclosures, shares


def retry(desk: Desk, number: str, partner: str) -> dict[str, Any]:
    """Make one share due now, whatever stopped it or made it wait."""
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        if stored is None or not shares.retry(tx, stored.id, partner, now=now):
            raise NotFound("There is no such share.")
    desk.wake.set()
    return {"case": number, "partner": partner, "due": now.isoformat()}


def enter_disclosure(desk: Desk, number: str, body: bytes, *, role: str, label: str) -> dict[str, Any]:
    """Enter what was told outside of the adapter: by fax, by telephone, under a duty to report (consent.md, rule 8)."""
    line = entering.told(
        strict_json.parse(body),
        parts=desk.catalogue.parts,
        role=role,
        label=label,
        request_id=secrets.token_hex(16),
        zone=desk.settings.time_zone,
        now=desk.clock(),
    )
    return {"case": number, "seq": _enter(desk, number, line)}


def enter_look(desk: Desk, number: str, about: str, *, role: str, label: str) -> None:
    """Enter that a person looked at a case: `about` a record's path, `views/P`, or "" for the whole."""
    request_id = secrets.token_hex(16)
    _enter(desk, number, entering.look(about=about, role=role, label=label, request_id=request_id, now=desk.clock()))


def _enter(desk: Desk, number: str, line: Line) -> int:
    """The line's number in the account; of a deleted case too."""
    with desk.store.reading() as tx:
        # Read apart: whoever saves the case now need not be waited for.
        stored = cases.get(tx, number)
    if stored is None:
        raise NotFound("There is no such case.")
    with desk.store.writing() as tx:
        return disclosures.append(tx, stored.id, [line])
