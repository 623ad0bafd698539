"""A person acts: a share is tried again, a look or a disclosure by other means is entered in the account, a consent is
taken by a form."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, get_args

from adapter import purging
from adapter.core import strict_json
from adapter.core.account import entering
from adapter.core.account.chain import Line
from adapter.core.asked import an_object, is_day, unknown
from adapter.core.consent.captured import captured, limit_problems, limited, revoked
from adapter.core.consent.explain import ALARMS, REASONS, alarms
from adapter.core.consent.review import not_the_denied, released
from adapter.core.consent.rules import Rules
from adapter.core.consent.ticks import take
from adapter.core.desired import Subject, plan, rules_of
from adapter.core.diff import ORDER, Holding, Update, content
from adapter.core.doubt import doubted
from adapter.core.fhir.abilities import not_taken
from adapter.core.keeping import Kept, cancelled, carry, effective
from adapter.core.matching import Candidate, is_id
from adapter.desk import Desk
from adapter.errors import Conflict, Forbidden, Malformed, NotFound, Problem, Refused
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
            share = next(s for s in shares.of_case(tx, stored.id) if s.partner == partner)
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
        share = next((s for s in shares.of_case(tx, stored.id) if s.partner == partner), None) if stored else None
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
    `"kept"`, that it keeps its copies and the agency knows why. A line of the account; also of a deleted case.

    NotFound: it has not been asked. Conflict: nothing is asked of it any more.
    """
    given = an_object(body)
    found = unknown(given, ("answer",))
    if given.get("answer") not in ("done", "kept"):
        found.append(Problem("/answer", "must be done or kept"))
    if found:
        raise Refused("The request breaks rules; nothing was done.", sorted(found))
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        share = next((s for s in shares.of_case(tx, stored.id) if s.partner == partner), None) if stored else None
        row = purges.of_share(tx, share.id) if share else None
        if row is None:
            raise NotFound("There is no such request to purge.")
        if row.purge.state == "called-off":
            raise Conflict("All of it has been given again: nothing is to be purged.")
        purging.entered(tx, row, given["answer"], role=role, label=label, now=now)
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


def resync_next(desk: Desk, partner: str, *, anew: bool = False) -> tuple[int, int] | None:
    """Have one more of the partner's shares looked at again, as if nothing were known of what is held: what was changed
    or lost there is then set right. (how many have been, how many there are); None: all have.

    It goes on where it was stopped, whoever stopped it; `anew`: from the beginning. NotFound: no such partner.
    """
    _configured(desk, partner)
    now = desk.clock()
    with desk.store.writing() as tx:
        if anew:
            resyncs.end(tx, partner)
        found = shares.listed(tx, partner=partner, after=resyncs.begun(tx, partner, now=now), limit=1)
        if not found:
            resyncs.end(tx, partner)
            return None
        [share] = found
        known = holdings.of_share(tx, share.id)
        # What is not clear already stays as it is: since when it is so says from where on its attempts are looked for.
        holdings.save(tx, share.id, [held for held in doubted(known) if held not in known], now=now)
        shares.mark_due(tx, case_id=share.case_id, partner=partner, now=now)
        resyncs.advance(tx, partner, share.id)
        done = resyncs.progress(tx, partner)
    desk.wake.set()
    return done


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


def capture(desk: Desk, number: str, body: bytes, *, label: str) -> dict[str, Any]:
    """Keep the consents that ticked boxes make (core/consent/ticks.py); the case's shares are due.

    They are the adapter's: no put of the agency removes them. The same ticks again change nothing. Refused: every
    problem of the ticks. Conflict: a consent of that id stands there and says something else.
    """
    ticks = an_object(body)
    form = desk.catalogue.forms.get(str(ticks.get("form")))
    if form is None:
        raise Refused("The ticks break rules; nothing was saved.", [Problem("/form", "there is no such form")])

    def change(stored: StoredCase, now: datetime) -> dict[str, Any]:
        taken = take(form, ticks, effective(stored.body, stored.kept), desk.bench.rulebook)
        if taken.problems:
            raise Refused(f"The ticks break {len(taken.problems)} rules; nothing was saved.", taken.problems)
        ids[:] = [consent["id"] for consent in taken.consents]
        kept, others = captured(stored.kept, taken, ticks, by=label, now=now)
        if others:
            raise Conflict("A consent of that id was taken here before, and says something else: give another id.")
        return kept

    ids: list[str] = []
    told = _keep(desk, number, change)
    return {**told, "consents": ids}


def limit(desk: Desk, number: str, consent: str, body: bytes) -> dict[str, Any]:
    """Put the handwritten limits of a captured consent into effect: `{"provisions": [deny…], "by": "who read them"}`.

    From then on the consent counts, with these denials. No provisions: the text was read and limits nothing.
    """
    given = an_object(body)
    path = f"consents/{consent}"

    def change(stored: StoredCase, now: datetime) -> dict[str, Any]:
        if path not in stored.kept.get("held", {}):
            raise NotFound("There is no consent of that id with handwritten limits.")
        record = next(c for c in stored.kept["captured"] if c["id"] == consent)
        case = effective(stored.body, stored.kept)
        found = limit_problems(given.get("provisions"), record, case, desk.catalogue.schemas)
        found += unknown(given, ("provisions", "by"))
        if not isinstance(by := given.get("by"), str) or not by.strip() or len(by) > 300:
            found.append(Problem("/by", "says who read the limits with the family"))
        if found:
            raise Refused(f"The provisions break {len(found)} rules; nothing was saved.", sorted(set(found)))
        return limited(stored.kept, path, given["provisions"], by=str(by), now=now)

    return {**_keep(desk, number, change), "consents": [consent]}


