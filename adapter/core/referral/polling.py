"""Reads what a partner's server says when it is asked for answers: which Tasks are ours, and up to when it has told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from adapter.core.fhir.instants import instant
from adapter.core.fhir.named import names_of
from adapter.core.fhir.results import place_of
from adapter.core.partner import Referrals

OVERLAP = timedelta(seconds=10)
"""What is written while a search is answered may be missing in it (Gravity's own implementation waits as long)."""
LONGEST = timedelta(hours=24)
HOURLY = timedelta(hours=1)
SOON = timedelta(minutes=1)
MOST_BETWEEN = 20
"""Versions between two that were seen that are read one by one."""


@dataclass(frozen=True, slots=True)
class Told:
    """One answer to a search: Tasks by our identifier; `whole`: is there no more than this?; `until`: the server's own
    time, as it writes it, up to which it has told; empty where it does not say."""

    tasks: Mapping[tuple[str, str], Mapping[str, Any]]
    whole: bool
    until: str


def told(body: Any, headers: Mapping[str, str], asked: Sequence[tuple[str, str]]) -> Told | None:
    """What a searchset says of the Tasks that were asked for; None: it is none. What else is in it is passed over."""
    if not isinstance(body, Mapping) or body.get("resourceType") != "Bundle":
        return None
    wanted, tasks = set(asked), dict[tuple[str, str], Mapping[str, Any]]()
    double: set[tuple[str, str]] = set()
    for task in tasks_of(body):
        for name in wanted & {(s, v) for s, v in names_of(task) if isinstance(s, str) and isinstance(v, str)}:
            double |= {name} if name in tasks else set()
            tasks[name] = task
    # Of two that say they are the same one, neither is believed: each is read by the id that we know.
    found = {name: task for name, task in tasks.items() if name not in double}
    links = body.get("link", [])
    more = any(
        isinstance(x, Mapping) and x.get("relation") == "next" for x in (links if isinstance(links, list) else [])
    )
    return Told(found, not more and not double, _until(body, headers))


def tasks_of(body: Any) -> Iterator[Mapping[str, Any]]:
    """The Tasks of a Bundle; nothing of anything else."""
    entries = body.get("entry", []) if isinstance(body, Mapping) else []
    for entry in entries if isinstance(entries, list) else []:
        task = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(task, Mapping) and task.get("resourceType") == "Task":
            yield task


def between(newest: int | None, task: Mapping[str, Any]) -> range:
    """The versions of a Task that came and went since the newest that was seen, where its server counts them."""
    _, version = place_of(task)
    if newest is None or not version.isascii() or not version.isdigit() or len(version) > 9:
        return range(0)
    missed = range(newest + 1, int(version))
    return missed if len(missed) <= MOST_BETWEEN else range(0)


def cadence(rules: Referrals, subscription: str) -> timedelta:
    """How often a partner is asked for all that waits. `subscription`: the state of ours there, "" for none: while it
    does not tell us, it is asked as who has none."""
    every = timedelta(minutes=rules.every)
    untold = rules.answers == "subscription" and subscription != "active"
    return min(every, HOURLY) if untold else every


def waiting(rules: Referrals, *, every: timedelta, attempts: int, retry_after: timedelta | None) -> timedelta:
    """How long to wait until it is asked again. Where its server had something to tell and then could not be asked, it
    is tried again soon, and never later than it would be asked anyway."""
    if rules.answers == "subscription" and attempts:
        return min(next_time(every=SOON, attempts=attempts, retry_after=retry_after), max(every, retry_after or every))
    return next_time(every=every, attempts=attempts, retry_after=retry_after)


def next_time(*, every: timedelta, attempts: int, retry_after: timedelta | None) -> timedelta:
    """How long to wait: the partner's own cadence, twice as long after each failure up to a day, and as it asks."""
    wait: timedelta = min(every * float(2 ** min(attempts, 10)), max(every, LONGEST))
    return max(wait, min(retry_after, LONGEST)) if retry_after is not None else wait


def _until(body: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    meta = body.get("meta")
    stated = meta.get("lastUpdated") if isinstance(meta, Mapping) else None
    moment = _instant(stated) or _date(headers.get("date", ""))
    return instant(moment - OVERLAP) if moment else ""


def _instant(text: Any) -> datetime | None:
    if not isinstance(text, str) or len(text) > 40:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo and moment.year > 1 else None
    except (ValueError, OverflowError):
        return None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
