"""A person acts on what goes to partners: a share is tried again, a child matched, a partner paused or looked at anew;
and enters in the account a look, or what was said by other means.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from adapter import purging
from adapter.core import purge, strict_json
from adapter.core.account import entering
from adapter.core.account.chain import Line
from adapter.core.asked import an_object, unknown
from adapter.core.desired import Subject, plan
from adapter.core.diff import ORDER, Holding, Update, content
from adapter.core.doubt import doubted
from adapter.core.fhir.abilities import not_taken
from adapter.core.matching import Candidate, is_id
from adapter.desk import Desk
from adapter.errors import Conflict, Forbidden, NotFound, Problem, Refused
from adapter.store import abilities, cases, disclosures, holdings, matches, paces, purges, resyncs, shares
from adapter.store.cases import StoredCase
from adapter.store.database import Tx

Theirs = Literal["", "overwrite", "leave"]

LEAST_PER_MINUTE, MOST_PER_MINUTE = 0.1, 60_000


def retry(desk: Desk, number: str, partner: str, *, theirs: Theirs = "") -> dict[str, Any]:
    """Make one share due now, whatever stopped it or made it wait.

    `theirs`: what becomes of what somebody at the partner has changed in our copies. `overwrite`: ours again, over the
    version that was found; `leave`: as it is there, until ours changes. Empty: nothing is decided; it is read again.
    """
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        if stored is None or not shares.retry(tx, stored.id, partner, now=now):
            raise NotFound("There is no such share.")
        if theirs:
            _configured(desk, partner)
            share = shares.between(tx, stored.id, partner)
            if share is None or not shares.at_rest(tx, share, now=now):
                raise Conflict("It is being worked on: look at it again in a moment, and decide then.")
            holdings.save(tx, share.id, _decided(desk, tx, stored, share, theirs, now), now=now)
        paces.let_try(tx, partner, now=now)
    desk.wake.set()
    return {"case": number, "partner": partner, "due": now.isoformat()}


def retry_as_asked(desk: Desk, number: str, partner: str, body: bytes, *, role: str) -> dict[str, Any]:
    """`retry`, with `{"theirs": "overwrite" | "leave"}`, or without a body. Forbidden: a program would decide."""
    given = an_object(body) if body else {}
    theirs = given.get("theirs", "")
    found = unknown(given, ("theirs",))
    if theirs not in get_args(Theirs):
        found.append(Problem("/theirs", "must be overwrite or leave"))
    if found:
        raise Refused("The request breaks rules; nothing was done.", sorted(found))
    if theirs and role == "source":
        raise Forbidden("Whose a changed copy is, a person decides.")
    return retry(desk, number, partner, theirs=theirs)


def match(desk: Desk, number: str, partner: str, body: bytes, *, role: str, label: str) -> dict[str, Any]:
    """A person says who a child is among the partner's patients: `{"accept": "id there"}`, or `{"create": true}`, that
    it is none of them. The share is due. NotFound: it does not wait to be matched. The look is entered in the account.
    """
    given = an_object(body)
    found = unknown(given, ("accept", "create"))
    if "accept" in given and not is_id(given["accept"]):
        found.append(Problem("/accept", "must be the id of a Patient there"))
    if "create" in given and given["create"] is not True:
        found.append(Problem("/create", "must be true"))
    if len({"accept", "create"} & given.keys()) != 1:
        found.append(Problem("", "needs one of accept and create"))
    if found:
        raise Refused("The request breaks rules; nothing was done.", sorted(found))
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        share = shares.between(tx, stored.id, partner) if stored else None
        known = matches.of_share(tx, share.id) if share else None
        if stored is None or share is None or known is None or known.state != "waiting":
            raise NotFound("There is no such child that waits to be matched there.")
        if "accept" in given:
            named = next((c for c in known.candidates if c.id == given["accept"]), Candidate(given["accept"]))
            matches.save(tx, share.id, "accepted", [named], now=now)
        else:
            matches.save(tx, share.id, "create", (), now=now)
        shares.retry(tx, stored.id, partner, now=now)
        line = entering.look(about="child", role=role, label=label, request_id=secrets.token_hex(16), now=now)
        disclosures.append(tx, stored.id, [line])
    desk.wake.set()
    return {"case": number, "partner": partner, "due": now.isoformat()}


def purged(desk: Desk, number: str, partner: str, body: bytes, *, role: str, label: str) -> dict[str, Any]:
    """A person enters what a partner has said in another way of our request to purge: `{"answer": "done"}`, or
    `"kept"`, that it keeps its copies and the agency knows why; with `reason`, `how` and `on` (core/purge.told). A line
    of the account; also of a deleted case.

    NotFound: it has not been asked. Conflict: nothing is asked of it any more; or since `asked`, the moment in which
    the request was sent that is answered, it has been asked for more.
    """
    given, now = an_object(body), desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        share = shares.between(tx, stored.id, partner) if stored else None
        row = purges.of_share(tx, share.id) if share else None
        asked_at = row.asked_at if row else now
        told = purge.told(given, asked_at=asked_at, zone=desk.settings.time_zone, now=now)
        if row is None:
            raise NotFound("There is no such request to purge.")
        if row.purge.state == "called-off":
            raise Conflict("All of it has been given again: nothing is to be purged.")
        if "asked" in given and given["asked"] != row.asked_at.isoformat():
            raise Conflict("The partner has been asked for more since: look at it again.")
        purging.entered(desk, tx, row, told, role=role, label=label, now=now)
    return {"case": number, "partner": partner, "purge": given["answer"]}


def _decided(
    desk: Desk, tx: Tx, stored: StoredCase, share: shares.Share, theirs: Theirs, now: datetime
) -> list[Holding]:
    """What is contested, as the person has decided: held in the version there, and equal to ours where that is left."""
    held = holdings.of_share(tx, share.id)
    subject = Subject.of(stored.number, stored.body, stored.kept)
    partner = desk.catalogue.partners[share.partner]
    known = abilities.known(tx, partner)
    left_out = not_taken(partner, known.told if known else None, ORDER)
    needed = plan(desk.bench, subject, partner.id, now, held, directory={}, kept_elsewhere=(), not_taken=left_out)
    ours = {c.made.urn: content(c.made) for c in needed.changes if isinstance(c, Update)}
    return [
        replace(h, version=h.contested, contested="", hash=ours.get(h.urn, h.hash) if theirs == "leave" else h.hash)
        for h in held
        if h.contested
    ]


def pause(desk: Desk, partner: str) -> dict[str, Any]:
    """Start nothing new for a partner until `resume`; what is on its way there is finished."""
    _configured(desk, partner)
    with desk.store.writing() as tx:
        shares.pause(tx, partner, now=desk.clock())
    return {"partner": partner, "paused": True}


def resume(desk: Desk, partner: str, *, per_minute: float | None = None) -> dict[str, Any]:
    """Go on with a partner; with `per_minute` what has become due meanwhile goes one after the other at this pace.

    A partner that its file pauses stays paused, and the answer says so. A circuit that is open lets one share try.
    """
    _configured(desk, partner)
    if per_minute is not None and not LEAST_PER_MINUTE <= per_minute <= MOST_PER_MINUTE:
        detail = f"must be a number from {LEAST_PER_MINUTE:g} to {MOST_PER_MINUTE}"
        raise Refused("The pace cannot be kept.", [Problem("/per_minute", detail)])
    now = desk.clock()
    with desk.store.writing() as tx:
        shares.resume(tx, partner, now=now, pace=timedelta(minutes=1) / per_minute if per_minute else timedelta(0))
        paces.let_try(tx, partner, now=now)
    desk.wake.set()
    return {"partner": partner, "paused": desk.catalogue.partners[partner].paused}


def is_paused(desk: Desk, partner: str) -> bool:
    """Is nothing new started for this partner, by its file or because a person has said so?"""
    with desk.store.reading() as tx:
        return desk.catalogue.partners[partner].paused or shares.paused(tx, partner)


def resync_next(desk: Desk, partner: str, *, anew: bool = False, begins: bool = True) -> tuple[int, int] | None:
    """Have one more of the partner's shares looked at again, as if nothing were known of what is held: what was changed
    or lost there is then set right. (how many have been, how many there are); None: all have. One that a worker is at
    is not counted yet: it has its turn the next time.

    It goes on where it was stopped, whoever stopped it; `anew`: from the beginning. Without `begins` it goes on only:
    None, where another command that does the same has come to the end meanwhile. NotFound: no such partner.
    """
    _configured(desk, partner)
    now = desk.clock()
    with desk.store.writing() as tx:
        if anew:
            resyncs.end(tx, partner)
        if begins:
            resyncs.begin(tx, partner, now=now)
        place = resyncs.place(tx, partner)
        found = [] if place is None else shares.listed(tx, partner=partner, after=place, limit=1)
        if place is None or not found:
            resyncs.end(tx, partner)
            return None
        [share] = found
        if shares.at_rest(tx, share, now=now):
            known = holdings.of_share(tx, share.id)
            # What is not clear already stays as it is: since when it is so says from where its attempts are looked for.
            holdings.save(tx, share.id, [held for held in doubted(known) if held not in known], now=now)
            shares.mark_due(tx, case_id=share.case_id, partner=partner, now=now)
            resyncs.advance(tx, partner, place := share.id)
    desk.wake.set()
    with desk.store.reading() as tx:  # counting a million shares takes its time: nobody is to wait for it
        return resyncs.progress(tx, partner, place)


def pace_asked(body: bytes) -> float | None:
    """`{"per_minute": N}`, or nothing at all. Malformed, Refused: it is something else."""
    given = an_object(body) if body else {}
    found = unknown(given, ("per_minute",))
    value = given.get("per_minute")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float | Decimal)):
        found.append(Problem("/per_minute", "must be a number"))
    if found:
        raise Refused("The request breaks rules.", sorted(found))
    return None if value is None else float(value)


def pace_typed(text: str) -> float | None:
    """What a person wrote in a form; nothing means at once. Refused: it is no number."""
    try:
        return float(text) if text.strip() else None
    except ValueError:
        raise Refused("The pace is not a number.", [Problem("/per_minute", "must be a number")]) from None


def _configured(desk: Desk, partner: str) -> None:
    if partner not in desk.catalogue.partners:
        raise NotFound("There is no such partner.")


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
