"""A database of an earlier version is brought to this one, and what was in it still holds."""

from __future__ import annotations

import pytest
from alembic import command

from adapter.errors import Misconfigured
from adapter.store import tokens
from adapter.store.database import Store, _config, _scripts
from adapter.store.seal import Keys
from tests.store.conftest import NOW, Place


def test_tokens_of_the_first_version_go_on_and_name_no_source(empty: Place, keys: Keys) -> None:
    """From 0001: refused with a sentence until it is upgraded; then the token opens what it opened."""
    store = Store.open(empty.url, keys)
    with store.writing() as tx:
        config = _config()
        config.attributes["connection"] = tx.connection
        command.upgrade(config, "0001")
        tx.connection.exec_driver_sql(
            "INSERT INTO tokens (digest, role, partner, label, created_at) VALUES "
            f"({_hex(empty, tokens._digest('csp_earlier'))}, 'source', '', 'case system', '2026-11-02 09:30:00')"
        )
    with pytest.raises(Misconfigured, match=r"earlier version \(0001, .*run `adapter db upgrade`"):
        store.check()
    before, after = store.upgrade()
    assert (before, after) == ("0001", _scripts().get_current_head())
    assert store.upgrade() == (after, after)
    store.check()
    with store.writing() as tx:
        found = tokens.find(tx, "csp_earlier", now=NOW)
        assert found is not None
        assert (found.role, found.label, found.source) == ("source", "case system", "")
        made = tokens.new(tx, role="source", source="intake-form", now=NOW)
        other = tokens.find(tx, made, now=NOW)
        assert other is not None
        assert other.source == "intake-form"
        assert [issued.source for issued in tokens.listed(tx)] == ["", "intake-form"]
    store.close()


def _hex(place: Place, value: bytes) -> str:
    return f"'\\x{value.hex()}'" if place.backend == "postgresql" else f"x'{value.hex()}'"
