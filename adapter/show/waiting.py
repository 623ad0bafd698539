"""What waits for a person: text to review, what ends soon, alarms."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapter.core.alert import SENTENCES as ALERTS
from adapter.core.consent.explain import ALARMS, REASONS
from adapter.core.consent.explain import alarms as found_in
from adapter.core.consent.notices import LOOK, SENTENCES, SHARE_ALARMS, announcements
from adapter.core.consent.review import SENTENCES as WAITS
from adapter.core.consent.review import waiting
from adapter.core.consent.rules import why_it_permits_nothing
from adapter.core.consent.texts import of_place
from adapter.core.desired import Subject, rules_of
from adapter.core.purge import alarm
from adapter.desk import Desk
from adapter.show.found import known_case, stored_case
from adapter.show.referrals import tracked, troubles
from adapter.show.shares import troubled_at
from adapter.store import cases, purges, views
from adapter.store import shares as share_rows
from adapter.store.cases import StoredCase

FIRST_PAGE = 50
"""Cases on the first page: it is read by a person, and tells what each partner holds of each."""

PASSED = ("ended", "not-begun", "revoked")
"""Why consents permit nothing that did once, or will: nobody need look at them."""

REFERRAL_ALARMS = {
    "referral-overdue": "Nobody has answered this referral by the day that it asks for: ask the receiver.",
    "referral-flagged": "The receiver has set a state that could not be: it was not applied. Ask it what was meant; "
    "`adapter referral show` has each such state.",
    "answer-overdue": "This referral came in, and is not answered by the day that it asks for: answer it in the case "
    "system, on its page, or with `adapter referral answer`.",
    "answer-held": "The answer to this referral is not given as it stands: its page says why.",
    "answer-flagged": "The sender has set a state that could not be: it was not applied. Ask it what was meant; "
    "`adapter referral show` has each such state.",
    "end-asked": "The sender asks to end what has begun: answer whether it ends (`adapter referral answer`).",
}

MOST_STOPPED = 1000
"""Stopped shares that are looked through for deleted cases."""


def to_review(
    desk: Desk, number: str | None = None, *, after: str | None = None, limit: int = FIRST_PAGE, text: bool = False
) -> dict[str, Any]:
    """`{"waiting": […], "next"}`: what waits for a person's word, in one case or in a page of cases.

    Without `text` nothing of what is said there, nor any name: paths, kinds and ages. `next`: the case behind which the
    next page begins, None on the last.
    """
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit)
    rows = []
    for stored in found:
        subject = Subject.of(stored.number, stored.body, stored.kept)
        for w in waiting(subject.case, subject.kept, rules_of(desk.bench, subject), now):
            since = datetime.fromisoformat(w.since) if w.since else stored.saved_at
            row: dict[str, Any] = {
                "case": stored.number,
                "path": w.path,
                "kind": w.kind,
                "since": since.isoformat(),
                "days": max(0, (now - since).days),
                "about": w.about or None,
                "partners": list(w.partners),
                "sentence": WAITS[w.kind],
            }
            said = of_place(subject.case, w.path, desk.catalogue.schemas) if text else {}
            # A document's bytes are read where documents are read.
            rows.append(row | ({"text": {n: v for n, v in said.items() if n != "bytes"}} if text else {}))
    return {"waiting": rows, "next": next_}


def due_soon(
    desk: Desk, number: str | None = None, *, days: int | None = None, after: str | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """`{"due": […], "next"}`: consents, permits and denials that end, and birthdays, the nearest first in each page."""
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit)
    rows = [
        {
            "case": stored.number,
            "on": a.on.isoformat(),
            "days": a.days,
            "ahead": a.ahead,
            "kind": a.kind,
            "path": a.path,
            "partners": list(a.partners),
            "sentence": SENTENCES[a.kind],
        }
        for stored in found
        for a in announcements(
            rules_of(desk.bench, Subject.of(stored.number, stored.body, stored.kept)), now, days=days
        )
    ]
    return {"due": sorted(rows, key=lambda row: (row["on"], row["case"])), "next": next_}


def alarms(
    desk: Desk, number: str | None = None, *, after: str | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """`{"alarms": […], "next"}`: what a person must look at: of consents by their path, of shares by their partner; and
    first, of no case, subscriptions that have not worked for long."""
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit, deleted=True)
    rows = _troubled(desk) if number is None and after is None else []
    for stored in found:
        subject = Subject.of(stored.number, stored.body, stored.kept)
        of_case = found_in(rules_of(desk.bench, subject), now) if subject.case else ()
        rows += [_alarm(stored.number, a.code, ALARMS[a.code], path=a.path) for a in of_case]
        with desk.store.reading() as tx:
            of_shares, faults = share_rows.of_case(tx, stored.id), views.faults(tx, stored.id)
            sent = tracked(tx, stored.id)
            asked = purges.of_case(tx, stored.id)
        if subject.case:
            rows += [
                _alarm(stored.number, c, REFERRAL_ALARMS[c], path=path) for path, c in troubles(desk, stored, sent)
            ]
        for share in of_shares:
            codes = [c for c in share.alarms if c not in ALARMS] or (["stopped"] if share.state == "stopped" else [])
            if (fault := faults.get(share.partner)) and fault not in codes:
                codes = [*codes, fault]
            if (row := asked.get(share.partner)) and (late := alarm(row.purge, row.asked_at, now)):
                codes = [*codes, late]
            rows += [_alarm(stored.number, c, SHARE_ALARMS.get(c, LOOK), share=share) for c in codes]
    return {"alarms": rows, "next": next_}


def _troubled(desk: Desk) -> list[dict[str, Any]]:
    return [
        {"case": None, "path": None, "partner": each, "alarm": kind, "sentence": ALERTS[kind], "detail": ""}
        for each, kinds in troubled_at(desk).items()
        for kind in kinds
    ]


def silent(
    desk: Desk, number: str | None = None, *, after: str | None = None, limit: int = FIRST_PAGE
) -> dict[str, Any]:
    """`{"silent": […], "next"}`: consents that are kept as records and permit nothing, each with a sentence why."""
    now = desk.clock()
    found, next_ = _page(desk, number, after, limit)
    rows = []
    for stored in found:
        rules = rules_of(desk.bench, Subject.of(stored.number, stored.body, stored.kept))
        for terms in rules.consents:
            whys = why_it_permits_nothing(rules, terms, now)
            sentences = [REASONS[why] for why in whys if why not in PASSED]
            sentences += [f"This consent cannot be computed: {fault}." for fault in terms.faults]
            if sentences:
                rows.append({"case": stored.number, "path": terms.path, "sentences": sentences})
    return {"silent": rows, "next": next_}


def _alarm(
    number: str, code: str, sentence: str, *, path: str | None = None, share: share_rows.Share | None = None
) -> dict[str, Any]:
    return {
        "case": number,
        "path": path,
        "partner": share.partner if share else None,
        "alarm": code,
        "sentence": sentence,
        "detail": share.detail if share else "",
    }


def _page(
    desk: Desk, number: str | None, after: str | None, limit: int, *, deleted: bool = False
) -> tuple[list[StoredCase], str | None]:
    """One case; or a page of cases and the number of the last of them where there may be more.

    `deleted`: on the last page also the deleted cases of which a share has stopped: something may not be taken back; or
    of which a partner was asked to purge and has not said that it has.
    """
    with desk.store.reading() as tx:
        if number is not None:
            return [known_case(tx, number) if deleted else stored_case(tx, number)], None
        behind = known_case(tx, after).id if after else None
        found = cases.listed(tx, after=behind, limit=limit)
        if len(found) == limit:
            return found, found[-1].number
        if deleted:
            stopped = {share.case_id for share in share_rows.listed(tx, state="stopped", limit=MOST_STOPPED)}
            stopped |= set(purges.of_deleted(tx, limit=MOST_STOPPED))
            gone = (cases.by_id(tx, case_id) for case_id in sorted(stopped))
            found += [stored for stored in gone if stored is not None and stored.deleted]
        return found, None
