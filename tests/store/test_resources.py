"""What a partner wrote is kept in every version, found by what it was indexed by, and seen by nobody else."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from adapter.errors import Conflict, Misconfigured, PreconditionFailed
from adapter.store import resources
from adapter.store.database import Store, Tx
from tests.store.conftest import NOW
from tests.store.test_cases import bodies, texts


def made(tx: Tx, name: str, partner: str = "school", **indexed: list[str]) -> resources.Received:
    return resources.create(tx, partner, "Task", {"id": name}, id=name, now=NOW, indexed=indexed)


def ids(found: list[resources.Received]) -> list[str]:
    return [received.id for received in found]


@given(first=bodies, second=bodies, name=texts)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_version_reads_back_as_written(
    store: Store, first: dict[str, Any], second: dict[str, Any], name: str
) -> None:
    with store.writing() as tx:
        one = resources.update(tx, "school", "Task", name, first, now=NOW, indexed={})
        two = resources.update(tx, "school", "Task", name, second, now=NOW + timedelta(seconds=1), indexed={})
        assert (one.body, two.body, two.version) == (first, second, one.version + 1)
        assert resources.version(tx, "school", "Task", name, one.version) == one
        assert resources.read(tx, "school", "Task", name) == two
        assert resources.history(tx, "school", "Task", name)[:2] == [two, one]


def test_a_resource_is_created_once(store: Store) -> None:
    with store.writing() as tx:
        created = made(tx, "t1")
        assert (created.version, created.deleted, created.updated) == (1, False, NOW)
        with pytest.raises(Conflict):
            made(tx, "t1")
        resources.delete(tx, "school", "Task", "t1", now=NOW)
        with pytest.raises(Conflict):
            made(tx, "t1")


def test_a_deleted_resource_is_marked_not_found_by_search_and_may_come_back(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "t1", status=["requested"])
        gone = resources.delete(tx, "school", "Task", "t1", now=NOW + timedelta(seconds=1))
        assert gone is not None
        assert (gone.version, gone.deleted, gone.body) == (2, True, {})
        assert resources.read(tx, "school", "Task", "t1") == gone
        assert resources.delete(tx, "school", "Task", "t1", now=NOW) is None
        assert resources.delete(tx, "school", "Task", "never", now=NOW) is None
        assert resources.search(tx, "school", "Task", [("status", ["requested"])], limit=9) == []
        assert resources.search(tx, "school", "Task", [("_id", ["t1"])], limit=9) == []
        assert resources.count(tx, "school", "Task", []) == 0
        back = resources.update(tx, "school", "Task", "t1", {"again": True}, now=NOW, indexed={"status": ["accepted"]})
        assert (back.version, back.deleted) == (3, False)
        assert ids(resources.search(tx, "school", "Task", [("status", ["accepted"])], limit=9)) == ["t1"]


def test_search_needs_every_criterion_and_any_of_its_values(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "a", status=["requested"], patient=["Patient/1", "1"])
        made(tx, "b", status=["accepted"], patient=["Patient/1", "1"])
        made(tx, "c", status=["accepted"], patient=["Patient/2", "2"])
        made(tx, "d")
        found = {
            str(criteria): (
                ids(resources.search(tx, "school", "Task", criteria, limit=9)),
                resources.count(tx, "school", "Task", criteria),
            )
            for criteria in (
                [],
                [("status", ["accepted"])],
                [("status", ["accepted", "requested"])],
                [("status", ["accepted"]), ("patient", ["1"])],
                [("status", ["accepted"]), ("status", ["requested"])],
                [("patient", ["2", "1"]), ("_id", ["c", "b"])],
                [("patient", ["accepted"])],
                [("status", [])],
            )
        }
    assert list(found.values()) == [
        (["a", "b", "c", "d"], 4),
        (["b", "c"], 2),
        (["a", "b", "c"], 3),
        (["b"], 1),
        ([], 0),
        (["b", "c"], 2),
        ([], 0),
        ([], 0),
    ]


def test_an_update_is_found_by_what_it_says_now(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "a", status=["requested", "requested"])
        resources.update(tx, "school", "Task", "a", {}, now=NOW, indexed={"status": ["accepted"]})
        assert resources.count(tx, "school", "Task", [("status", ["requested"])]) == 0
        assert resources.count(tx, "school", "Task", [("status", ["accepted"])]) == 1


def test_search_goes_page_by_page_as_created(store: Store) -> None:
    with store.writing() as tx:
        for name in "edcba":
            made(tx, name, status=["requested"])
        pages, after = [], None
        while page := resources.search(tx, "school", "Task", [("status", ["requested"])], limit=2, after=after):
            pages.append(ids(page))
            after = page[-1].id
    assert pages == [["e", "d"], ["c", "b"], ["a"]]


def test_what_we_amend_stays_found_by_all_else_that_it_was(store: Store) -> None:
    """Our own address, left out of the partner's references, is not known to whoever amends."""
    with store.writing() as tx:
        made(tx, "t1", status=["requested"], focus=["ServiceRequest/s1", "s1"])
        later = NOW + timedelta(seconds=1)
        gone, come = {"status": ["requested"]}, {"status": ["accepted"], "focus": ["s1"]}
        amended = resources.amend(tx, "school", "Task", "t1", {"id": "t1", "n": 2}, now=later, gone=gone, come=come)
        assert (amended.version, amended.updated, amended.deleted) == (2, later, False)
        assert resources.read(tx, "school", "Task", "t1") == amended
        for parameter, value, there in (
            ("status", "accepted", True), ("status", "requested", False), ("focus", "ServiceRequest/s1", True),
            ("focus", "s1", True),
        ):  # fmt: skip
            found = resources.search(tx, "school", "Task", [(parameter, [value])], limit=9)
            assert ids(found) == (["t1"] if there else []), value
        for name in ("t2", "t1"):
            resources.delete(tx, "school", "Task", name, now=later)
            with pytest.raises(LookupError):
                resources.amend(tx, "school", "Task", name, {}, now=later, gone={}, come={})


