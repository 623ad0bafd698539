"""Each leak channel of consent.md over the whole application: hundreds of markers, none where it may not be."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.journeys.leaks import channels
from tests.journeys.leaks.instance import PARTNERS, instance
from tests.journeys.leaks.planting import Planting, problems
from tests.journeys.leaks.report import report, run
from tests.journeys.leaks.search import found, wrapped
from tests.journeys.leaks.story import Finds, Story

IN_STORIES = {
    "requests to partners: addresses and headers",
    "requests to partners: bodies",
    "what a partner still holds of a deleted case",
}


@pytest.mark.timeout(600)
def test_no_marker_is_found_where_its_reader_may_not_see_it() -> None:
    """Put, refused, narrowed, failed in every way, revoked, deleted; every channel read; 0 found."""
    finds = run(300, 1, read=2)
    print(report(finds, 0))
    assert finds.leaks == []
    assert set(finds.searched) == IN_STORIES | set(channels.CHANNELS)
    assert min(finds.searched.values()) > 500


def test_markers_really_leave_where_they_may(tmp_path: Path) -> None:
    """Else nothing would be found because nothing is sent: each partner receives markers, of every kind of them."""
    planting = Planting()
    cases = [case for seed in range(16) if (case := planting.generated(seed))]
    assert [problem for case in cases for problem in problems(case)] == []
    with instance(tmp_path / "agency", deep=False) as i:
        Story(i, Finds(planting), Random(2)).begins(cases)
        arrived = {p: found(b"".join(seen.body for seen in i.seen(p))) & planting.leaves.keys() for p in PARTNERS}
    assert all(arrived.values())
    places = Counter(planting.leaves[token].place.split("/")[0] for tokens in arrived.values() for token in tokens)
    assert {"child", "people", "goals", "care_plans", "needs", "providers"} <= places.keys()
    assert len({token for tokens in arrived.values() for token in tokens}) < len(planting.leaves) / 2


@pytest.mark.parametrize("how", wrapped("qzbcdfghjx"))
def test_the_search_sees_a_marker_through(how: str) -> None:
    assert "qzbcdfghjx" in found(b'{"a": "' + wrapped("qzbcdfghjx")[how] + b'"}')
