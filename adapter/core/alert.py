"""What the people who run the adapter are told when something waits for one of them: that, and nothing about anybody.

An alert names the instance, the partner, numbers of shares (which mean nothing outside the database), an outcome of
core/retry.py and a count: never a case, a record or what a partner said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

Kind = Literal["stopped", "conflict", "circuit", "overdue", "untold", "subscription", "subscriber", "trial"]

SENTENCES: Mapping[Kind, str] = {
    "stopped": "Shares have stopped: they are not tried again until something changes or a person says so.",
    "conflict": "Someone at the partner has changed what we sent: a person decides what stays.",
    "circuit": "The partner is away: its circuit is open, and one share at a time tries whether it is back.",
    "overdue": "Referrals have not been answered by the day that they ask for.",
    "untold": "The case system has not taken notices for 96 hours, or wants none: they wait.",
    "subscription": "Our subscription at the partner has not worked for long: it is polled for answers meanwhile.",
    "subscriber": "A subscription of the partner here has been in error for long: it is told of no changes.",
    "trial": "This is a trial: alerts reach you.",
}
NEXT: Mapping[Kind, str] = {
    "stopped": "adapter share list --partner {partner} --state stopped; then adapter share retry CASE {partner}",
    "conflict": "adapter alarms; then adapter share retry CASE {partner}",
    "circuit": "adapter partner list; once it is back: adapter partner resume {partner}",
    "overdue": "adapter referral list; then ask the partner",
    "untold": "adapter notice trial; once it is back: adapter notice replay",
    "subscription": "adapter partner list; then adapter partner check {partner}, and ask the partner",
    "subscriber": "ask the partner: once its endpoint is there again, it puts its Subscription again",
    "trial": "nothing needs to be done",
}

MOST_SHARES = 10
"""Numbers of shares that one alert names; `count` has them all."""

_FIRST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Alert:
    """What has happened at one partner since it was last told of. `id` names this telling of it, tried again or not."""

    id: str
    kind: Kind
    partner: str
    shares: tuple[int, ...]
    outcome: str
    count: int
    since: datetime
    at: datetime


def told(alert: Alert, instance: str) -> dict[str, Any]:
    """An alert as JSON, for programs."""
    return {
        "instance": instance,
        "kind": alert.kind,
        "partner": alert.partner,
        "shares": list(alert.shares),
        "outcome": alert.outcome,
        "count": alert.count,
        "since": alert.since.isoformat(),
        "at": alert.at.isoformat(),
        "sentence": SENTENCES[alert.kind],
    }


def words(alert: Alert, instance: str) -> tuple[str, str]:
    """An alert as the subject and the text of a mail."""
    lines = [
        SENTENCES[alert.kind],
        "",
        f"instance   {instance}",
        f"partner    {alert.partner}",
        f"how often  {alert.count}, since {alert.since.isoformat(timespec='seconds')}",
        *([f"outcome    {alert.outcome}"] if alert.outcome else []),
        *([f"shares     {', '.join(map(str, alert.shares))} (numbers in the log)"] if alert.shares else []),
        "",
        f"Next: {NEXT[alert.kind].format(partner=alert.partner)}",
        "",
    ]
    return f"[{instance}] {alert.partner}: {alert.kind} ({alert.count})", "\n".join(lines)


def wait_after(attempts: int) -> timedelta:
    """How long until telling is tried again that has failed so often: a minute, then twice as long, an hour at most."""
    return min(_FIRST * (1 << min(max(attempts - 1, 0), 10)), _LONGEST)
