"""What has become of our request to purge: how a partner answers it, and from when on its silence is too long.

One Task for each case and partner asks it to remove what was taken back (residue.py). It answers by the status of that
Task, like any other; we know that it says so, and never that every copy is gone (consent.md, *When permission
ends*: "withdrawn" and "asked to purge", never "erased").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, tzinfo
from types import MappingProxyType
from typing import Any, Literal, get_args

from adapter.core.account.entering import is_text, moment_of
from adapter.core.account.words import HOW
from adapter.core.asked import unknown
from adapter.core.referral.answer import Answer
from adapter.errors import Problem, Refused

State = Literal["asked", "taken-up", "done", "refused", "failed", "kept", "called-off"]
"""asked: nothing yet; taken-up: it is at it; done, refused, failed: its answer; kept: a person has noted that it keeps
its copies; called-off: all of it is given again, and nothing is to be purged."""

_SAYS: Mapping[str, State] = MappingProxyType(
    {
        "received": "taken-up", "accepted": "taken-up", "in-progress": "taken-up", "on-hold": "taken-up",
        "completed": "done", "rejected": "refused", "cancelled": "refused",
        "failed": "failed", "entered-in-error": "failed",
    }
)  # fmt: skip
"""Task.status (http://hl7.org/fhir/R4/valueset-task-status.html) → what it says; the others say nothing new."""

WORDS: Mapping[State, str] = MappingProxyType(
    {
        "asked": "nothing yet", "taken-up": "it is at it", "done": "it says that it has", "refused": "it will not",
        "failed": "it could not", "kept": "it keeps them, and we know of it",
        "called-off": "not any more: all of it is given again",
    }
)  # fmt: skip
"""What a person reads for a state, behind “asked to purge”."""
WAITS: tuple[State, ...] = ("asked", "taken-up", "refused", "failed")
"""While it is so, an answer may still come, or another one."""
REFUSED: tuple[State, ...] = ("refused", "failed")
PATIENCE = timedelta(days=30)
"""After so long without an answer a person should ask."""
ASKED_FOR = timedelta(days=90)
"""So long a partner's server is asked for its answer; one that it writes to us, or to its Task, counts later too."""
LONGEST_REASON = 2000
"""Characters of the reason that a person enters."""
_MOST = 50
"""Answers, and places where they were read, that are remembered: so that the same one is not heard twice."""


@dataclass(frozen=True, slots=True)
class Purge:
    """One request. `asked`: the hash of the Task as it was sent; `on`: since when it is in this state (an instant in
    UTC); `reason`: the partner's own words, for people of the agency; `heard`: keys of answers; `newest`: (where, the
    number of the newest version that was read there)."""

    asked: str
    state: State = "asked"
    on: str = ""
    reason: str = ""
    heard: tuple[str, ...] = ()
    newest: tuple[tuple[str, int], ...] = ()
    seen: bool = False
    """Has the Task been read since it was sent so?"""
    how: str = ""
    """Of what a person has entered: how the partner said it (a code of account/words.HOW)."""
    said_on: str = ""
    """Of what a person has entered: the day in the agency's time zone on which the partner said it."""


def asked(before: Purge | None, content: str, now: datetime, *, over: bool) -> Purge | None:
    """After the Task has arrived as `content`; `over`: with nothing in it that is to be purged any more.

    Another content is another request, to which no earlier answer is one. None: there was none, and nothing is asked.
    """
    if before is not None and before.asked == content:
        return before
    if before is None:
        return None if over else Purge(content, on=now.isoformat())
    state: State = "called-off" if over else "asked"
    return replace(before, asked=content, state=state, on=now.isoformat(), reason="", seen=False, how="", said_on="")


def heard(purge: Purge, answer: Answer, now: datetime) -> Purge:
    """After an answer: in the state as before where it says nothing new, or is older than what was read there."""
    newest = dict(purge.newest)
    if answer.key in purge.heard or (answer.number is not None and answer.number < newest.get(answer.source, -1)):
        return purge
    if answer.number is not None:
        newest[answer.source] = answer.number
    known = replace(
        purge, heard=(*purge.heard, answer.key)[-_MOST:], newest=tuple(newest.items())[-_MOST:], seen=True
    )  # fmt: skip
    state = _SAYS.get(answer.said, purge.state)
    if purge.state == "called-off" or (purge.state == "kept" and state in REFUSED):
        return known
    if answer.said not in _SAYS or (state, answer.reason) == (purge.state, purge.reason):
        return known
    return replace(known, state=state, on=now.isoformat(), reason=answer.reason, how="", said_on="")


@dataclass(frozen=True, slots=True)
class Told:
    """What a person enters that a partner has said in another way: done, or that it keeps its copies; why, how it was
    said, and when. What is not known is empty."""

    answer: Literal["done", "kept"]
    reason: str = ""
    how: str = ""
    at: datetime | None = None


def told(asked: Mapping[str, Any], *, asked_at: datetime, zone: tzinfo, now: datetime) -> Told:
    """`{"answer": "done" | "kept", "reason", "how", "on"}`, all but the first where they are known.

    `on`: a date, or a date-time (without a zone, in the agency's), and not before the day on which it was asked: what
    was said earlier answers another request. Refused: every problem at once.
    """
    found = [*unknown(asked, ("answer", "reason", "how", "on", "asked")), *_wrong(asked, asked_at, zone, now)]
    if found:
        raise Refused("The request breaks rules; nothing was done.", sorted(found))
    at = moment_of(asked["on"], zone) if "on" in asked else None
    return Told(asked["answer"], asked.get("reason", "").strip(), asked.get("how", ""), at)


def _wrong(asked: Mapping[str, Any], asked_at: datetime, zone: tzinfo, now: datetime) -> Iterator[Problem]:
    if asked.get("answer") not in ("done", "kept"):
        yield Problem("/answer", "must be done or kept")
    if "reason" in asked and not is_text(asked["reason"], LONGEST_REASON):
        yield Problem("/reason", f"must be a text of 1 to {LONGEST_REASON} characters on one line")
    if "how" in asked and (not isinstance(asked["how"], str) or asked["how"] not in HOW):
        yield Problem("/how", f"must be one of {', '.join(HOW)}")
    if "on" not in asked:
        return
    if (at := moment_of(asked["on"], zone)) is None:
        yield Problem("/on", "must be a date or a date-time (ISO 8601)")
    elif at > now:
        yield Problem("/on", "must not be in the future")
    elif at.astimezone(zone).date() < asked_at.astimezone(zone).date():
        yield Problem("/on", "must not be before the day on which the partner was asked")


def entered(purge: Purge, told: Told, zone: tzinfo, now: datetime) -> Purge:
    """After a person has entered what the partner said in another way, or that it keeps its copies; as before where
    that is what is known already."""
    said_on = told.at.astimezone(zone).date().isoformat() if told.at else ""
    after = replace(purge, state=told.answer, reason=told.reason, how=told.how, said_on=said_on)
    return purge if after == purge else replace(after, on=now.isoformat())


def alarm(purge: Purge, asked_at: datetime, now: datetime) -> str:
    """What a person should look at: purge-refused, purge-unanswered; empty for nothing."""
    if purge.state in REFUSED:
        return "purge-refused"
    return "purge-unanswered" if purge.state in WAITS and now >= asked_at + PATIENCE else ""


def written(purge: Purge) -> dict[str, Any]:
    """As JSON."""
    return asdict(purge)


def read(values: Mapping[str, Any]) -> Purge:
    """What `written` wrote. ValueError: it is no state."""
    if values["state"] not in get_args(State):
        raise ValueError("not a state of a request to purge")
    newest = tuple((where, number) for where, number in values["newest"])
    return Purge(**{**values, "heard": tuple(values["heard"]), "newest": newest})