def test_a_version_is_reworded_alone_and_keeps_the_hash_of_what_it_was(store: Store) -> None:
    with store.writing() as tx:
        one = made(tx, "t1", status=["requested"])
        two = resources.update(tx, "school", "Task", "t1", {"id": "t1", "say": "so"}, now=NOW, indexed={})
        resources.reword(tx, "school", "Task", "t1", 1, {"id": "t1", "say": "less"})
        before = resources.version(tx, "school", "Task", "t1", 1)
        assert before == replace(one, body={"id": "t1", "say": "less"})
        assert resources.read(tx, "school", "Task", "t1") == two
        with pytest.raises(LookupError):
            resources.reword(tx, "school", "Task", "t1", 3, {})
        with pytest.raises(LookupError):
            resources.reword(tx, "hospital", "Task", "t1", 1, {})


def test_each_partner_is_a_world_of_its_own(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "t1", partner="school", status=["requested"])
        made(tx, "t1", partner="clinic", status=["accepted"])
        resources.delete(tx, "clinic", "Task", "t1", now=NOW)
        kept = resources.read(tx, "school", "Task", "t1")
        assert kept is not None
        assert not kept.deleted
        assert ids(resources.search(tx, "school", "Task", [], limit=9)) == ["t1"]
        assert resources.search(tx, "clinic", "Task", [("status", ["requested"])], limit=9) == []
        assert resources.read(tx, "hospital", "Task", "t1") is None
        assert resources.read(tx, "school", "Goal", "t1") is None
        assert resources.version(tx, "school", "Task", "t1", 2) is None
        assert resources.history(tx, "hospital", "Task", "t1") == []


def test_equal_values_leave_no_equal_trace_at_two_partners(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "t1", partner="school", patient=["1"])
        made(tx, "t1", partner="clinic", patient=["1"])
        for column in ("SELECT term_index FROM resource_terms", "SELECT id_index FROM resources"):
            assert len(set(tx.connection.exec_driver_sql(column).scalars())) == 2


def test_a_version_that_is_not_the_expected_one_changes_nothing(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "t1")
        for expected in (0, 2):
            with pytest.raises(PreconditionFailed):
                resources.update(tx, "school", "Task", "t1", {}, now=NOW, indexed={}, if_version=expected)
            with pytest.raises(PreconditionFailed):
                resources.delete(tx, "school", "Task", "t1", now=NOW, if_version=expected)
        with pytest.raises(PreconditionFailed):
            resources.update(tx, "school", "Task", "new", {}, now=NOW, indexed={}, if_version=1)
        assert resources.update(tx, "school", "Task", "t1", {}, now=NOW, indexed={}, if_version=1).version == 2
        assert resources.delete(tx, "school", "Task", "t1", now=NOW, if_version=2) is not None


def test_the_hash_is_that_of_the_bytes_as_sent(store: Store) -> None:
    sent = b'{ "a": 1.00 }'
    with store.writing() as tx:
        received = resources.create(tx, "school", "Task", {"a": 1.0}, id="t1", now=NOW, indexed={}, sent=sent)
        assert received.hash == hashlib.sha256(sent).hexdigest()
        assert resources.read(tx, "school", "Task", "t1") == received


def test_the_latest_come_first_of_any_type(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "a")
        resources.create(tx, "school", "Goal", {}, id="b", now=NOW + timedelta(seconds=1), indexed={})
        made(tx, "c", partner="clinic")
        resources.delete(tx, "school", "Task", "a", now=NOW + timedelta(seconds=2))
        assert ids(resources.latest(tx, "school")) == ["a", "b"]
        assert ids(resources.latest(tx, "school", limit=1)) == ["a"]


def test_a_body_moved_to_another_version_does_not_open(store: Store) -> None:
    with store.writing() as tx:
        made(tx, "t1")
        resources.update(tx, "school", "Task", "t1", {}, now=NOW, indexed={})
        tx.connection.exec_driver_sql(
            "UPDATE resource_versions SET sealed = "
            "(SELECT sealed FROM resource_versions WHERE version = 1) WHERE version = 2"
        )
        with pytest.raises(Misconfigured):
            resources.read(tx, "school", "Task", "t1")


def test_writers_of_one_resource_each_make_a_version_of_their_own(store: Store) -> None:
    ready = threading.Barrier(4)
    versions: list[int] = []

    def write() -> None:
        ready.wait()
        for _ in range(5):
            with store.writing() as tx:
                made = resources.update(tx, "school", "Task", "t1", {}, now=NOW, indexed={"status": ["x"]})
            versions.append(made.version)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(versions) == list(range(1, 21))


def test_who_searches_and_then_creates_alone_creates_once(store: Store) -> None:
    """A conditional create, from four at once."""
    ready = threading.Barrier(4)

    def create(number: int) -> None:
        ready.wait()
        with store.writing() as tx:
            resources.alone(tx, "school")
            if not resources.search(tx, "school", "Task", [("identifier", ["x"])], limit=1):
                made(tx, f"t{number}", identifier=["x"])

    threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as tx:
        assert resources.count(tx, "school", "Task", [("identifier", ["x"])]) == 1
