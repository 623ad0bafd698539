"""A share is claimed by one worker at a time, told apart by its fence, and never lost between two states."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from adapter.store import cases, shares
from adapter.store.database import Store, Tx
from adapter.store.shares import Share
from tests.store.conftest import NOW

LEASE = timedelta(seconds=30)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def claimed(tx: Tx, at: datetime = NOW, lease: timedelta = LEASE) -> Share:
    found = shares.claim(tx, worker="w", now=at, lease=lease)
    assert found is not None
    return found


def due(tx: Tx, case_id: str, *partners: str) -> None:
    shares.ensure(tx, case_id, partners, now=NOW)
    shares.mark_due(tx, case_id=case_id, now=NOW)


def only(tx: Tx, case_id: str) -> Share:
    [found] = shares.of_case(tx, case_id)
    return found


def test_a_new_share_is_idle_and_is_made_once(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        shares.ensure(tx, case_id, ["school", "hospital", "school"], now=NOW)
        first = shares.of_case(tx, case_id)
        shares.ensure(tx, case_id, ["school", "clinic"], now=after(1))
        shares.ensure(tx, case_id, [], now=after(1))
        second = shares.of_case(tx, case_id)
        assert [(share.partner, share.state, share.due) for share in first] == [
            ("hospital", "idle", None),
            ("school", "idle", None),
        ]
        assert [share.partner for share in second] == ["clinic", "hospital", "school"]
        assert second[1:] == first
        assert shares.claim(tx, worker="w", now=NOW, lease=LEASE) is None
        assert shares.next_due(tx) is None


def test_a_due_share_is_claimed_once_then_settled_until_its_next_due_time(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        assert (share.case_id, share.partner, share.state, share.fence) == (case_id, "school", "working", 1)
        assert (share.lease_until, share.updated_at) == (after(30), NOW)
        assert shares.claim(tx, worker="w", now=after(29), lease=LEASE) is None
        assert shares.settle(tx, share, due=after(60), outcome="delivered", detail="3 sent", alarms=["ends soon"])
        settled = only(tx, case_id)
        assert (settled.state, settled.due, settled.outcome, settled.detail) == (
            "idle",
            after(60),
            "delivered",
            "3 sent",
        )
        assert (settled.alarms, settled.lease_until, settled.attempts) == (("ends soon",), None, 0)
        assert shares.next_due(tx) == after(60)
        assert shares.claim(tx, worker="w", now=after(59), lease=LEASE) is None
        assert claimed(tx, after(60)).fence == 2


def test_the_share_that_has_been_due_longest_comes_first(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        shares.ensure(tx, case_id, ["a", "b", "c"], now=NOW)
        for partner, when in (("a", 3), ("b", 1), ("c", 2)):
            shares.mark_due(tx, case_id=case_id, partner=partner, now=after(when))
        assert [claimed(tx, after(9)).partner for _ in range(3)] == ["b", "c", "a"]


def test_partners_that_are_not_to_be_called_are_skipped(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "a", "b")
        found = shares.claim(tx, worker="w", now=NOW, lease=LEASE, skip={"a"})
        assert found is not None
        assert found.partner == "b"
        assert shares.claim(tx, worker="w", now=NOW, lease=LEASE, skip={"a"}) is None
        assert (shares.next_due(tx), shares.next_due(tx, skip={"a"})) == (NOW, after(30))
        assert shares.next_due(tx, skip={"a", "b"}) is None


def test_a_share_marked_while_being_worked_on_is_due_again_when_settled(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        shares.mark_due(tx, case_id=case_id, now=after(1))
        assert only(tx, case_id).state == "working"
        assert shares.claim(tx, worker="w", now=after(2), lease=LEASE) is None
        assert shares.settle(tx, share, due=after(9999), outcome="delivered")
        assert (only(tx, case_id).state, only(tx, case_id).due) == ("due", after(1))
        again = claimed(tx, after(2))
        assert shares.settle(tx, again, due=after(9999), outcome="unchanged")
        assert (only(tx, case_id).state, only(tx, case_id).due) == ("idle", after(9999))


def test_a_share_marked_while_it_is_being_stopped_is_due_again(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        shares.mark_due(tx, case_id=case_id, now=after(1))
        assert shares.stop(tx, share, outcome="stopped", alarms=["last look"])
        assert (only(tx, case_id).state, only(tx, case_id).alarms) == ("due", ("last look",))
        assert claimed(tx, after(1)).fence == 2


def test_edits_are_gathered_from_the_first_one_on(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        shares.ensure(tx, case_id, ["school"], now=NOW)
        for second in range(5):
            shares.mark_due(tx, case_id=case_id, now=after(second), at=after(second + 10))
        assert only(tx, case_id).due == after(10)
        share = claimed(tx, after(10))
        for second in range(11, 14):
            shares.mark_due(tx, case_id=case_id, now=after(second), at=after(second + 10))
        assert shares.settle(tx, share, due=None, outcome="delivered")
        assert only(tx, case_id).due == after(21)


def test_settling_keeps_the_earlier_of_a_mark_ahead_and_the_next_change(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        shares.mark_due(tx, case_id=case_id, now=after(1), at=after(100))
        assert shares.settle(tx, share, due=after(50), outcome="delivered")
        assert only(tx, case_id).due == after(50)


def test_a_postponed_share_waits_counts_and_remembers_since_when(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        assert shares.postpone(tx, claimed(tx), at=after(10), outcome="unavailable", detail="no connection")
        waiting = only(tx, case_id)
        assert (waiting.state, waiting.due, waiting.attempts, waiting.failing_since) == ("waiting", after(10), 1, NOW)
        assert shares.claim(tx, worker="w", now=after(9), lease=LEASE) is None
        assert shares.postpone(tx, claimed(tx, after(10)), at=after(30), outcome="unavailable", now=after(11))
        assert (only(tx, case_id).attempts, only(tx, case_id).failing_since) == (2, NOW)
        assert shares.settle(tx, claimed(tx, after(30)), due=None, outcome="delivered")
        assert (only(tx, case_id).attempts, only(tx, case_id).failing_since) == (0, None)


def test_a_change_does_not_move_the_next_attempt_at_a_partner_that_fails(store: Store, case_id: str) -> None:
    """Else a partner could tell from when it is called that something it may not see was saved."""
    with store.writing() as tx:
        due(tx, case_id, "school")
        shares.postpone(tx, claimed(tx), at=after(10), outcome="throttled")
        for when in (after(1), after(12)):
            shares.mark_due(tx, case_id=case_id, now=when)
            assert (only(tx, case_id).state, only(tx, case_id).due) == ("waiting", after(10))
        assert claimed(tx, after(12)).attempts == 1


def test_a_stopped_share_rests_until_something_changes(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        shares.postpone(tx, claimed(tx), at=after(1), outcome="rejected")
        assert shares.stop(
            tx, claimed(tx, after(1)), outcome="stopped", detail="96 h", alarms=["gave up"], refused="abc"
        )
        stopped = only(tx, case_id)
        assert (stopped.state, stopped.due, stopped.attempts, stopped.refused) == ("stopped", None, 1, "abc")
        assert shares.claim(tx, worker="w", now=after(9999), lease=LEASE) is None
        assert shares.next_due(tx) is None
        shares.mark_due(tx, case_id=case_id, now=after(5))
        revived = only(tx, case_id)
        assert (revived.state, revived.due, revived.attempts, revived.failing_since) == ("due", after(5), 0, None)
        assert (revived.refused, revived.alarms) == ("abc", ("gave up",))
        assert claimed(tx, after(5)).refused == "abc"


@pytest.mark.parametrize("how", ["waiting", "stopped", "idle", "working"])
def test_a_person_can_have_it_tried_now(store: Store, case_id: str, how: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        match how:
            case "waiting":
                shares.postpone(tx, share, at=after(900), outcome="unavailable")
            case "stopped":
                shares.stop(tx, share, outcome="stopped", refused="abc")
            case "idle":
                shares.settle(tx, share, due=None, outcome="rejected", refused="abc")
        assert shares.retry(tx, case_id, "school", now=after(1))
        if how == "working":
            assert shares.settle(tx, share, due=None, outcome="delivered")
        again = claimed(tx, after(1))
        assert (again.attempts, again.failing_since, again.refused) == (0, None, "")
        assert not shares.retry(tx, case_id, "nobody", now=NOW)


def test_after_its_lease_a_share_is_taken_over_and_its_first_worker_can_do_nothing(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        first = claimed(tx)
        assert shares.still_mine(tx, first)
        assert shares.next_due(tx) == after(30)
        second = claimed(tx, after(30))
        assert (second.fence, second.attempts, second.failing_since) == (2, 1, NOW)
        assert not shares.still_mine(tx, first)
        assert not shares.settle(tx, first, due=None, outcome="delivered")
        assert not shares.postpone(tx, first, at=after(99), outcome="unavailable")
        assert not shares.stop(tx, first, outcome="stopped")
        assert not shares.renew(tx, first, now=after(30), lease=LEASE)
        assert only(tx, case_id) == second
        assert shares.still_mine(tx, second)


def test_a_settled_share_cannot_be_settled_again(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        assert shares.settle(tx, share, due=None, outcome="delivered")
        assert not shares.still_mine(tx, share)
        assert not shares.postpone(tx, share, at=after(1), outcome="late")


def test_a_renewed_lease_lasts_longer(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        assert shares.renew(tx, share, now=after(20), lease=LEASE)
        assert shares.claim(tx, worker="w", now=after(49), lease=LEASE) is None
        assert claimed(tx, after(50)).fence == 2


def test_a_worker_notices_that_the_case_has_changed(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        assert shares.still_mine(tx, share, version=1)
        cases.put(tx, "C-1", {"consent": "revoked"}, {}, now=NOW)
        assert not shares.still_mine(tx, share, version=1)
        assert shares.still_mine(tx, share, version=2)
        assert shares.still_mine(tx, share)


def test_a_paused_partner_is_left_alone_with_what_comes_new(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school", "clinic")
        shares.pause(tx, "school", now=NOW)
        shares.pause(tx, "school", now=NOW)
        other, _ = cases.put(tx, "C-2", {}, {}, now=NOW)
        due(tx, other.id, "school")
        assert shares.paused(tx, "school")
        assert not shares.paused(tx, "clinic")
        assert claimed(tx, after(1)).partner == "clinic"
        assert shares.claim(tx, worker="w", now=after(1), lease=LEASE) is None
        assert {share.state for share in shares.listed(tx, partner="school")} == {"paused"}
        shares.resume(tx, "school", now=after(2))
        assert not shares.paused(tx, "school")
        assert {claimed(tx, after(2)).case_id for _ in range(2)} == {case_id, other.id}


def test_pausing_lets_a_worker_finish_and_nobody_follow(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        share = claimed(tx)
        shares.pause(tx, "school", now=after(1))
        assert only(tx, case_id).state == "working"
        assert shares.still_mine(tx, share)
        assert shares.renew(tx, share, now=after(2), lease=LEASE)
        assert shares.claim(tx, worker="w", now=after(999), lease=LEASE) is None
        assert shares.next_due(tx) is None
        assert shares.settle(tx, share, due=after(5), outcome="delivered")
        assert only(tx, case_id).state == "paused"
        assert shares.claim(tx, worker="w", now=after(999), lease=LEASE) is None
        shares.resume(tx, "school", now=after(10))
        assert claimed(tx, after(10)).fence == 2


def test_a_worker_that_died_during_a_pause_is_followed_after_it(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        due(tx, case_id, "school")
        claimed(tx)
        shares.pause(tx, "school", now=after(1))
        shares.resume(tx, "school", now=after(2))
        assert shares.claim(tx, worker="w", now=after(29), lease=LEASE) is None
        assert claimed(tx, after(30)).fence == 2


def test_resuming_at_a_pace_spreads_what_is_due(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        for number in range(3):
            due(tx, cases.put(tx, f"P-{number}", {}, {}, now=NOW)[0].id, "school")
        shares.pause(tx, "school", now=NOW)
        shares.resume(tx, "school", now=after(100), pace=timedelta(seconds=10))
        for when in (100, 110, 120):
            assert claimed(tx, after(when), lease=timedelta(hours=1)).partner == "school"
            assert shares.claim(tx, worker="w", now=after(when + 9), lease=LEASE) is None


def test_shares_are_listed_by_partner_and_by_state(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        shares.ensure(tx, case_id, ["a", "b", "c", "d"], now=NOW)
        for partner in "ab":
            shares.mark_due(tx, case_id=case_id, partner=partner, now=NOW)
        shares.stop(tx, claimed(tx), outcome="stopped")
        shares.pause(tx, "c", now=NOW)
        by_state = {
            state: [share.partner for share in shares.listed(tx, state=state)]  # type: ignore[arg-type]
            for state in ("idle", "due", "working", "waiting", "paused", "stopped")
        }
        assert by_state == {
            "idle": ["d"],
            "due": ["b"],
            "working": [],
            "waiting": [],
            "paused": ["c"],
            "stopped": ["a"],
        }
        assert [share.partner for share in shares.listed(tx, partner="b")] == ["b"]
        first = shares.listed(tx, limit=3)
        assert [share.partner for share in shares.listed(tx, limit=3, after=first[-1].id)] == ["d"]


def test_all_of_a_partners_shares_can_be_marked_due(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        shares.ensure(tx, case_id, ["a", "b"], now=NOW)
        other, _ = cases.put(tx, "C-2", {}, {}, now=NOW)
        shares.ensure(tx, other.id, ["a", "b"], now=NOW)
        shares.mark_due(tx, partner="a", now=NOW)
        assert {share.partner for share in shares.listed(tx, state="due")} == {"a"}
        with pytest.raises(TypeError):
            shares.mark_due(tx, now=NOW)


def test_many_idle_shares_cost_a_claim_one_look_at_an_index(store: Store, case_id: str) -> None:
    """The plan that the database makes for the claim, with thirty thousand idle shares of which none is due."""
    with store.writing() as tx:
        tx.connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000) "
            "INSERT INTO shares (case_id, partner, state, held, marked, taken, fence, worker, attempts, outcome, "
            "detail, refused, alarms, updated_at) "
            f"SELECT '{case_id}', 'p' || i, 'idle', false, 0, 0, 0, '', 0, '', '', '', '[]', '2026-01-01' FROM n"
        )
        tx.connection.exec_driver_sql("ANALYZE")
    plans = []
    with store.writing() as tx:
        sqlite = tx.connection.dialect.name == "sqlite"

        def explain(
            connection: sa.Connection, cursor: object, statement: str, parameters: object, _context: object, _many: bool
        ) -> None:
            if "MATERIALIZED" in statement:
                asked = connection.connection.cursor()
                asked.execute(("EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN ") + statement, parameters)
                plans.append("\n".join(str(row) for row in asked.fetchall()))

        event.listen(tx.connection, "before_cursor_execute", explain)
        assert shares.claim(tx, worker="w", now=NOW, lease=LEASE) is None
    [plan] = plans
    assert "ix_shares_turn_id" in plan
    assert "SCAN shares" not in plan
    assert "Seq Scan on shares" not in plan
