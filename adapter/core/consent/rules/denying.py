"""Rule 3: does a deny count, for this partner and now? It reads whatever is left out, or amiss, as all of it."""

from __future__ import annotations

from datetime import datetime

from adapter.core.consent.provisions import ALL, Provision, Terms
from adapter.core.consent.rules.compiled import Rules
from adapter.core.consent.rules.counted import Deny, Test
from adapter.core.consent.rules.fields import parts_of, wide
from adapter.core.consent.rules.lifting import lifted
from adapter.core.consent.rules.receivers import aims_at, reaches
from adapter.core.partner import Partner


def counts_as_deny(rules: Rules, terms: Terms, p: Provision, partner: Partner, now: datetime) -> bool:
    """Rule 3: does this deny count towards the partner now?"""
    if not terms.counts_for_denying or (terms.period.start is not None and now < terms.period.start):
        return False
    if p.period is not None and not p.period.holds(now):
        return False
    return aims_at(rules, p, partner) and not lifted(rules, terms, now)


def deny_of(rules: Rules, terms: Terms, p: Provision, partner: Partner, now: datetime) -> Deny:
    """What a deny that counts hits, but for its exceptions, which are read as permits are."""
    # A consent that cannot be computed never permits: not by an exception of a denial either.
    exceptions = () if terms.faults else p.exceptions
    return Deny(
        provision=p,
        terms=terms,
        test=wide(rules, p),
        except_for=tuple(
            Test(
                purposes=None if ALL in x.purposes or not x.purposes else frozenset(x.purposes),
                parts=None if not x.parts else parts_of(rules, terms, x),
                topics=frozenset(x.topics) or None,
                records=frozenset(x.records) or None,
            )
            for x in exceptions
            if _releases(rules, terms, x, partner, now)
        ),
    )


def _releases(rules: Rules, terms: Terms, x: Provision, partner: Partner, now: datetime) -> bool:
    """Does this exception of a deny reach the partner now? What it leaves out it takes over from the deny."""
    if x.names_no_record:
        return False
    if x.period is not None and (x.period.start is None or x.period.end is None or not x.period.holds(now)):
        return False
    return not x.to or reaches(rules, terms, x, partner, now)
