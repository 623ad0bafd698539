"""What ends soon, and what a person must look at: announced ahead, so that no permission runs out unnoticed.

consent.md, *When permission ends*: endings are shown and alerted 60, 30 and 7 days ahead, birthdays 180.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

from adapter.core.consent.endings import next_change
from adapter.core.consent.grantors import CHILD
from adapter.core.consent.rules import Deny, Permit, Rules, Standing, standing_of

ENDINGS = (60, 30, 7)
BIRTHDAY = 180
"""Days ahead."""

Kind = Literal["consent-ends", "permit-ends", "authority-ends", "seat-ends", "revoked", "superseded", "denial-ends",
               "own-age", "permission-ends"]  # fmt: skip
SENTENCES: Mapping[str, str] = {
    "consent-ends": "The consent ends on this day.",
    "permit-ends": "What this provision permits ends on this day.",
    "authority-ends": "From this day on, the one who gave the consent may not consent for the child.",
    "seat-ends": "On this day the partner leaves the care team that the consent names.",
    "revoked": "The consent is revoked from this day on.",
    "superseded": "From this day on another consent takes its place, and does not permit the same.",
    "denial-ends": "This denial ends on this day: what it kept back may be shared after it.",
    "own-age": "From this day on the young person's own consent is the only one that permits.",
    "permission-ends": "From this day on the consent does not permit this any more.",
}


class Announcement(NamedTuple):
    """`on`: the last whole day on which it holds, or the first on which it does not (a birthday, a revocation)."""

    on: date
    days: int
    """Whole days from today in the agency's time zone; 0 is today."""
    kind: Kind
    path: str
    """The consent, the provision, or `child`."""
    partners: tuple[str, ...]
    ahead: int
    """Which of the announcements it is: the last of 60, 30 and 7 days (or 180) that has been reached; 0: none yet."""


def announcements(rules: Rules, now: datetime, *, days: int | None = None) -> tuple[Announcement, ...]:
    """What ends soon in one case: of what counts towards a partner at the instant before, what does not at the end.

    `days`: as far ahead as this, instead of 60 days (of birthdays, 180). What another permit goes on to cover whole is
    not announced: nothing ends. A deny's end is an ending too.
    """
    today = now.astimezone(rules.rulebook.time_zone).date()
    usual = max(ENDINGS) if days is None else days
    found: dict[tuple[date, Kind, str], set[str]] = {}
    for at in _instants(rules, now, timedelta(days=usual + 1)):
        for partner in rules.rulebook.partners:
            before = standing_of(rules, partner, at - timedelta(microseconds=1))
            after = standing_of(rules, partner, at)
            for kind, path in {*_permits_end(rules, before, after, at), *_denies_end(before, after)}:
                found.setdefault((_day(rules, at, kind), kind, path), set()).add(partner)
    birthday = rules.grantors.own_birthday()
    if birthday is not None and now < birthday:
        eve = {p: standing_of(rules, p, birthday - timedelta(microseconds=1)) for p in rules.rulebook.partners}
        receiving = {p for p, standing in eve.items() if any(x.terms.by != CHILD for x in standing.permits)}
        if rules.grantors.incapable(birthday) is not True:
            found[_day(rules, birthday, "own-age"), "own-age", CHILD] = receiving
    made = (
        Announcement(on, (on - today).days, kind, path, tuple(sorted(partners)), _ahead((on - today).days, kind))
        for (on, kind, path), partners in found.items()
    )
    return tuple(sorted(a for a in made if 0 <= a.days <= (days if days is not None else _window(a.kind))))


def _instants(rules: Rules, now: datetime, far: timedelta) -> Iterator[datetime]:
    """Every instant within `far` at which a steering leaf changes its meaning."""
    at = next_change(rules, now)
    while at is not None and at <= now + far:
        yield at
        at = next_change(rules, at)


def _permits_end(rules: Rules, before: Standing, after: Standing, at: datetime) -> Iterator[tuple[Kind, str]]:
    if at == rules.grantors.own_birthday():
        return  # announced as what it is, and longer ahead
    for permit in before.permits:
        # Where each decision maker must permit, nobody's permit goes on in another's.
        others = (p for p in after.permits if not before.sharers or p.terms.by == permit.terms.by)
        if not any(_goes_on(permit, later) for later in others) or (before.alone is False and after.alone is not False):
            yield _why(rules, permit, after, at)


