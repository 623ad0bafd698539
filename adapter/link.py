"""A signed link: who has no FHIR server sees one referral, and answers it. No account, a code by a second way.

Opening the address asks for the code and looks nothing up, so that whoever scans mail consumes and changes nothing.
What is shown is the receiver's view of that moment; where it holds the referral no more, where the link is over, or
was never one, the answer is the same. Each time that it shows something stands in the account before it does.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from adapter import answers
from adapter.arrived import settle_case
from adapter.core import strict_json
from adapter.core.account.chain import Line
from adapter.core.asked import is_day
from adapter.core.consent.last_look import last_look
from adapter.core.consent.view import View, view
from adapter.core.desired import Subject, rules_of
from adapter.core.identity import Key
from adapter.core.keeping import rulebook_for, version_of
from adapter.core.referral.answer import Answer, clean
from adapter.core.referral.course import Course, heard
from adapter.core.referral.sheet import Section, sections, type_of
from adapter.core.referral.table import Dialect, State
from adapter.core.referral.words import coded
from adapter.desk import Desk
from adapter.errors import Conflict, Malformed, NotFound, Problem, Refused
from adapter.store import cases, disclosures, links, referrals
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.links import Link
from adapter.store.referrals import Tracked

USUAL_DAYS, MOST_DAYS = 14, 90
STATES: tuple[State, ...] = (
    "accepted", "rejected", "in-progress", "on-hold", "completed", "failed", "cancelled"
)  # fmt: skip
"""What can be answered on the page, in its order; as far as the partner's dialect lets the receiver."""
SCHEDULES = ("accepted", "in-progress")
LONGEST = 5000
"""Characters of a reason, and of a result."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page says: the referral in plain words, where it is, and what may be answered now. `wrong`: why what was
    answered last is no answer (names of core/referral/words.py); empty where it is one."""

    agency: str
    sections: tuple[Section, ...]
    state: State
    business: str
    words: str
    may: tuple[State, ...]
    schedules: bool
    link: int
    wrong: tuple[str, ...] = ()


def make(desk: Desk, number: str, referral: str, body: bytes, *, by: str) -> dict[str, Any]:
    """A new link to a referral: `{"days": 14}`, 1 to 90. The address goes to the agency, the code by another way.

    Conflict: the partner's file does not say that it answers by a link, or the family permits it nothing of this.
    """
    given = strict_json.parse(body) if body else {}
    days = given.get("days", USUAL_DAYS) if isinstance(given, dict) else None
    if not isinstance(given, dict):
        raise Malformed("This needs a JSON object.")
    wrong = [Problem(f"/{name}", "this field is not known here") for name in given if name != "days"]
    if type(days) is not int or not 1 <= days <= MOST_DAYS:
        wrong.append(Problem("/days", f"must be a whole number from 1 to {MOST_DAYS}"))
    if wrong:
        raise Refused("The link breaks rules.", wrong)
    now = desk.clock()
    with desk.store.writing() as tx:
        at = answers.sent_to(desk, tx, number, referral)
        if desk.catalogue.partners[at.tracked.partner].referrals.answers != "link":
            raise Conflict('The partner does not answer by a link: its file would say [referrals] answers = "link".')
        if not _told(desk, at.stored, at.tracked.partner, at.path, now)[1]:
            raise Conflict("The family's consent shows this partner nothing of the referral: the link would stay shut.")
        expires_at = now + timedelta(days=int(days or 0))
        token, code = links.new(tx, at.stored.id, at.tracked.partner, at.path, by=by, now=now, expires_at=expires_at)
    return {"token": token, "code": f"{code[:4]} {code[4:]}", "expires_at": expires_at.isoformat()}


def listed(desk: Desk, number: str, referral: str) -> list[dict[str, Any]]:
    """The links to a referral: whose, until when, how often a wrong code was given; never the address or the code."""
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
        if stored is None:
            raise NotFound("There is no such case.")
        found = [each for each in links.of_case(tx, stored.id) if each.path == f"referrals/{referral}"]
    now = desk.clock()
    return [
        {
            "link": each.id, "partner": each.partner, "by": each.by, "created_at": each.created_at.isoformat(),
            "expires_at": each.expires_at.isoformat(), "revoked": each.revoked_at is not None,
            "opens": each.opens(now), "wrong_codes": each.tries,
        }
        for each in found
    ]  # fmt: skip


def revoke(desk: Desk, number: str, link: int) -> dict[str, Any]:
    """Let a link open nothing any more, from the next request on."""
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        if stored is None or not links.revoke(tx, stored.id, link, now=desk.clock()):
            raise NotFound("There is no such link.")
    return {"case": number, "link": link, "revoked": True}


def open_(desk: Desk, token: str, code: str, language: str = "en") -> Shown | None:
    """What the page shows to whoever has both, in this language; None for anything else, whatever it is that is
    wrong."""
    now = desk.clock()
    with desk.store.writing() as tx:
        link = links.tried(tx, token, code, now=now)
    return None if link is None else _show(desk, link, language)


def again(desk: Desk, token: str, link_id: int, language: str = "en") -> Shown | None:
    """The page once more, for whoever had opened it before; None where it would not open now."""
    with desk.store.reading() as tx:
        link = links.find(tx, token)
    if link is None or link.id != link_id or not link.opens(desk.clock()):
        return None
    return _show(desk, link, language)


