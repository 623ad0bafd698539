"""The account of disclosures can only grow, and shows every line that was changed, removed, added or put elsewhere."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.errors import Misconfigured
from adapter.store import cases, disclosures
from adapter.store.database import Store, Tx
from adapter.store.disclosures import Line
from adapter.store.seal import Keys
from tests.store.conftest import NOW, Place

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
clear = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
lists = st.lists(words, max_size=3).map(tuple)
lines = st.builds(
    Line,
    at=st.timedeltas(timedelta(0), timedelta(days=9999)).map(lambda step: NOW + step),
    partner=clear,
    purpose=words,
    kind=clear,
    request_id=words,
    operation=words,
    resource_type=words,
    urn=words,
    about=words,
    parts=lists,
    topics=lists,
    consents=lists,
    outcome=words,
)
LINE = Line(
    at=NOW,
    partner="school",
    purpose="care-coordination",
    kind="attempted",
    request_id="r1",
    operation="create",
    resource_type="Goal",
    urn="urn:uuid:1",
    about="goals/g1",
    parts=("goals",),
    topics=(),
    consents=("consents/c1@3",),
    outcome="",
)


def numbered(*outcomes: str) -> list[Line]:
    return [replace(LINE, outcome=outcome) for outcome in outcomes]


def unguarded(tx: Tx) -> None:
    """What someone with the database in hand can do: take the triggers away."""
    if tx.connection.dialect.name == "sqlite":
        for verb in ("update", "delete"):
            tx.connection.exec_driver_sql(f"DROP TRIGGER disclosures_no_{verb}")
    else:
        tx.connection.exec_driver_sql("ALTER TABLE disclosures DISABLE TRIGGER USER")


@given(first=st.lists(lines, max_size=4), second=st.lists(lines, max_size=4))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lines_read_back_as_appended_in_a_chain_that_holds(store: Store, first: list[Line], second: list[Line]) -> None:
    with store.writing() as tx:
        case, _ = cases.put(tx, f"C-{cases.count(tx)}", {}, {}, now=NOW)
        disclosures.append(tx, case.id, first)
        disclosures.append(tx, case.id, second)
        account = disclosures.of_case(tx, case.id)
        assert [entry.line for entry in account] == first + second
        assert [entry.seq for entry in account] == list(range(1, len(account) + 1))
        assert [entry.previous for entry in account[1:]] == [entry.hash for entry in account[:-1]]
        assert disclosures.verify(tx, case.id) == []
        if account:
            assert disclosures.heads(tx)[case.id] == (account[-1].seq, account[-1].hash)


def test_an_account_is_read_page_by_page(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1", "2", "3", "4", "5"))
        found = [entry.line.outcome for entry in disclosures.of_case(tx, case_id, after=1, limit=3)]
        assert found == ["2", "3", "4"]


def test_a_case_without_an_account_is_intact(store: Store, case_id: str) -> None:
    with store.reading() as tx:
        assert (disclosures.of_case(tx, case_id), disclosures.verify(tx, case_id)) == ([], [])
        assert disclosures.heads(tx) == {}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE disclosures SET partner = 'clinic'",
        "UPDATE disclosures SET partner = partner",
        "DELETE FROM disclosures",
        "DELETE FROM disclosures WHERE seq = 2",
    ],
)
def test_the_database_refuses_to_change_or_delete_a_line(store: Store, case_id: str, change: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1", "2"))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
        tx.connection.exec_driver_sql(change)
    with store.reading() as tx:
        assert [entry.line.outcome for entry in disclosures.of_case(tx, case_id)] == ["1", "2"]


def test_the_database_refuses_to_replace_or_truncate(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1"))
        sqlite = tx.connection.dialect.name == "sqlite"
    change = "INSERT OR REPLACE INTO disclosures SELECT * FROM disclosures" if sqlite else "TRUNCATE disclosures"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), store.writing() as tx:
        tx.connection.exec_driver_sql(change)


def test_no_statement_of_ours_changes_or_deletes_a_line() -> None:
    statements = [value for value in vars(disclosures).values() if isinstance(value, (sa.Update, sa.Delete))]
    assert [statement.table.name for statement in statements] == ["chains"]


TAMPERING = {
    "a partner edited": ("UPDATE disclosures SET partner = 'clinic' WHERE seq = 2", "in clear than under seal"),
    "a time edited": ("UPDATE disclosures SET at = '2020-01-01 00:00:00.000000' WHERE seq = 2", "in clear than under"),
    "a kind edited": ("UPDATE disclosures SET kind = 'look' WHERE seq = 2", "in clear than under seal"),
    "the sealed line replaced by another one's": (
        "UPDATE disclosures SET sealed = (SELECT sealed FROM disclosures WHERE seq = 3) WHERE seq = 2",
        "Line 2 does not open",
    ),
    "the content hash edited": ("UPDATE disclosures SET content_hash = hash WHERE seq = 2", "Line 2 has a link"),
    "a link edited": ("UPDATE disclosures SET hash = content_hash WHERE seq = 2", "Line 2 has a link"),
    "the link to the line before edited": ("UPDATE disclosures SET previous = hash WHERE seq = 2", "Line 2 does not"),
    "a line removed from the middle": ("DELETE FROM disclosures WHERE seq = 2", "Lines 2 to 2 are missing"),
    "the first line removed": ("DELETE FROM disclosures WHERE seq = 1", "Lines 1 to 1 are missing"),
    "the last line removed": ("DELETE FROM disclosures WHERE seq = 4", "ends at line 3, but line 4"),
    "every line removed": ("DELETE FROM disclosures", "ends at line 0, but line 4"),
    "the record of the last line set back": ("UPDATE chains SET seq = 3", "not written by this adapter"),
    "the record of the last line removed": ("DELETE FROM chains", "record of the last line is missing"),
}


@pytest.mark.parametrize(("change", "sentence"), TAMPERING.values(), ids=TAMPERING.keys())
def test_tampering_shows(store: Store, case_id: str, change: str, sentence: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1", "2", "3", "4"))
        unguarded(tx)
        tx.connection.exec_driver_sql(change)
        assert [found for found in disclosures.verify(tx, case_id) if sentence in found]


def test_lines_put_in_another_order_show(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1", "2", "3", "4"))
        unguarded(tx)
        for old, new in ((2, 99), (3, 2), (99, 3)):
            tx.connection.exec_driver_sql(f"UPDATE disclosures SET seq = {new} WHERE seq = {old}")
        assert "Line 2 does not follow the line before it." in disclosures.verify(tx, case_id)


def test_a_whole_account_put_under_another_case_shows(store: Store, case_id: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1", "2"))
        other, _ = cases.put(tx, "C-2", {}, {}, now=NOW)
        unguarded(tx)
        tx.connection.exec_driver_sql(f"UPDATE disclosures SET case_id = '{other.id}'")
        assert "Line 1 does not follow the line before it." in disclosures.verify(tx, other.id)
        assert disclosures.verify(tx, case_id)


def test_a_tail_cut_off_with_an_older_record_of_the_last_line_shows_in_the_exported_head(
    store: Store, case_id: str
) -> None:
    """What the database alone cannot show, the heads exported each day do."""
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1"))
        kept = tx.connection.exec_driver_sql("SELECT seq, hash, witness FROM chains").one()
        disclosures.append(tx, case_id, numbered("2"))
        exported = disclosures.heads(tx)
        unguarded(tx)
        tx.connection.exec_driver_sql("DELETE FROM disclosures WHERE seq = 2")
        tx.connection.execute(sa.text("UPDATE chains SET seq = :seq, hash = :hash, witness = :witness"), kept._asdict())
        assert disclosures.verify(tx, case_id) == []
        assert disclosures.heads(tx) != exported


def test_the_chain_survives_new_keys(place: Place, keys: Keys) -> None:
    before = Store.open(place.url, keys)
    with before.writing() as tx:
        case, _ = cases.put(tx, "C-1", {}, {}, now=NOW)
        disclosures.append(tx, case.id, numbered("1"))
    before.close()
    after = Store.open(place.url, keys.rotated())
    with after.writing() as tx:
        disclosures.append(tx, case.id, numbered("2"))
        assert disclosures.verify(tx, case.id) == []
        assert [entry.line.outcome for entry in disclosures.of_case(tx, case.id)] == ["1", "2"]
    after.close()


def test_equal_lines_leave_different_hashes(store: Store, case_id: str) -> None:
    """So that nobody can find out what a line says by hashing guesses."""
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1", "1"))
        hashes = tx.connection.exec_driver_sql("SELECT content_hash FROM disclosures").scalars().all()
    assert len(set(hashes)) == 2


def test_with_other_keys_no_line_opens(place: Place, store: Store, case_id: str) -> None:
    with store.writing() as tx:
        disclosures.append(tx, case_id, numbered("1"))
    other = Store.open(place.url, Keys.generate())
    with other.reading() as tx:
        assert "Line 1 does not open" in disclosures.verify(tx, case_id)[0]
        with pytest.raises(Misconfigured):
            disclosures.of_case(tx, case_id)
    other.close()


def test_two_who_append_at_once_make_one_chain(store: Store, case_id: str) -> None:
    def append(number: int) -> None:
        for turn in range(5):
            with store.writing() as tx:
                disclosures.append(tx, case_id, numbered(f"{number}-{turn}-a", f"{number}-{turn}-b"))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as tx:
        assert disclosures.verify(tx, case_id) == []
        assert len(disclosures.of_case(tx, case_id)) == 40


def test_the_latest_changes_at_one_partner_are_read_and_no_earlier_line_is_opened(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = NOW + timedelta(minutes=5)
    with store.writing() as tx:
        stored, _ = cases.put(tx, "C-1", {"case": "C-1"}, {}, now=NOW)
        disclosures.append(tx, stored.id, [replace(LINE, urn=f"urn:uuid:{number}") for number in range(50)])
        since = [
            replace(LINE, at=later), replace(LINE, at=later, partner="clinic"),
            replace(LINE, at=later, kind="look", partner=""), replace(LINE, at=later, kind="purge"),
            replace(LINE, at=later, kind="failed"),
        ]  # fmt: skip
        disclosures.append(tx, stored.id, since)
    opened: list[int] = []
    read = disclosures._content
    monkeypatch.setattr(disclosures, "_content", lambda tx, row: opened.append(row.seq) or read(tx, row))
    with store.reading() as tx:
        found = disclosures.changes_since(tx, stored.id, "school", later)
    assert [line.kind for line in found] == ["attempted", "failed"]
    assert opened == [51, 55]
