"""When a partner is called at all: its circuit, and the pace of its requests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.pace import AWAY, SHARES, Pace, after, asked_for
from adapter.core.retry import Outcome

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def broken(outcome: Outcome = "unavailable", shares: int = SHARES) -> Pace:
    pace = Pace()
    for share in range(shares):
        pace = after(pace, outcome, share=share, now=NOW)
    return pace


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_opens_a_circuit(outcome: Outcome) -> None:
    """So many different shares, each failing in a way that may be the partner's."""
    assert not broken(outcome, SHARES - 1).is_open
    assert broken(outcome).is_open is (outcome in AWAY)


def test_one_share_that_fails_for_ever_opens_nothing() -> None:
    pace = Pace()
    for _ in range(100):
        pace = after(pace, "unknown", share=7, now=NOW)
    assert not pace.is_open


@pytest.mark.parametrize("outcome", [o for o in OUTCOMES if o not in AWAY and o not in ("unchanged", "stopped")])
def test_whatever_gets_through_begins_the_count_anew(outcome: Outcome) -> None:
    """A refusal is an answer too: the partner is there."""
    pace = after(broken(shares=SHARES - 1), outcome, share=0, now=NOW)
    assert (pace.failed, after(pace, "unknown", share=99, now=NOW).is_open) == ((), False)


@pytest.mark.parametrize("outcome", ["unchanged", "stopped"])
def test_what_asks_nothing_says_nothing(outcome: Outcome) -> None:
    pace = broken(shares=SHARES - 1)
    assert after(pace, outcome, share=0, now=NOW) == pace
    tried = replace(broken(), trying=3, try_at=at(500))
    assert after(tried, outcome, share=3, now=at(70)).until(at(70)) is None, "the next one may try at once"
    assert after(tried, outcome, share=4, now=at(70)) == tried


def test_one_share_tries_and_the_waits_grow_to_a_quarter_of_an_hour() -> None:
    pace, moment, waits = broken(), NOW, []
    for share in range(7):
        assert pace.try_at is not None
        waits.append((pace.try_at - moment) / timedelta(minutes=1))
        assert pace.until(pace.try_at - timedelta(microseconds=1)) == pace.try_at
        assert pace.until(pace.try_at) is None
        moment = pace.try_at
        pace = after(
            replace(pace, trying=share, try_at=moment + timedelta(seconds=40)), "unavailable", share=share, now=moment
        )
    assert waits == [1, 2, 4, 8, 15, 15, 15]


def test_who_had_begun_before_it_opened_makes_no_wait_longer() -> None:
    pace = replace(broken(), trying=3, try_at=at(100))
    assert after(pace, "unavailable", share=4, now=at(61)) == pace
    assert not after(pace, "delivered", share=4, now=at(61)).is_open, "but one that gets through closes it"


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        pytest.param(timedelta(seconds=10), 60, id="less than our own wait"),
        pytest.param(timedelta(hours=1), 3600, id="more"),
        pytest.param(timedelta(days=400), 86_400, id="no longer than a day"),
        pytest.param(timedelta(seconds=-5), 60, id="less than nothing"),
    ],
)
def test_the_wait_that_a_partner_asks_for_is_kept(asked: timedelta, seconds: float) -> None:
    pace = after(broken(shares=SHARES - 1), "unavailable", share=99, now=NOW, retry_after=asked)
    assert pace.until(NOW) == at(seconds)


def test_time_in_which_nobody_tries_does_not_count() -> None:
    """The 96 hours of a share stand still while the circuit is open, and begin anew when it closes."""
    early = NOW - timedelta(hours=95)
    assert Pace().counted_from(early, NOW) == early
    assert broken().counted_from(early, NOW) is None
    closed = after(replace(broken(), trying=1), "delivered", share=1, now=at(9000))
    assert (closed.is_open, closed.counted_from(early, at(9001))) == (False, at(9000))
    assert closed.counted_from(at(9500), at(9501)) == at(9500)
    assert Pace().counted_from(None, NOW) is None


class TestPace:
    """Requests leave no more often than the partner file says, and more rarely where the partner says so."""

    @given(
        st.floats(0.5, 6000),
        st.lists(st.floats(0, 40), max_size=80),
    )
    def test_no_minute_has_more_than_its_rate(self, rate: float, waits: list[float]) -> None:
        pace, moment, left = Pace(), NOW, []
        for wait in waits:
            moment += timedelta(seconds=wait / rate)
            found = asked_for(pace, now=moment, rate=rate)
            if isinstance(found, Pace):
                pace = found
                left.append(moment)
            else:
                assert found > moment
                assert isinstance(asked_for(pace, now=found, rate=rate), Pace), "it may leave when we were told"
        least = timedelta(seconds=60 / rate) - timedelta(microseconds=1)
        assert all(later - earlier >= least for earlier, later in pairwise(left))

    def test_what_belongs_to_a_request_that_has_left_goes_with_it_and_the_next_waits_the_longer(self) -> None:
        pace = asked_for(Pace(), now=NOW, rate=60)
        for _ in range(3):
            assert isinstance(pace, Pace)
            pace = asked_for(pace, now=NOW, rate=60, at_once=True)
        assert asked_for(pace, now=at(3.9), rate=60) == at(4)  # type: ignore[arg-type]

    def test_without_a_rate_nothing_is_kept(self) -> None:
        assert asked_for(Pace(), now=NOW) == Pace()
        assert after(Pace(), "delivered", share=1, now=NOW) == Pace()

    def test_too_many_requests_make_all_of_them_rarer_for_a_while(self) -> None:
        pace = after(Pace(), "throttled", share=1, now=NOW, rate=120)
        assert (pace.spacing, pace.until(NOW)) == (1.0, at(1))
        pace = after(pace, "throttled", share=1, now=at(1), rate=120, retry_after=timedelta(seconds=30))
        assert (pace.spacing, pace.until(at(1))) == (2.0, at(31))
        found = asked_for(pace, now=at(31), rate=120)
        assert isinstance(found, Pace) and found.next_at == at(33)
        for _ in range(20):
            pace = after(pace, "delivered", share=1, now=at(60), rate=120)
        assert pace.spacing == 0.0
        again = asked_for(pace, now=at(60), rate=120)
        assert isinstance(again, Pace) and again.next_at == at(60.5)

    def test_it_never_becomes_slower_than_the_slowest(self) -> None:
        pace = Pace()
        for _ in range(60):
            pace = after(pace, "throttled", share=1, now=NOW)
        assert pace.spacing == 300
        assert after(pace, "throttled", share=1, now=NOW, rate=0.1).spacing == 600, "but as slow as its file says"


@given(
    st.lists(st.tuples(st.sampled_from(OUTCOMES), st.integers(0, 9), st.floats(0, 5000), st.booleans()), max_size=60)
)
def test_a_circuit_never_stays_open_for_good(steps: list[tuple[Outcome, int, float, bool]]) -> None:
    """Whatever comes in whatever order: within a day and the last wait someone may try, and one success closes it."""
    pace, moment = Pace(), NOW
    for outcome, share, seconds, tries in steps:
        moment += timedelta(seconds=seconds)
        if tries and pace.is_open and pace.until(moment) is None:
            pace = replace(pace, trying=share, try_at=moment + timedelta(seconds=40))
        pace = after(pace, outcome, share=share, now=moment)
        until = pace.until(moment)
        assert until is None or until - moment <= timedelta(minutes=15)
        assert pace.is_open == (pace.try_at is not None)
    assert not after(pace, "delivered", share=1, now=moment).is_open
