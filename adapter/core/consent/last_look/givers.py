"""Rules 2, 3, 6 and 7 read once more: who may give a consent, when it counts, and what a later one does to it."""

from __future__ import annotations

from datetime import date

from adapter.core.consent.last_look.moment import Consent, Moment, day, path


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
        and m.within(consent.get("period"), need_end=True)
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
    who = consent["granted_by"]
    return all(may_permit_for_itself(m, each) if who == "child" else authority(m, who, each) for each in (then, at))


def authority(m: Moment, who: str, at: date) -> bool:
    person = m.people.get(who, {})
    since, until = person.get("since"), person.get("until")
    return person.get("decision_maker") is True and (not since or day(since) <= at) and (not until or at <= day(until))


def deciders(m: Moment) -> list[str]:
    """Everyone who may decide today."""
    return [who for who in m.people if authority(m, who, m.today)]


def shared(m: Moment) -> bool:
    return any(m.people[who].get("shared") for who in deciders(m))


def assessed(m: Moment, at: date) -> bool | None:
    """Rule 6: what the latest assessment by then says; None where none names who and when."""
    known = [
        (each["assessed_on"], each["capable"])
        for each in (m.case.get("child") or {}).get("decision_making") or ()
        if each.get("assessed_on") and each.get("assessed_by") and day(each["assessed_on"]) <= at
    ]
    if not known:
        return None
    latest = max(on for on, _ in known)
    return all(capable for on, capable in known if on == latest)


def of_age(m: Moment, at: date) -> bool:
    born = (m.case.get("child") or {}).get("birth_date")
    if not born:
        return False
    birth = day(born)
    years = m.rulebook.age_of_own_consent.get(str(m.case.get("program")), 16)
    return at.year - birth.year - ((at.month, at.day) < (birth.month, birth.day)) >= years


def may_permit_for_itself(m: Moment, at: date) -> bool:
    """Below the age only with capacity on record; from it, unless assessed incapable."""
    return assessed(m, at) is not False if of_age(m, at) else assessed(m, at) is True


def decides_alone(m: Moment) -> bool:
    return of_age(m, m.today) and assessed(m, m.today) is not False


def followed(m: Moment, consent: Consent) -> bool:
    """Rule 7: a consent that supersedes it has begun, so it permits nothing, whatever becomes of the other."""
    return any(_begins(m, later) for later in m.of("consents") if _names_as_earlier(later, consent))


def _names_as_earlier(later: Consent, earlier: Consent) -> bool:
    return (
        path(earlier) in (later.get("supersedes") or ())
        and later["status"] not in ("draft", "entered-in-error")
        and not later.get("imported")
    )


def _begins(m: Moment, later: Consent) -> bool:
    start = (later.get("period") or {}).get("start")
    first = day(start) if start else m.day_signed(later)
    return first is None or first <= m.today


def lifted(m: Moment, consent: Consent) -> bool:
    """Rule 3: a later consent that supersedes this one, counted, and came from someone who may lift its denials."""
    return any(_lifts(m, later, consent) for later in m.of("consents") if _names_as_earlier(later, consent))


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
    if signed is None or not period.get("end"):
        return None
    first = max(signed, day(period["start"])) if period.get("start") else signed
    revoked = consent.get("revoked_on")
    return None if (revoked and day(revoked) <= first) or first > day(period["end"]) else first


def _may_lift(m: Moment, later: Consent, earlier: Consent, began: date) -> bool:
    who = later["granted_by"]
    if who == "child" and earlier["granted_by"] == "child":
        return assessed(m, began) is not False
    court = "court-order" in (later.get("authority"), m.people.get(who, {}).get("authority"))
    return (who in ("child", earlier["granted_by"]) or court) and may_give(m, later, began)
