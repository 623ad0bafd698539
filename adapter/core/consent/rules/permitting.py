"""Rule 2: does a permit count, for this partner and now? Rule 1 is in it: whatever is missing or amiss, it does not."""

from __future__ import annotations

from datetime import datetime

from adapter.core.consent.grantors import CHILD
from adapter.core.consent.provisions import ALL, Provision, Terms
from adapter.core.consent.rules.compiled import Rules
from adapter.core.consent.rules.counted import Permit, Test
from adapter.core.consent.rules.fields import parts_of, wide
from adapter.core.consent.rules.receivers import aims_at, reaches
from adapter.core.consent.rules.superseding import superseded
from adapter.core.partner import Partner


def why_not_in_force(rules: Rules, terms: Terms, partner: Partner, now: datetime) -> str:
    """Why no permit of this consent counts (rules 2, 6, 7); empty when it is in force."""
    g = rules.grantors
    if terms.status != "active":
        return terms.status
    if terms.faults:
        return "not-computable"
    if terms.imported:
        return "imported"
    if terms.revoked is not None and terms.revoked <= now:
        return "revoked"
    if terms.signed is None or terms.signed.start is None or terms.signed.start > now:
        return "unsigned"
    if terms.method not in ("signature", "electronic", "verbal"):
        return "unsigned"
    if terms.method == "verbal" and (not terms.collected or partner.written_only):
        return "written-only" if terms.collected else "unsigned"
    if not terms.ends:
        return "no-end"
    if not terms.period.holds(now):
        return "not-begun" if terms.period.start and now < terms.period.start else "ended"
    if superseded(rules, terms, now):
        return "superseded"
    if why := g.may_permit(terms, terms.signed.start) or g.may_permit(terms, now):
        return why
    if terms.by != CHILD and g.child_alone_permits(now) is not False:
        return "own-age"
    return ""


def why_not_counted(rules: Rules, terms: Terms, p: Provision, partner: Partner, now: datetime) -> str:
    """Why this permit of a consent in force does not count (rules 1, 2); empty when it does."""
    if not p.to or not p.purposes or not p.parts or p.names_no_record:
        return "names-nothing"
    if p.period is not None:
        if p.period.start is None or p.period.end is None:
            return "no-end"
        if not p.period.holds(now):
            return "not-begun" if now < p.period.start else "ended"
    return "" if reaches(rules, terms, p, partner, now) else "receiver"


def permit_of(rules: Rules, terms: Terms, p: Provision, partner: Partner, now: datetime) -> Permit:
    """What a permit that counts covers: what it names, but for its exceptions, which are read as denies are."""
    ends = [terms.period.end, p.period.end if p.period else None]
    return Permit(
        provision=p,
        terms=terms,
        test=Test(
            purposes=None if ALL in p.purposes else frozenset(p.purposes),
            parts=parts_of(rules, terms, p),
            topics=frozenset(p.topics),
            records=frozenset(p.records) or None,
        ),
        except_for=tuple(wide(rules, x) for x in p.exceptions if aims_at(rules, x, partner) and _may_hold(x, now)),
        until=min(end for end in ends if end is not None),
    )


def _may_hold(p: Provision, now: datetime) -> bool:
    return p.period is None or p.period.holds(now)