def reply(
    desk: Desk, token: str, link_id: int, nonce: str, form: Mapping[str, str], language: str = "en"
) -> Shown | None:
    """An answer on the page: `do` (a state, or `schedule`), `reason`, `result`, `day`. The same form again is one.

    None where the link does not open now. What was filled in and cannot be an answer changes nothing, and is `wrong` in
    what is shown; what the dialect does not allow is flagged, as from anyone.
    """
    now = desk.clock()
    with desk.store.reading() as tx:
        link = links.find(tx, token)
        opens = link is not None and link.id == link_id and link.opens(now)
        seen = _shown(desk, tx, link, now, language) if link is not None and opens else None
        known = _row(tx, link) if link is not None else None
    if link is None or seen is None:
        return None
    key = f"link {link_id} {nonce}"
    if known is not None and key in known.course.keys:
        return again(desk, token, link_id, language)
    if wrong := tuple(_wrong(seen, form)):
        shown = again(desk, token, link_id, language)
        return replace(shown, wrong=wrong) if shown else None
    dialect = desk.bench.dialect(link.partner)

    def how(course: Course, stored: StoredCase) -> Course:
        return heard(course, dialect, _said(course, form, key), now)

    with desk.store.writing() as tx:
        row = _row(tx, link)
        if row is not None:
            answers.change(tx, row.id, dialect, how, now=now)
    desk.wake.set()
    return again(desk, token, link_id, language)


def _said(course: Course, form: Mapping[str, str], key: str) -> Answer:
    asked = form.get("do", "")
    scheduled = asked == "schedule"
    state = course.state if scheduled else next((s for s in STATES if s == asked), None)
    return Answer(
        key=key,
        state=state,
        said=state or "",
        business="scheduled" if scheduled else "",
        words=form.get("day", "") if scheduled else "",
        reason=clean(form.get("reason")),
        result=clean(form.get("result")),
    )


def _wrong(seen: Shown, form: Mapping[str, str]) -> Iterator[str]:
    """What a person can put right on the page."""
    asked = form.get("do", "")
    if asked == "schedule":
        if not seen.schedules:
            yield "wrong-accept-first"
        if not is_day(form.get("day", "")):
            yield "wrong-day"
    elif asked not in seen.may:
        yield "wrong-not-now"
    if asked in ("rejected", "failed", "cancelled", "on-hold") and not clean(form.get("reason")):
        yield "wrong-reason"
    if any(len(form.get(name, "")) > LONGEST for name in ("reason", "result")):
        yield "wrong-long"


def _show(desk: Desk, link: Link, language: str) -> Shown | None:
    """Enter what will be shown into the account, and show it."""
    now = desk.clock()
    settle_case(desk, link.case_id)
    with desk.store.writing() as tx:
        # Decided in the transaction that enters it: a consent that is taken back is before this, or after it.
        seen = _shown(desk, tx, link, now, language)
        stored = cases.by_id(tx, link.case_id)
        if seen is None or stored is None:
            return None
        shown, _ = _told(desk, stored, link.partner, link.path, now, language)
        disclosures.append(tx, link.case_id, _lines(desk, stored, link, shown, seen.sections, now))
    return seen


def _shown(desk: Desk, tx: Tx, link: Link, now: datetime, language: str) -> Shown | None:
    stored = cases.by_id(tx, link.case_id)
    row = _row(tx, link)
    if stored is None or stored.deleted or row is None or link.partner not in desk.catalogue.partners:
        return None
    _, told = _told(desk, stored, link.partner, link.path, now, language)
    if not told:
        return None
    dialect = desk.bench.dialect(link.partner)
    may = _may(dialect, row.course.state)
    return Shown(
        desk.settings.agency_name, told, row.course.state,
        coded(desk.catalogue.codes, "business-status", row.course.business, language), row.course.words, may,
        row.course.state in SCHEDULES, link.id,
    )  # fmt: skip


def _may(dialect: Dialect, state: State) -> tuple[State, ...]:
    return tuple(s for s in STATES if s in dialect.may("receiver", state))


def _told(
    desk: Desk, stored: StoredCase, partner: str, path: str, now: datetime, language: str = "en"
) -> tuple[View | None, tuple[Section, ...]]:
    """The receiver's view, and the referral in plain words; nothing where the last look finds something withheld."""
    if stored.deleted:
        return None, ()
    subject = Subject.of(stored.number, stored.body, stored.kept)
    shown = view(subject.case, rules_of(desk.bench, subject), partner, now)
    told = sections(shown.case, path, desk.catalogue.codes, language) if shown.case else ()
    if not told:
        return shown, ()
    payload = strict_json.dump({"sections": [[s.title, [list(row) for row in s.rows]] for s in told]})
    rulebook = rulebook_for(desk.bench.rulebook, stored.kept)
    stop = last_look(payload, case=subject.case, kept=stored.kept, rulebook=rulebook, partner=partner, now=now)
    return shown, told if stop is None else ()


def _row(tx: Tx, link: Link) -> Tracked | None:
    every = referrals.of_case(tx, link.case_id)
    return next((t for t in every if t.path == link.path and t.partner == link.partner), None)


def _lines(
    desk: Desk, stored: StoredCase, link: Link, shown: View | None, told: Sequence[Section], now: datetime
) -> list[Line]:
    request_id, identity = secrets.token_hex(16), desk.bench.identity(link.partner)
    labels = shown.labels if shown is not None else {}
    consents = tuple(version_of(stored.kept, c) for c in shown.consents) if shown is not None else ()
    lines = []
    for path in dict.fromkeys(section.path for section in told):
        label = labels.get(path)
        lines.append(
            Line(
                at=now,
                partner=link.partner,
                purpose=" ".join(label.purposes) if label else "",
                kind="delivered",
                request_id=request_id,
                operation="read",
                resource_type=type_of(path),
                urn=identity.urn(Key(stored.number, path, type_of(path))),
                about=path,
                parts=label.parts if label else (),
                topics=label.topics if label else (),
                consents=consents,
                outcome="delivered",
            )
        )
    return lines
