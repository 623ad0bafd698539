"""Rules 2, 3, 6 and 7 read once more: who may give a consent, when it counts, and what a later one does to it."""

from __future__ import annotations

from datetime import date

from adapter.core.consent.last_look.moment import Consent, Moment, Provision, day, path


def counts(m: Moment, consent: Consent) -> bool:
    """Rule 2: active, signed, by a method that this partner takes, with authority then and now, within its period."""
    moments = m.moments(consent.get("signed_at"))
    return (
        consent["status"] == "active"
        and not consent.get("imported")
        and (consent.get("revoked_on") is None or m.today < day(consent["revoked_on"]))
        and moments is not None
        and moments[0] <= m.now
        and has_method(m, consent)
        and may_give(m, consent, m.today)
        and m.within(consent.get("period"), need_start=True, need_end=True)
    )


def has_method(m: Moment, consent: Consent, *, anybody: bool = False) -> bool:
    if consent.get("method") in ("signature", "electronic"):
        return True
    spoken = consent.get("method") == "verbal" and bool(consent.get("collected_by"))
    return spoken and (anybody or not m.partner.written_only)


def may_give(m: Moment, consent: Consent, at: date) -> bool:
    """Authority on the day it was signed, and on the day that is asked about."""
    then = m.day_signed(consent)
    if then is None:
        return False
    who, claimed = consent["granted_by"], consent.get("authority")
    if who == "child":
        return claimed in (None, "self") and all(may_permit_for_itself(m, each) for each in (then, at))
    recorded = m.people.get(who, {}).get("authority")
    contradicted = claimed == "self" or (claimed and recorded and claimed != recorded)
    return not contradicted and all(authority(m, who, each) for each in (then, at))


def authority(m: Moment, who: str, at: date) -> bool:
    person = m.people.get(who, {})
    since, until = person.get("since"), person.get("until")
    return person.get("decision_maker") is True and (not since or day(since) <= at) and (not until or at <= day(until))


def deciders(m: Moment) -> list[str]:
    """Everyone who may decide today."""
    return [who for who in m.people if authority(m, who, m.today)]


def shared(m: Moment) -> bool:
    return any(m.people[who].get("shared") for who in deciders(m))


def incapable(m: Moment, at: date) -> bool | None:
    """Rule 6: what the latest assessment by then says; None where two of one day differ, or one has no day."""
    every = (m.case.get("child") or {}).get("decision_making") or ()
    if any(not each["capable"] and not each.get("assessed_on") for each in every):
        return None
    latest = _latest(m, at)
    found = {each["capable"] for each in latest}
    return None if len(found) > 1 else found == {False}


def capable(m: Moment, at: date) -> bool:
    """Is capacity on record, with who assessed it and when?"""
    latest = _latest(m, at)
    return bool(latest) and all(each["capable"] and each.get("assessed_by") for each in latest)


def _latest(m: Moment, at: date) -> list[Provision]:
    every = (m.case.get("child") or {}).get("decision_making") or ()
    known = [each for each in every if each.get("assessed_on") and day(each["assessed_on"]) <= at]
    return [each for each in known if each["assessed_on"] == max(one["assessed_on"] for one in known)]


def of_age(m: Moment, at: date) -> bool | None:
    """None: it cannot be told."""
    born = (m.case.get("child") or {}).get("birth_date")
    years = m.rulebook.age_of_own_consent.get(str(m.case.get("program")))
    if not born or years is None:
        return None
    birth = day(born)
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day)) >= years


def may_permit_for_itself(m: Moment, at: date) -> bool:
    """Below the age only with capacity on record; from it, unless assessed incapable."""
    return incapable(m, at) is False if of_age(m, at) else capable(m, at)


def decides_alone(m: Moment, at: date) -> bool | None:
    """Do only the young person's own consents permit? None: it cannot be told, so nobody else's do."""
    age, unable = of_age(m, at), incapable(m, at)
    if age is False or unable:
        return False
    return None if age is None or unable is None else True


def followed(m: Moment, consent: Consent, at: date) -> bool:
    """Rule 7: a consent that supersedes it has begun, so it permits nothing, whatever becomes of the other."""
    return any(_begins(later, at) for later in m.of("consents") if _names_as_earlier(later, consent))


def _names_as_earlier(later: Consent, earlier: Consent) -> bool:
    return (
        later["id"] != earlier["id"]
        and path(earlier) in (later.get("supersedes") or ())
        and later["status"] not in ("draft", "entered-in-error")
        and not later.get("imported")
    )


def _begins(later: Consent, at: date) -> bool:
    """Where nobody says when it begins, it has begun."""
    start = (later.get("period") or {}).get("start")
    return start is None or day(start) <= at


def lifted(m: Moment, consent: Consent, unclear: set[str]) -> bool:
    """Rule 3: a later consent that supersedes this one, counted, and came from someone who may lift its denials.

    `unclear`: the ids of the consents that cannot be computed; those never count.
    """
    return any(
        _lifts(m, later, consent)
        for later in m.of("consents")
        if later["id"] not in unclear and _names_as_earlier(later, consent)
    )


def _lifts(m: Moment, later: Consent, earlier: Consent) -> bool:
    before = m.moments(earlier.get("signed_at") or (m.kept.get("entered") or {}).get(path(earlier)))
    after = m.moments(later.get("signed_at"))
    if before is None or after is None or not before[1] < after[0] <= m.now or not has_method(m, later, anybody=True):
        return False
    began = _began(m, later)
    return began is not None and began <= m.today and _may_lift(m, later, earlier, began)


def _began(m: Moment, consent: Consent) -> date | None:
    """The first day on which it counted, if there was one: what it lifted then stays lifted."""
    signed, period = m.day_signed(consent), consent.get("period") or {}
    if signed is None or not period.get("start") or not period.get("end"):
        return None
    first, revoked = max(signed, day(period["start"])), consent.get("revoked_on")
    if (revoked and day(revoked) <= first) or (consent["status"] == "revoked" and not revoked):
        return None
    return None if first > day(period["end"]) or followed(m, consent, first) else first


def _may_lift(m: Moment, later: Consent, earlier: Consent, began: date) -> bool:
    who, signed = later["granted_by"], m.day_signed(later)
    if who == "child" and earlier["granted_by"] == "child":
        return signed is not None and all(incapable(m, at) is False for at in (signed, began))
    court = later.get("authority") == "court-order"
    return (who in ("child", earlier["granted_by"]) or court) and may_give(m, later, began)
