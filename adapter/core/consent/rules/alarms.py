"""What a person must look at in a case's consents, whatever the partner (rules 3, 7, *Not computable*)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from adapter.core.consent.grantors import CHILD
from adapter.core.consent.provisions import Terms
from adapter.core.consent.rules.compiled import Rules, is_agency
from adapter.core.consent.rules.permitting import why_not_counted, why_not_in_force
from adapter.core.partner import Partner

_ANYONE = Partner(id="", name="", sectors=(), since=date.min)
"""A partner of no sector that asks for nothing in writing: what holds for it holds for any."""


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """Something that a person must resolve: a code of `explain.ALARMS` and the path of the consent, never a value."""

    path: str
    code: str


def alarms_of(rules: Rules, now: datetime) -> tuple[Alarm, ...]:
    """What a person must look at, whatever the partner (rules 3, 7, *Not computable*)."""
    return tuple(sorted(set(_alarms(rules, now))))


def _alarms(rules: Rules, now: datetime) -> Iterator[Alarm]:
    for terms in rules.consents:
        if terms.faults and terms.counts_for_denying:
            yield Alarm(terms.path, "not-computable")
        denies = any(not p.permits for p in terms.provisions) and terms.counts_for_denying
        unsure = not terms.signed or terms.method not in ("signature", "electronic", "verbal")
        if denies and (unsure or (terms.signed and _never_had_authority(rules, terms))):
            yield Alarm(terms.path, "deny-without-authority")
        for earlier in terms.supersedes:
            successor_permits = any(p.permits for p in terms.provisions) and not _void(rules, terms, now)
            if terms.counts_for_denying and not terms.imported and not successor_permits:
                yield Alarm(earlier, "superseded-by-nothing")
    if not rules.rulebook.agency or _agencies(rules) != 1:
        yield Alarm("organizations", "agency-not-found" if _agencies(rules) == 0 else "agency-ambiguous")


def why_it_permits_nothing(rules: Rules, terms: Terms, now: datetime) -> tuple[str, ...]:
    """Codes of explain.REASONS, whatever the partner; empty where it permits something, or means only to deny."""
    permits = [p for p in terms.provisions if p.permits]
    if not permits or terms.status in ("draft", "superseded", "entered-in-error"):
        return ()
    if why := why_not_in_force(rules, terms, _ANYONE, now):
        return (why,)
    # Whom a permit names is asked of each partner, not here.
    whys = {why_not_counted(rules, terms, p, _ANYONE, now) for p in permits}
    return () if whys & {"", "receiver"} else tuple(sorted(whys))


def _void(rules: Rules, terms: Terms, now: datetime) -> bool:
    return why_not_in_force(rules, terms, _ANYONE, now) not in ("", "not-begun")


def _never_had_authority(rules: Rules, terms: Terms) -> bool:
    at = terms.signed.start if terms.signed else None
    if at is None:
        return True
    if terms.by == CHILD:
        return rules.grantors.incapable(at) is not False
    return rules.grantors.may_permit(terms, at) != ""


def _agencies(rules: Rules) -> int:
    return sum(1 for o in rules.case.get("organizations", ()) if is_agency(o, rules.rulebook))
