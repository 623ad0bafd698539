"""What becomes of a request to purge: each answer once, none to another request, and when a person should look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.mapping.codes import ConceptMap
from adapter.core.purge import PATIENCE, WORDS, Purge, State, Told, alarm, asked, entered, heard, read, told, written
from adapter.core.referral.answer import Hearing
from adapter.core.referral.answer import read as answer_of
from adapter.core.referral.table import Dialect
from adapter.errors import Refused

NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
HEARS = Hearing(Dialect("generic", {}), ConceptMap("business-status", {}))
FIRST = Purge("one", on=NOW.isoformat())


def said(purge: Purge, status: object, version: str | None = "2", *, where: str = "there", reason: str = "") -> Purge:
    task: dict[str, object] = {"status": status, "meta": {"versionId": version} if version else {}}
    if reason:
        task["statusReason"] = {"text": reason}
    return heard(purge, answer_of(task, HEARS, source=where), NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("requested", "asked"), ("draft", "asked"), ("ready", "asked"), ("received", "taken-up"),
        ("accepted", "taken-up"), ("in-progress", "taken-up"), ("on-hold", "taken-up"), ("completed", "done"),
        ("rejected", "refused"), ("cancelled", "refused"), ("failed", "failed"), ("entered-in-error", "failed"),
        ("erased", "asked"), (None, "asked"), (7, "asked"), ({}, "asked"), ("x" * 5000, "asked"),
    ],
)  # fmt: skip
def test_a_status_says_what_has_become_of_it_and_anything_else_says_nothing(status: object, state: str) -> None:
    assert said(FIRST, status).state == state


def test_the_same_answer_counts_once_and_an_older_one_not_at_all() -> None:
    done = said(FIRST, "completed", "4")
    assert done.on == (NOW + timedelta(days=1)).isoformat()
    assert said(done, "completed", "4") == done
    assert said(done, "received", "3") == done
    later = said(done, "rejected", "5", reason="We must keep it for ten years")
    assert (later.state, later.reason) == ("refused", "We must keep it for ten years")


def test_versions_of_two_places_are_not_compared() -> None:
    done = said(FIRST, "completed", "4")
    assert said(done, "rejected", "1", where="here Task/x").state == "refused"


def test_an_answer_without_a_version_is_known_by_what_it_says() -> None:
    done = said(FIRST, "completed", None)
    assert said(done, "completed", None) == done


def test_another_list_is_another_request_and_an_earlier_answer_is_none_to_it() -> None:
    done = said(FIRST, "completed", "4")
    assert asked(done, "one", NOW, over=False) == done
    again = asked(done, "two", NOW + timedelta(days=2), over=False)
    assert again is not None
    assert (again.state, again.seen) == ("asked", False)
    assert said(again, "completed", "4").state == "asked", "read again from an index that lags"
    assert said(again, "requested", "5").seen
    assert said(again, "completed", "6").state == "done"


def test_nothing_is_asked_where_nothing_is_to_be_purged_and_what_was_is_called_off() -> None:
    assert asked(None, "empty", NOW, over=True) is None
    over = asked(FIRST, "empty", NOW, over=True)
    assert over is not None
    assert over.state == "called-off"
    assert said(over, "completed", "9").state == "called-off"


def test_what_a_person_has_noted_stays_until_it_is_done_after_all() -> None:
    kept = entered(said(FIRST, "rejected", "2"), Told("kept"), UTC, NOW)
    assert said(kept, "rejected", "3", reason="Again").state == "kept"
    assert said(kept, "completed", "4").state == "done"


TORONTO = ZoneInfo("America/Toronto")


def test_what_a_person_enters_is_kept_until_something_else_is_asked_or_said() -> None:
    """How and when the partner said it goes with its answer, and never with a later one."""
    by_letter = told(
        {"answer": "kept", "reason": " The law asks for it ", "how": "mail", "on": "2026-11-21"},
        asked_at=NOW, zone=TORONTO, now=NOW,
    )  # fmt: skip
    kept = entered(FIRST, by_letter, TORONTO, NOW)
    assert (kept.state, kept.reason, kept.how, kept.said_on) == ("kept", "The law asks for it", "mail", "2026-11-21")
    assert entered(kept, by_letter, TORONTO, NOW + timedelta(hours=1)) == kept, "entered twice"
    assert read(written(kept)) == kept
    for after in (said(kept, "completed", "4"), asked(kept, "two", NOW, over=False)):
        assert after is not None
        assert (after.reason, after.how, after.said_on) == ("", "", "")


def test_what_was_kept_before_a_person_could_say_how_is_read() -> None:
    old = {name: value for name, value in written(FIRST).items() if name not in ("how", "said_on")}
    assert read(old) == FIRST


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["/answer"]), ({"answer": "erased"}, ["/answer"]), ({"answer": ["done"]}, ["/answer"]),
        ({"answer": "done", "how": "by owl"}, ["/how"]), ({"answer": "done", "how": {}}, ["/how"]),
        ({"answer": "done", "on": "yesterday"}, ["/on"]), ({"answer": "done", "on": "2026-11-22"}, ["/on"]),
        ({"answer": "done", "on": "2026-11-19"}, ["/on"]), ({"answer": "done", "reason": " "}, ["/reason"]),
        ({"answer": "done", "reason": "a\nb"}, ["/reason"]), ({"answer": "done", "reason": "a" * 2001}, ["/reason"]),
        ({"answer": "x", "how": "", "on": "", "reason": "", "more": 1}, ["/answer", "/how", "/more", "/on", "/reason"]),
        ({"answer": "done", "on": "2026-11-20"}, []), ({"answer": "done", "on": "2026-11-21T09:00"}, []),
    ],
)  # fmt: skip
def test_every_fault_of_what_is_entered_is_said_at_once(body: dict[str, Any], places: list[str]) -> None:
    """Nobody has answered before it was asked (on the 20th there, late in the evening), or will have tomorrow."""
    evening = datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    if not places:
        assert told(body, asked_at=evening, zone=TORONTO, now=NOW).at is not None
        return
    with pytest.raises(Refused) as refused:
        told(body, asked_at=evening, zone=TORONTO, now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == places


@pytest.mark.parametrize(
    ("state", "days", "code"),
    [
        ("asked", 29, ""), ("asked", 30, "purge-unanswered"), ("taken-up", 30, "purge-unanswered"),
        ("refused", 0, "purge-refused"), ("failed", 0, "purge-refused"), ("done", 400, ""), ("kept", 400, ""),
        ("called-off", 400, ""),
    ],
)  # fmt: skip
def test_when_a_person_should_look(state: State, days: int, code: str) -> None:
    assert alarm(replace(FIRST, state=state), NOW, NOW + timedelta(days=days)) == code
    assert timedelta(days=30) == PATIENCE


def test_it_is_read_as_it_was_written_and_each_state_has_its_words() -> None:
    done = said(said(FIRST, "received", "2"), "completed", "4")
    assert read(written(done)) == done
    assert set(WORDS) == set(get_args(State))


def test_only_so_many_answers_are_remembered() -> None:
    purge = FIRST
    for number in range(200):
        purge = said(purge, "received", str(number), where=f"here Task/{number}")
    assert len(purge.heard) == len(purge.newest) == 50


MOVES = st.lists(
    st.tuples(st.sampled_from(["requested", "received", "completed", "rejected", "failed", "?"]), st.integers(1, 9)),
    max_size=12,
)


@given(moves=MOVES, again=st.lists(st.integers(0, 11), max_size=12))
def test_what_was_heard_once_changes_nothing_when_it_comes_again(
    moves: list[tuple[str, int]], again: list[int]
) -> None:
    """However often, and in whatever order, what has been read already is read again."""
    purge = FIRST
    for status, version in moves:
        purge = said(purge, status, str(version))
    for place in again:
        if place < len(moves):
            status, version = moves[place]
            assert said(purge, status, str(version)) == purge