def revoke(desk: Desk, number: str, consent: str, body: bytes) -> dict[str, Any]:
    """The family takes a captured consent back: `{"by": "people/mother"}`, and `on` where it is not today."""
    given = an_object(body)
    path = f"consents/{consent}"

    def change(stored: StoredCase, now: datetime) -> dict[str, Any]:
        if consent not in {c["id"] for c in stored.kept.get("captured", ())}:
            raise NotFound("There is no consent of that id that was taken here.")
        people = {"child", *(f"people/{person['id']}" for person in stored.body.get("people", ()))}
        on = given.get("on", now.astimezone(desk.settings.time_zone).date().isoformat())
        found = unknown(given, ("by", "on"))
        if not isinstance(given.get("by"), str) or given["by"] not in people:
            found.append(Problem("/by", "must be the child or a person of this case"))
        if not is_day(on):
            found.append(Problem("/on", "must be a date that exists (ISO 8601)"))
        if found:
            raise Refused(f"The revocation breaks {len(found)} rules; nothing was saved.", sorted(found))
        return revoked(stored.kept, path, on=on, by=given["by"])

    return {**_keep(desk, number, change), "consents": [consent]}


def cancel(desk: Desk, number: str, consent: str, body: bytes, *, by: str) -> dict[str, Any]:
    """A consent was entered in error: `{"reason": "why"}`. From now on it permits and denies nothing (rule 7).

    `left`: what had left under it, from the account: what each partner was told of which record, first and last.
    """
    given = an_object(body)

    def change(stored: StoredCase, now: datetime) -> dict[str, Any]:
        every = effective(stored.body, stored.kept).get("consents", ())
        record = next((c for c in every if c["id"] == consent), None)
        if record is None:
            raise NotFound("There is no consent of that id in this case.")
        found = unknown(given, ("reason",))
        if not isinstance(reason := given.get("reason"), str) or not reason.strip() or len(reason) > 2000:
            found.append(Problem("/reason", "says why the consent is an error, in at most 2000 characters"))
        if found:
            raise Refused(f"The request breaks {len(found)} rules; nothing was saved.", sorted(found))
        return cancelled(stored.kept, record, by=by, reason=str(reason), now=now)

    told = _keep(desk, number, change)
    return {**told, "consents": [consent], "left": _left_under(desk, number, f"consents/{consent}")}


def _left_under(desk: Desk, number: str, path: str) -> list[dict[str, str]]:
    with desk.store.reading() as tx:
        stored = cases.get(tx, number)
        entries = disclosures.of_case(tx, stored.id) if stored else []
    left: dict[tuple[str, str, str], dict[str, str]] = {}
    for line in (entry.line for entry in entries):
        if line.kind == "delivered" and path in {each.partition("@")[0] for each in line.consents}:
            for record in line.about.split(" "):  # a document tells of several
                key, at = (line.partner, record, line.resource_type), line.at.isoformat()
                known = left.setdefault(key, {"partner": key[0], "record": key[1], "type": key[2], "first": at})
                known["last"] = at
    return [left[key] for key in sorted(left)]


def _keep(desk: Desk, number: str, change: Callable[[StoredCase, datetime], dict[str, Any]]) -> dict[str, Any]:
    """Change what is kept beside a case; its shares are due where that changes anything."""
    now = desk.clock()
    with desk.store.writing() as tx:
        stored = cases.get(tx, number)
        if stored is None or stored.deleted:
            raise NotFound("There is no such case.")
        kept = carry(stored.body, change(stored, now), stored.body, now)
        after, changed = cases.put(tx, number, stored.body, kept, now=now)
        due: list[str] = []
        if changed:
            shares.ensure(tx, stored.id, desk.catalogue.partners, now=now)
            shares.mark_due(tx, case_id=stored.id, now=now)
            due = sorted(desk.catalogue.partners)
    desk.wake.set()
    rules = rules_of(desk.bench, Subject.of(number, stored.body, kept))
    return {
        "version": after.version,
        "changed": changed,
        "due": due,
        "held": sorted(path.removeprefix("consents/") for path in kept.get("held", {})),
        "warnings": [{"pointer": w.pointer, "detail": w.detail} for w in _warnings(rules, kept, now)],
    }


def _warnings(rules: Rules, kept: Mapping[str, Any], now: datetime) -> list[Problem]:
    """What a person should know of the consents taken here: that one permits nothing, and why."""
    ours = {f"consents/{consent['id']}" for consent in kept.get("captured", ())}
    found = [Problem(f"/{a.path}", ALARMS[a.code]) for a in alarms(rules, now) if a.path in ours]
    for terms in rules.consents:
        if terms.path in ours:
            whys = rules.why_it_permits_nothing(terms, now)
            found += [Problem(f"/{terms.path}", f"This consent permits nothing now. {REASONS[why]}") for why in whys]
    return sorted(set(found))
