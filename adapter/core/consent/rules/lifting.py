"""Rule 3, its end: a deny is lifted for good, by a later consent that itself counted, of one who may."""

from __future__ import annotations

from datetime import datetime

from adapter.core.consent.grantors import CHILD
from adapter.core.consent.provisions import Span, Terms
from adapter.core.consent.rules.compiled import Rules
from adapter.core.consent.rules.superseding import superseded


def lifted(rules: Rules, terms: Terms, now: datetime) -> bool:
    """Lifted for good by a later consent, itself counting, that supersedes it, of one who may (rule 3)."""
    denied_at = terms.signed.end if terms.signed else terms.entered
    if denied_at is None:
        return False
    return any(
        terms.path in c.supersedes and c.path != terms.path and _lifts(rules, c, terms, denied_at, now)
        for c in rules.consents
    )


def _lifts(rules: Rules, later: Terms, denied: Terms, denied_at: datetime, now: datetime) -> bool:
    if later.signed is None or later.signed.start is None or not _has_counted(rules, later, now):
        return False
    # Strictly later: a date is its whole day, so its first instant must not lie before the other's end.
    strictly = (
        later.signed.start >= denied_at
        if denied.signed and _is_day(denied.signed)
        else (later.signed.start > denied_at)
    )
    if not strictly:
        return False
    g = rules.grantors
    moments = (later.signed.start, _began(later))
    if later.by == denied.by == CHILD:
        return all(g.incapable(at) is False for at in moments)
    if any(g.may_permit(later, at) for at in moments):
        return False
    if later.by == CHILD or later.by == denied.by:
        return True
    return later.authority == "court-order"


def _has_counted(rules: Rules, terms: Terms, now: datetime) -> bool:
    """Was this consent in force at some instant up to `now`? What it lifted then stays lifted."""
    if not terms.counts_for_denying or terms.imported or terms.faults or not terms.ends:
        return False
    if terms.signed is None or terms.signed.start is None or terms.period.start is None:
        return False
    if terms.method not in ("signature", "electronic") and not (terms.method == "verbal" and terms.collected):
        return False
    began = _began(terms)
    if terms.status == "revoked" and terms.revoked is None:
        return False
    if terms.revoked is not None and terms.revoked <= began:
        return False
    if (terms.period.end is not None and began >= terms.period.end) or superseded(rules, terms, began):
        return False
    return began <= now


def _began(terms: Terms) -> datetime:
    """The first instant at which a signed consent with a start could be in force."""
    assert terms.signed and terms.signed.start and terms.period.start  # noqa: S101  asked only of such
    return max(terms.period.start, terms.signed.start)


def _is_day(signed: Span) -> bool:
    return signed.start != signed.end
