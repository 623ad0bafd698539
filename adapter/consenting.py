"""A person acts on what the family has said: a consent is taken by a form, limited, revoked or cancelled; a text that
was read is labelled and released.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.asked import an_object, is_day, unknown
from adapter.core.consent.captured import captured, limit_problems, limited, revoked
from adapter.core.consent.explain import ALARMS, REASONS, alarms
from adapter.core.consent.review import not_the_denied, released
from adapter.core.consent.rules import Rules, why_it_permits_nothing
from adapter.core.consent.ticks import take
from adapter.core.desired import Subject, rules_of
from adapter.core.keeping import Kept, cancelled, carry, effective
from adapter.desk import Desk
from adapter.errors import Conflict, Malformed, NotFound, Problem, Refused
from adapter.store import cases, disclosures, shares
from adapter.store.cases import StoredCase


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
            whys = why_it_permits_nothing(rules, terms, now)
            found += [Problem(f"/{terms.path}", f"This consent permits nothing now. {REASONS[why]}") for why in whys]
    return sorted(set(found))
