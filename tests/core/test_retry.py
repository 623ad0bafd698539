"""What follows an attempt: one table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, get_args

import pytest

from adapter.core.retry import NextStep, Outcome, Settled, Stopped, TryAgain, next_step, together

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def after(**wait: float) -> TryAgain:
    return TryAgain(NOW + timedelta(**wait))


def ago(**time: float) -> datetime:
    return NOW - timedelta(**time)


@pytest.mark.parametrize(
    ("outcome", "given", "expected"),
    [
        pytest.param("delivered", {}, Settled(), id="delivered is settled"),
        pytest.param("unchanged", {}, Settled(), id="unchanged is settled"),
        pytest.param("existing", {}, after(), id="what was found there is updated at once"),
        pytest.param("rejected", {}, Stopped("rejected"), id="rejected waits for a change"),
        pytest.param("ambiguous", {}, Stopped("ambiguous"), id="ambiguous waits for a person"),
        pytest.param("stopped", {}, Stopped("stopped"), id="a stop by us waits for a person"),
        pytest.param("unknown", {}, after(seconds=5), id="unknown is tried again after half of ten seconds"),
        pytest.param("unavailable", {"attempts": 2}, after(seconds=10), id="the second wait is twice as long"),
        pytest.param("unavailable", {"attempts": 5}, after(seconds=80), id="the fifth is sixteen times as long"),
        pytest.param("unavailable", {"attempts": 50}, after(minutes=7.5), id="no wait is longer than a quarter hour"),
        pytest.param("unavailable", {"attempts": 10**9, "jitter": 0.999}, after(seconds=899.1), id="nothing overflows"),
        pytest.param("conflict", {"jitter": 0.0}, after(seconds=1), id="the shortest wait is a second"),
        pytest.param("version", {"attempts": 0}, after(seconds=5), id="no attempt counts as the first"),
        pytest.param("unauthorised", {}, after(seconds=5), id="a token that is refused is tried again"),
        pytest.param("throttled", {"retry_after": timedelta(minutes=2)}, after(seconds=125), id="Retry-After is added"),
        pytest.param(
            "throttled", {"retry_after": timedelta(seconds=-9)}, after(seconds=5), id="less than no wait is none"
        ),
        pytest.param(
            "throttled",
            {"retry_after": timedelta(days=999)},
            after(days=1, seconds=5),
            id="a day is the longest asked for",
        ),
        pytest.param("unknown", {"failing_since": ago(hours=95)}, after(seconds=5), id="after 95 hours it goes on"),
        pytest.param("unknown", {"failing_since": ago(hours=96)}, Stopped("gave up"), id="after 96 hours it stops"),
        pytest.param(
            "throttled",
            {"failing_since": ago(hours=95), "retry_after": timedelta(hours=5)},
            after(hours=1),
            id="the last attempt is at the end of the 96 hours",
        ),
        pytest.param("delivered", {"failing_since": ago(hours=200)}, Settled(), id="late success is success"),
    ],
)
def test_what_follows(outcome: Outcome, given: dict[str, Any], expected: NextStep) -> None:
    """exchange.md, *Delivery*: each outcome has its rule; jitter is a half here, where a row does not say."""
    assert next_step(outcome, **{"attempts": 1, "failing_since": None, "now": NOW, "jitter": 0.5, **given}) == expected


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_a_step(outcome: Outcome) -> None:
    """The list is closed, and the window ends whatever is still failing."""
    step = next_step(outcome, attempts=9, failing_since=ago(hours=99), now=NOW, jitter=0.1)
    assert isinstance(step, Settled | TryAgain | Stopped)
    assert not isinstance(step, TryAgain) or outcome in ("existing", "unsupported")


def test_one_outcome_stands_for_many() -> None:
    """A share is settled only if nothing is left; what can be repeated is repeated before anything stops."""
    assert together([]) == "unchanged"
    assert together(["delivered", "existing", "delivered"]) == "existing"
    assert together(["rejected", "unknown", "delivered"]) == "unknown"
    assert together(["rejected", "delivered"]) == "rejected"
    for first, second in combinations(get_args(Outcome), 2):
        assert together([first, second]) == together([second, first]) in (first, second)
