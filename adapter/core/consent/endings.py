"""When what is permitted changes by itself, and what then becomes of what a partner holds (*When permission ends*)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from adapter.core.consent.closure import DIRECTORY
from adapter.core.consent.provisions import Provision, Span
from adapter.core.consent.rules import Rules, Standing, standing_of
from adapter.core.consent.view import view_of

TAKEN_BACK = ("revoked", "superseded", "entered-in-error")


def next_change(rules: Rules, now: datetime) -> datetime | None:
    """The next instant at which a steering leaf changes its meaning: a share is due again then."""
    return min((at for at in _instants(rules) if at > now), default=None)


def _instants(rules: Rules) -> Iterator[datetime]:
    """Consent and provision periods, signatures and revocations dated ahead, authority, seats, capacity, birthdays."""
    g = rules.grantors
    spans: list[Span | None] = [p.held for p in g.people.values()]
    spans += [s for seat in rules.seats for s in seat.spans]
    dated: list[datetime | None] = [g.own_birthday(), *(on for on, _, _ in g.capacity)]
    for terms in rules.consents:
        spans += [terms.period, terms.signed]
        dated.append(terms.revoked)
        for p in _all_provisions(terms.provisions):
            spans.append(p.period)
            dated += [on for _, _, on in p.confirmed]
    for referral in rules.case.get("referrals", ()):
        if "respond_by" in referral:
            dated.append(rules.rulebook.end_of(date.fromisoformat(referral["respond_by"])))
    dated += [at for s in spans if s is not None for at in (s.start, s.end)]
    return (at for at in dated if at is not None)


def _all_provisions(provisions: tuple[Provision, ...]) -> Iterator[Provision]:
    for p in provisions:
        yield p
        yield from _all_provisions(p.exceptions)


def frozen(
    case: Mapping[str, Any], rules: Rules, partner: str, now: datetime, *, since: datetime | None = None
) -> frozenset[str]:
    """The paths that a partner keeps as they are because only a date ran out: nothing is updated, nothing taken back.

    A permit that ended by its date, or by the young person's birthday, freezes what it would have gone on permitting,
    by today's records and under today's denials too. What another permit went on permitting did not go with it, nor
    what something else took at the same instant; and what a consent that was revoked, superseded or entered in error
    would still have permitted later is not frozen: there somebody took it back. `since`: what the partner was to hold
    then has not gone by a date before that.
    """
    if rules.rulebook.partners[partner].after_end == "withdraw":
        return frozenset()
    today = standing_of(rules, partner, now)
    kept: set[str] = set()
    for end in _lapses(rules, now):
        if since is not None and end <= since:
            continue
        lasting = _seen_at(case, _lasting(rules, end), partner, end, today)
        if fresh := lasting - _seen_at(case, rules, partner, end, today):
            # What stays refers to who is named in it.
            fresh |= {path for path in lasting if path.split("/")[0] in DIRECTORY}
            if fresh := fresh - kept:
                kept |= fresh - _taken_back(case, rules, partner, end, now)
    return frozenset(kept)


def _lasting(rules: Rules, end: datetime) -> Rules:
    """The same where nothing runs out at this instant: no period of a permit, and not the time below own consent."""
    later = end + timedelta(microseconds=1)

    def longer(period: Span) -> Span:
        return replace(period, end=later) if period.end == end else period

    def lasts(p: Provision) -> Provision:
        return replace(p, period=longer(p.period)) if p.permits and p.period else p

    consents = (
        replace(t, period=longer(t.period), provisions=tuple(map(lasts, t.provisions))) for t in rules.consents
    )  # fmt: skip
    grantors = rules.grantors
    if grantors.own_birthday() == end and grantors.own_age is not None:
        grantors = replace(grantors, own_age=grantors.own_age + 1)
    return replace(rules, consents=tuple(consents), grantors=grantors)


def _seen_at(case: Mapping[str, Any], rules: Rules, partner: str, at: datetime, today: Standing) -> frozenset[str]:
    """The paths that could be seen then, but for what is denied today."""
    standing = standing_of(rules, partner, at)
    both = tuple({d.provision.path: d for d in (*standing.denies, *today.denies)}.values())
    then = replace(standing, denies=both, named=standing.named | today.named)
    return frozenset(view_of(case, rules, then).labels)


def _lapses(rules: Rules, now: datetime) -> list[datetime]:
    """The past instants at which a permit ended by date, or the young person came of age."""
    ends = [rules.grantors.own_birthday()]
    for terms in rules.consents:
        if terms.status == "active" and any(p.permits for p in terms.provisions):
            ends.append(terms.period.end)
            ends += [p.period.end for p in terms.provisions if p.permits and p.period]
    return sorted({end for end in ends if end is not None and end <= now})


def _taken_back(case: Mapping[str, Any], rules: Rules, partner: str, end: datetime, now: datetime) -> set[str]:
    """What would have been permitted after `end` if nobody had revoked, superseded or cancelled a consent."""
    taken = [t for t in rules.consents if t.status in TAKEN_BACK or (t.revoked is not None and t.revoked <= now)]
    if not taken:
        return set()
    paths = {t.path for t in taken}
    as_if = replace(
        rules,
        consents=tuple(
            replace(
                t,
                status="active" if t.path in paths else t.status,
                revoked=None,
                supersedes=(),
            )
            for t in rules.consents
        ),
    )
    moments = [
        now,
        *(t.period.end - timedelta(microseconds=1) for t in taken if t.period.end and end < t.period.end <= now),
    ]
    return {path for at in moments for path in view_of(case, as_if, standing_of(as_if, partner, at)).labels}
