"""All that a case's consents say to one partner at one time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from adapter.core.consent.rules.compiled import Rules
from adapter.core.consent.rules.counted import Deny, Permit
from adapter.core.consent.rules.denying import counts_as_deny, deny_of
from adapter.core.consent.rules.permitting import permit_of, why_not_counted, why_not_in_force
from adapter.core.partner import Partner


@dataclass(frozen=True, slots=True)
class Standing:
    """All that the consents say to one partner at one time."""

    partner: Partner
    now: datetime
    permits: tuple[Permit, ...]
    denies: tuple[Deny, ...]
    alone: bool | None
    """Rule 6: do the young person's consents alone permit? None: it cannot be told, so nobody else's do."""
    sharers: tuple[str, ...]
    """Where decision makers are marked `shared`: each of these must have permitted."""
    refused: Mapping[str, str]
    """Permit provision → why it does not count here and now (for explanations)."""
    named: frozenset[str]
    """Every record path that some provision names: nothing else about an element's place matters."""


def standing_of(rules: Rules, partner: str, now: datetime) -> Standing:
    """What counts towards `partner` at `now`. An unknown partner is refused with KeyError: it has no file."""
    whom = rules.rulebook.partners[partner]
    permits: list[Permit] = []
    refused: dict[str, str] = {}
    for terms in rules.consents:
        state = why_not_in_force(rules, terms, whom, now)
        for p in terms.provisions:
            if p.permits:
                why = state or why_not_counted(rules, terms, p, whom, now)
                if why:
                    refused[p.path] = why
                else:
                    permits.append(permit_of(rules, terms, p, whom, now))
    denies = [
        deny_of(rules, terms, p, whom, now)
        for terms in rules.consents
        for p in terms.provisions
        if not p.permits and counts_as_deny(rules, terms, p, whom, now)
    ]
    # Of permits that cover the same, the one that lasts longest permits it: in whatever order they are written.
    permits.sort(key=lambda p: p.provision.path)
    permits.sort(key=lambda p: p.until, reverse=True)
    denies.sort(key=lambda d: d.provision.path)
    alone = rules.grantors.child_alone_permits(now)
    sharers = rules.grantors.current(now) if rules.grantors.shared(now) else ()
    tests = [test for p in permits for test in (p.test, *p.except_for)]
    tests += [test for d in denies for test in (d.test, *d.except_for)]
    named = {path for test in tests for path in (test.records or ())}
    return Standing(whom, now, tuple(permits), tuple(denies), alone, sharers, refused, frozenset(named))
