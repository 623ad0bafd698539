"""Decides when a partner is called at all: one circuit breaker, and one pace of requests, for each (exchange.md,
*Delivery*).

The circuit opens when the shares of several cases have failed one after the other and nothing got through: then it is
the partner that is away, and not one case that is wrong. While it is open one share at a time tries, and the others
wait without being touched. What a partner answers to too many requests makes all of them rarer for a while.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from adapter.core.retry import Outcome

SHARES = 5
"""So many different shares have to fail one after the other before the circuit opens; asking for answers counts as
one."""

AWAY: frozenset[Outcome] = frozenset({"unavailable", "unknown", "throttled", "unauthorised"})
"""What an attempt comes to when the partner as a whole may be the reason."""

SAYS_NOTHING: frozenset[Outcome] = frozenset({"unchanged", "stopped"})
"""Outcomes of ours alone: nothing was asked, or what came of it is forgotten behind a stop of our own."""

ASKING = 0
"""Whoever asks a partner for answers, where a share would be named: no share has this number."""

_FIRST = timedelta(minutes=1)
_LONGEST = timedelta(minutes=15)
_LONGEST_ASKED = timedelta(hours=24)
_SLOWEST = 300.0  # seconds between two requests, however often a partner says that they are too many
_FASTER = 0.8  # of the time between two requests, after each that was taken
_NONE = 0.2  # seconds between two requests that are no pace any more, where the partner file gives none


@dataclass(frozen=True, slots=True)
class Pace:
    """How one partner is called at present. Shares are named by their numbers; `spacing` is in seconds."""

    failed: tuple[int, ...] = ()
    """Shares that failed since anything got through: each once."""
    open_since: datetime | None = None
    closed_at: datetime | None = None
    tries: int = 0
    """Shares that have tried in vain since the circuit opened, with those that opened it for one."""
    trying: int | None = None
    try_at: datetime | None = None
    """While open: when the next share may try, or until when the one that tries may be at it."""
    next_at: datetime | None = None
    """Not earlier than this may the next request leave."""
    spacing: float = 0.0

    @property
    def is_open(self) -> bool:
        return self.open_since is not None

    def until(self, now: datetime) -> datetime | None:
        """Until when nobody starts work for this partner; None: one may now."""
        waits = [at for at in (self.try_at if self.is_open else None, self.next_at) if at is not None and at > now]
        return max(waits, default=None)

    def counted_from(self, failing_since: datetime | None, now: datetime) -> datetime | None:
        """From when on the time counts after which a share that fails gives up.

        Not while the circuit is open, and anew when it has closed: a share that nobody tries does not fail, and a week
        without a partner must not leave its shares for a person to start, one by one.
        """
        if failing_since is None or self.is_open:
            return None
        return max(failing_since, self.closed_at or failing_since)


def after(
    pace: Pace,
    outcome: Outcome,
    *,
    share: int,
    now: datetime,
    retry_after: timedelta | None = None,
    rate: float = 0.0,
) -> Pace:
    """The pace after this share's attempt came to `outcome`. `rate`: requests a minute that the partner file allows at
    most, 0: any; `retry_after`: the least wait that the partner asked for, a day at most."""
    asked = min(max(retry_after or timedelta(0), timedelta(0)), _LONGEST_ASKED)
    paced = _paced(pace, outcome, now, asked, 60 / rate if rate else 0.0)
    if outcome in SAYS_NOTHING:
        # Whoever tried has not asked anything: the next one may.
        return replace(paced, trying=None, try_at=now) if pace.is_open and pace.trying == share else paced
    if outcome not in AWAY:
        return replace(
            paced, failed=(), open_since=None, tries=0, trying=None, try_at=None,
            closed_at=now if pace.is_open else pace.closed_at,
        )  # fmt: skip
    if pace.is_open:
        if pace.trying != share:
            return paced  # it had begun before the circuit opened, and says nothing new
        return _waiting(replace(paced, tries=pace.tries + 1), now, asked)
    failed = pace.failed if share in pace.failed else (*pace.failed, share)
    if len(failed) < SHARES:
        return replace(paced, failed=failed)
    return _waiting(replace(paced, failed=(), open_since=now, tries=1), now, asked)


def asked_for(
    pace: Pace,
    *,
    now: datetime,
    rate: float = 0.0,
    share: int | None = None,
    until: datetime | None = None,
    at_once: bool = False,
) -> Pace | datetime:
    """One request of `share` is to leave now: the pace after it, or when it may leave. The share that tries while the
    circuit is open is at it `until` then. `at_once`: it belongs to one that has left; the next one waits for both."""
    begin = max(now, pace.next_at or now)
    if begin > now and not at_once:
        return begin
    if pace.is_open and share is not None and pace.trying == share and until is not None:
        pace = replace(pace, try_at=max(until, pace.try_at or until))
    spacing = max(pace.spacing, 60 / rate if rate else 0.0)
    return replace(pace, next_at=begin + timedelta(seconds=spacing)) if spacing else pace


def _waiting(pace: Pace, now: datetime, asked: timedelta) -> Pace:
    doublings = min(max(pace.tries - 1, 0), 10)
    return replace(pace, trying=None, try_at=now + max(min(_FIRST * (1 << doublings), _LONGEST), asked))


def _paced(pace: Pace, outcome: Outcome, now: datetime, asked: timedelta, least: float) -> Pace:
    """Twice as slow after each answer that it was too much, and back a little after each that was well."""
    if outcome == "throttled":
        spacing = min(max(pace.spacing, least, 0.5) * 2, max(_SLOWEST, least))
        wait = now + max(asked, timedelta(seconds=spacing))
        return replace(pace, spacing=spacing, next_at=max(wait, pace.next_at or wait))
    if outcome in ("delivered", "existing") and pace.spacing:
        faster = pace.spacing * _FASTER
        return replace(pace, spacing=faster if faster > max(least, _NONE) else 0.0)
    return pace