def _why(rules: Rules, permit: Permit, after: Standing, at: datetime) -> tuple[Kind, str]:
    terms, provision = permit.terms, permit.provision
    if terms.period.end == at:
        return "consent-ends", terms.path
    if provision.period is not None and provision.period.end == at:
        return "permit-ends", provision.path
    match after.refused.get(provision.path, ""):
        case "revoked":
            return "revoked", terms.path
        case "superseded":
            return "superseded", terms.path
        case "no-authority" | "no-capacity":
            return "authority-ends", terms.path
        case "receiver" if "care-team" in provision.to:
            return "seat-ends", provision.path
    return "permission-ends", provision.path


def _goes_on(permit: Permit, later: Permit) -> bool:
    """Does `later` cover all that `permit` does? Where that cannot be told at a glance, no: better one notice more."""
    if permit.provision.path == later.provision.path:
        return True
    if later.except_for and later.except_for != permit.except_for:
        return False
    was, is_ = permit.test, later.test
    return (
        _within(was.purposes, is_.purposes)
        and _within(was.parts, is_.parts)
        and _within(was.records, is_.records)
        and (was.topics or frozenset()) <= (is_.topics or frozenset())
    )


def _within(some: frozenset[str] | None, all_: frozenset[str] | None) -> bool:
    return all_ is None or (some is not None and some <= all_)


def _denies_end(before: Standing, after: Standing) -> Iterator[tuple[Kind, str]]:
    """A denial that ends lets more be seen: a family should know of that before."""
    staying = {deny.provision.path for deny in after.denies}
    for deny in before.denies:
        if deny.provision.path not in staying and _period_ends(deny, after.now):
            yield "denial-ends", deny.provision.path


def _period_ends(deny: Deny, at: datetime) -> bool:
    return deny.provision.period is not None and deny.provision.period.end == at


def _day(rules: Rules, at: datetime, kind: Kind) -> date:
    """Ends are inclusive: the last day is the one before the instant. What begins, begins on its day."""
    ends = ("consent-ends", "permit-ends", "denial-ends", "seat-ends", "authority-ends", "permission-ends")
    moment = at - timedelta(microseconds=1) if kind in ends else at
    return moment.astimezone(rules.rulebook.time_zone).date()


def _window(kind: Kind) -> int:
    return BIRTHDAY if kind == "own-age" else max(ENDINGS)


def _ahead(days: int, kind: Kind) -> int:
    reached = (each for each in ((BIRTHDAY,) if kind == "own-age" else ENDINGS) if days <= each)
    return min(reached, default=0)


SHARE_ALARMS: Mapping[str, str] = {
    "check": "Our own check found mistakes in what would be sent: nothing of it was sent. `adapter map` says which: "
    "correct the record or the mapping file.",
    "last-look": "The last look found withheld content in what would be sent: nothing of it was sent. The detail names "
    "where in the case it stands: take it out of what the partner would see (`adapter preview`).",
    "conflict": "Somebody at the partner has changed our copy there. Ask what was meant, then say what stays: "
    "`adapter share retry` with --ours-again or --leave-theirs.",
    "match": "The child must be found among the partner's patients by a person before anything is sent: "
    "`adapter match list`.",
    "purge-refused": "The partner answers that it does not remove its copies of what was taken back. "
    "Speak with it, then enter what it says (`adapter share purged`).",
    "purge-unanswered": "The partner has not answered for 30 days whether it removes copies of what was taken back. "
    "Ask it, then enter what it says (`adapter share purged`).",
    "fault": "The adapter failed at it: its log says where. Tell whoever runs it, then `adapter share retry`.",
    "stopped": "Nothing more is done about it until something changes or a person has it tried again: see what the "
    "detail says, then `adapter share retry`.",
}
"""What an alarm of a share says, and what to do next; those of the case's consents are in explain.ALARMS."""
LOOK = "A person must look at this share: see what the detail says, then `adapter share retry`."
