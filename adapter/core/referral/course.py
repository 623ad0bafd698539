"""What has become of one referral: where it is, how it came there step by step, and what could not be.

A course only grows: each transition stands in it once, in the order in which it was made. An answer that has been taken
is known by its key, so that the same again, in whatever order, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from adapter.core.referral.answer import Answer
from adapter.core.referral.passed import Passed
from adapter.core.referral.table import ANSWERED, Applied, Dialect, Impossible, Setter, State, Why, move

MOST_STEPS = 1000
MOST_FLAGS = 50
MOST_KEYS = 2 * MOST_STEPS
HANDOVER = ("introduced", "contact-made", "first-appointment")
"""A warm hand-over's steps, in their order: business statuses of the receiver, or said by the coordinator."""


@dataclass(frozen=True, slots=True)
class Step:
    """One transition, or (`start` equals `end`) another business status, reason or result in the same state. `at`: when
    we learnt of it; `said_at`: when the partner says that it was; `through`: states that nobody saw."""

    at: str
    by: Setter
    start: State
    end: State
    business: str = ""
    words: str = ""
    reason: str = ""
    result: str = ""
    said_at: str = ""
    through: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """What was asked for and could not be: never applied."""

    at: str
    by: Setter
    state: State
    """Where the referral was."""
    asked: str
    why: Why
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Course:
    """One referral as it stands."""

    state: State = "requested"
    business: str = ""
    words: str = ""
    reason: str = ""
    result: str = ""
    on: str = ""
    """When it came to be so; empty while nothing has."""
    steps: tuple[Step, ...] = ()
    flags: tuple[Flag, ...] = ()
    keys: tuple[str, ...] = ()
    newest: tuple[tuple[str, int], ...] = ()
    """The highest version of the Task that was taken, by its source."""
    passed: tuple[Passed, ...] = ()
    """By which Tasks of its own the receiver has passed it on, in the order in which we learnt of them."""

    @property
    def answered(self) -> bool:
        """Has the receiver decided?"""
        return self.state in ANSWERED


def moved_by_receiver(before: Course, after: Course) -> bool:
    """Has the receiver made a step, or asked for one that could not be, that was not there before?"""
    steps = after.steps != before.steps and after.steps[-1].by == "receiver"
    return steps or (bool(after.flags) and after.flags != before.flags and after.flags[-1].by == "receiver")


def heard(course: Course, dialect: Dialect, answer: Answer, now: datetime, *, by: Setter = "receiver",
          gaps: bool = False) -> Course:  # fmt: skip
    """The course after an answer; the very same course where the answer is not new, or older than one taken."""
    if answer.key in course.keys or _older(course, answer):
        return course
    known = replace(course, keys=(*course.keys, answer.key)[-MOST_KEYS:], newest=_newest(course, answer))
    moved = move(dialect, course.state, answer.state, by, reason=bool(answer.reason), gaps=gaps)
    match moved:
        case Impossible(why):
            return _flagged(known, Flag(now.isoformat(), by, course.state, answer.said, why, answer.reason))
        case Applied(state, through):
            # A business status and a reason belong to the state that they came with.
            said = replace(answer, result=answer.result or course.result)
            return _stepped(known, state, said, by, now, through)
    said = replace(
        answer,
        business=answer.business or ("" if answer.words else course.business),
        words=answer.words or course.words,
        reason=answer.reason or course.reason,
        result=answer.result or course.result,
    )
    if (said.business, said.words, said.reason, said.result) == (
        course.business, course.words, course.reason, course.result,
    ):  # fmt: skip
        return known
    return _stepped(known, course.state, said, by, now, ())


def set_(course: Course, dialect: Dialect, state: State, by: Setter, now: datetime, *, reason: str = "",
         business: str = "") -> Course | Impossible:  # fmt: skip
    """The course after a move that is made here: by the coordinator, or by whoever answers through a link."""
    match move(dialect, course.state, state, by, reason=bool(reason)):
        case Impossible() as impossible:
            return impossible
        case Applied(to):
            return _stepped(course, to, Answer("", to, to, business, reason=reason, result=course.result), by, now, ())
    if business and business != course.business:
        said = Answer("", state, state, business, reason=course.reason, result=course.result)
        return _stepped(course, state, said, by, now, ())
    return course


def begun_again(course: Course, state: State, now: datetime) -> Course:
    """The referral was sent anew, in this state: what has become of the earlier one stays in the history."""
    if state == course.state:
        return course
    return _stepped(replace(course, reason="", result=""), state, Answer("", state, state), "requester", now, ())


def restated(course: Course, *, business: str, reason: str, result: str, now: datetime, same: bool) -> Course:
    """The receiver says more, or less, in the state that it is in. `same`: with the move that was made last."""
    said = Answer("", course.state, course.state, business, reason=reason, result=result)
    if same and course.steps:
        course = replace(course, steps=(*course.steps[:-1], replace(course.steps[-1], result=result)), result=result)
        return replace(course, business=business, reason=reason)
    return _stepped(course, course.state, said, "receiver", now, ())


def flagged(course: Course, dialect: Dialect, asked: str, why: Why, by: Setter, now: datetime) -> Course:
    """The course with one more thing that could not be."""
    return _flagged(course, Flag(now.isoformat(), by, course.state, asked, why))


def handover(course: Course) -> dict[str, str]:
    """Step of the hand-over → when the receiver said so first."""
    found: dict[str, str] = {}
    for step in course.steps:
        if step.business in HANDOVER:
            found.setdefault(step.business, step.at)
    return found


def _stepped(
    course: Course, state: State, said: Answer, by: Setter, now: datetime, through: tuple[State, ...]
) -> Course:
    at = now.isoformat()
    if len(course.steps) >= MOST_STEPS:
        return _flagged(course, Flag(at, by, course.state, said.said, "too-many"))
    step = Step(
        at, by, course.state, state, said.business, said.words, said.reason,
        said.result if said.result != course.result else "", said.at, through,
    )  # fmt: skip
    # Others may see since when it is so: words of the receiver, which they may not, must not move that.
    coded = (course.state, course.business) == (state, said.business) and course.on
    return replace(
        course, state=state, business=said.business, words=said.words, reason=said.reason, result=said.result,
        on=course.on if coded else at, steps=(*course.steps, step),
    )  # fmt: skip


def _flagged(course: Course, flag: Flag) -> Course:
    """The first of those that are alike, and the latest of all: whoever writes without end fills nothing up."""
    alike = {(f.by, f.state, f.asked, f.why) for f in course.flags}
    if (flag.by, flag.state, flag.asked, flag.why) in alike:
        return course
    return replace(course, flags=(*course.flags, flag)[-MOST_FLAGS:])


def _older(course: Course, answer: Answer) -> bool:
    return answer.number is not None and answer.number < dict(course.newest).get(answer.source, -1)


def _newest(course: Course, answer: Answer) -> tuple[tuple[str, int], ...]:
    if answer.number is None:
        return course.newest
    return tuple(sorted({**dict(course.newest), answer.source: answer.number}.items()))


def written(course: Course) -> dict[str, Any]:
    """As JSON."""
    return asdict(course)


def read(value: Mapping[str, Any]) -> Course:
    """What `written` wrote."""
    steps = tuple(Step(**{**each, "through": tuple(each["through"])}) for each in value["steps"])
    return Course(
        **{
            **value,
            "steps": steps,
            "flags": tuple(Flag(**each) for each in value["flags"]),
            "keys": tuple(value["keys"]),
            "newest": tuple((source, number) for source, number in value["newest"]),
            "passed": tuple(Passed(**each) for each in value.get("passed", ())),
        }
    )
