"""A person acts: a share is tried again, a look or a disclosure by other means is entered in the account."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from typing import Any

from adapter.core import strict_json
from adapter.core.account import entering
from adapter.core.account.chain import Line
from adapter.core.consent.review import not_the_denied, released
from adapter.core.keeping import Kept
from adapter.desk import Desk
from adapter.errors import Malformed, NotFound, Problem, Refused
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


def review(desk: Desk, number: str, body: bytes, *, by: str) -> dict[str, Any]:
    """`{"path", "topics"?, "by"?, "not_denied"?}` of a person: as `release`, or as `not_denied` where that is true.

    `by`: what the token says of the caller; stands behind the name that is given.
    """
    asked = strict_json.parse(body)
    topics = asked.get("topics", []) if isinstance(asked, dict) else None
    known = {"path": str, "topics": list, "by": str, "not_denied": bool}
    if not isinstance(asked, dict) or "path" not in asked or not isinstance(topics, list):
        raise Malformed('A review needs a JSON object with "path".')
    wrong = [Problem(f"/{n}", "is not a field of a review") for n in asked if n not in known]
    wrong += [Problem(f"/{n}", "has another type") for n, t in known.items() if n in asked and type(asked[n]) is not t]
    wrong += [Problem(f"/topics/{i}", "must be a topic") for i, t in enumerate(topics) if not isinstance(t, str)]
    if asked.get("not_denied") and topics:
        wrong.append(Problem("/topics", "say what a text is about: give them in a review of their own"))
    if wrong:
        raise Refused("The review breaks rules.", sorted(wrong))
    if asked.get("not_denied"):
        return not_denied(desk, number, asked["path"])
    return release(desk, number, asked["path"], by=f"{asked['by']} ({by})" if "by" in asked else by, topics=topics)


def release(desk: Desk, number: str, path: str, *, by: str, topics: Collection[str] = ()) -> dict[str, Any]:
    """A person has read the text at `path` and labels it with `topics` (none: it is ordinary); its shares are due.

    It stands for the text as it is now: another text there waits again. NotFound, Refused: as `released`.
    """
    on = desk.clock().astimezone(desk.settings.time_zone).date()
    return _keep_of(
        desk, number, lambda s: released(s.body, s.kept, path, desk.catalogue.schemas, by=by, on=on, topics=topics)
    )


def not_denied(desk: Desk, number: str, path: str) -> dict[str, Any]:
    """A person says that what was added at `path` is not the record that the family denied and that is gone."""
    return _keep_of(desk, number, lambda stored: not_the_denied(stored.kept, path))


def _keep_of(desk: Desk, number: str, after: Callable[[cases.StoredCase], Kept]) -> dict[str, Any]:
    """Change what is kept beside a case; what follows from it is due."""
    now = desk.clock()
    with desk.store.writing() as tx:
        before = cases.get(tx, number)
        if before is None or before.deleted:
            raise NotFound("There is no such case.")
        stored, changed = cases.put(tx, number, before.body, after(before), now=now)
        if changed:
            shares.mark_due(tx, case_id=stored.id, now=now)
    if changed:
        desk.wake.set()
    return {"case": number, "version": stored.version, "changed": changed}
