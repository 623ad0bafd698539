"""Whom a provision names: narrowly where it permits (rule 2), widely where it denies (rule 3)."""

from __future__ import annotations

from datetime import datetime

from adapter.core.consent.grantors import CHILD
from adapter.core.consent.provisions import ALL, Provision, Terms
from adapter.core.consent.rules.compiled import Rules
from adapter.core.partner import Partner


def reaches(rules: Rules, terms: Terms, p: Provision, partner: Partner, now: datetime) -> bool:
    """Does a permit name this partner: itself, by a sector or `all` that it was part of when signed, or as team?"""
    if f"partners/{partner.id}" in p.to:
        return True
    if "care-team" in p.to and _on_team(rules, partner, now):
        return True
    if ALL in p.to or any(f"sectors/{s}" in p.to for s in partner.sectors):
        signed = terms.signed.start if terms.signed else None
        if signed is not None and rules.rulebook.start_of(partner.since) <= signed:
            return True
        return any(
            who == partner.id and on <= now and _may_confirm(rules, by, on) and _may_confirm(rules, by, now)
            for who, by, on in p.confirmed
        )
    return False


def aims_at(rules: Rules, p: Provision, partner: Partner) -> bool:
    """Does a deny reach this partner? Left out: everyone; also by a sector of the case, and as team for ever."""
    if not p.to or "to" in p.unreadable or ALL in p.to or f"partners/{partner.id}" in p.to:
        return True
    sectors = {*partner.sectors, *rules.sectors.get(partner.id, ())}
    if any(f"sectors/{s}" in p.to for s in sectors):
        return True
    return "care-team" in p.to and any(s.partner == partner.id and s.invited for s in rules.seats)


def _may_confirm(rules: Rules, by: str, at: datetime) -> bool:
    """Confirming widens a permit, so it takes somebody who may permit, then and now (rules 2 and 6)."""
    if by == CHILD:
        return rules.grantors.child_may_permit(at)
    return by in rules.grantors.current(at) and rules.grantors.child_alone_permits(at) is False


def _on_team(rules: Rules, partner: Partner, now: datetime) -> bool:
    return any(
        s.partner == partner.id and s.invited and s.active and all(x.holds(now) for x in s.spans) for s in rules.seats
    )
