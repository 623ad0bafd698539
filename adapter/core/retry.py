"""Decides what a share does next after one attempt: settled, again at a time, or stopped until something changes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Outcome = Literal[
    "delivered",  # the partner holds what it should
    "unchanged",  # nothing had to be sent
    "existing",  # a conditional create found it there: not known to equal ours, so that an update follows
    "conflict",  # 409: two wrote at once, or a condition is being decided
    "version",  # 412: someone at the partner changed our copy; read it first
    "throttled",  # 429, or 503 with Retry-After
    "unavailable",  # surely not done: no connection, no name, 503
    "unauthorised",  # 401: the token is not accepted
    "unknown",  # time-out, connection lost, 5xx after sending, an answer that cannot be read: look before sending again
    "unsupported",  # 405, 501, not-supported: the server cannot do it this way; a lesser way is tried at once
    "rejected",  # 4xx: the same again would be refused again
    "ambiguous",  # 412: a condition matches several; a person decides
    "stopped",  # we refused to send: last look, check
]
"""What became of one attempt (exchange.md, *Delivery*): a closed list."""

Reason = Literal["rejected", "ambiguous", "stopped", "gave up"]

_SHORTEST = timedelta(seconds=1)
_FIRST = timedelta(seconds=10)
_LONGEST = timedelta(minutes=15)
_WINDOW = timedelta(hours=96)
_LONGEST_ASKED = timedelta(hours=24)  # an answer is hostile input: no partner can put off a withdrawal for ever


_URGENCY: tuple[Outcome, ...] = (
    "unknown",
    "unauthorised",
    "throttled",
    "unavailable",
    "conflict",
    "version",
    "unsupported",
    "existing",
    "stopped",
    "ambiguous",
    "rejected",
    "delivered",
    "unchanged",
)


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing is left to do until consent or the case changes."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Reconcile again at this time."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not repeated until the case, the mapping or the partner changes, or a person says so."""

    reason: Reason


NextStep = Settled | TryAgain | Stopped


def next_step(
    outcome: Outcome,
    *,
    attempts: int,
    failing_since: datetime | None,
    now: datetime,
    jitter: float,
    retry_after: timedelta | None = None,
) -> NextStep:
    """What follows from `outcome` (exchange.md, *Delivery*: full-jitter backoff up to 15 minutes, for 96 hours).

    `attempts`: how many failed in a row, this one included. `failing_since`: when the first of them was; None: just
    now. `jitter`: a random number in [0, 1). `retry_after`: the least wait that the partner asked for; a day at most.
    """
    match outcome:
        case "delivered" | "unchanged":
            return Settled()
        case "existing" | "unsupported":
            return TryAgain(now)
        case "rejected" | "ambiguous" | "stopped":
            return Stopped(outcome)
    gives_up = (failing_since or now) + _WINDOW
    if now >= gives_up:
        return Stopped("gave up")
    asked = min(max(retry_after or timedelta(0), timedelta(0)), _LONGEST_ASKED)
    return TryAgain(min(now + asked + _backoff(attempts, jitter), gives_up))


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome for a share out of those of its resources: what cannot be repeated waits for what can.

    Anything unknown is looked up first; then what time may heal; only then what a change must heal.
    """
    return min(outcomes, key=_URGENCY.index, default="unchanged")


def _backoff(attempts: int, jitter: float) -> timedelta:
    doublings = min(max(attempts - 1, 0), 10)  # beyond that the longest wait is reached, and no number may overflow
    return max(_SHORTEST, min(_FIRST * (1 << doublings), _LONGEST) * jitter)
