"""A token opens what its role says until it is revoked, and stands nowhere."""

from __future__ import annotations

from dataclasses import fields

import pytest

from adapter.errors import Refused
from adapter.store import tokens
from adapter.store.database import Store
from adapter.store.tokens import Principal
from tests.store.conftest import NOW


def test_a_token_is_found_until_it_is_revoked(store: Store) -> None:
    with store.writing() as tx:
        one = tokens.new(tx, role="source", label="case system", now=NOW)
        other = tokens.new(tx, role="partner", partner="school", now=NOW)
        found = tokens.find(tx, one, now=NOW)
        assert found is not None
        assert found == Principal(found.id, "source", "", "case system")
        assert tokens.revoke(tx, found.id, NOW)
        assert tokens.find(tx, one, now=NOW) is None
        assert not tokens.revoke(tx, found.id, now=NOW)
        still = tokens.find(tx, other, now=NOW)
        assert still is not None
        assert (still.role, still.partner) == ("partner", "school")
        assert [(issued.role, issued.revoked_at) for issued in tokens.listed(tx)] == [
            ("source", NOW),
            ("partner", None),
        ]


@pytest.mark.parametrize("token", ["", "csp_", "csp_" + "A" * 43, "\0", "\ud800", "é" * 10_000])
def test_a_token_that_was_never_given_out_is_nobodys(store: Store, token: str) -> None:
    with store.writing() as tx:
        tokens.new(tx, role="admin", now=NOW)
        assert tokens.find(tx, token, now=NOW) is None


def test_a_token_is_long_random_and_kept_only_as_a_digest(store: Store) -> None:
    with store.writing() as tx:
        made = {tokens.new(tx, role="admin", now=NOW) for _ in range(20)}
        rows = tx.connection.exec_driver_sql("SELECT * FROM tokens").all()
    assert len(made) == 20
    assert all(token.startswith("csp_") and len(token) == 47 for token in made)
    assert not [row for row in rows for token in made if token in str(row) or token[4:].encode() in str(row).encode()]
    assert "token" not in {field.name for field in fields(tokens.Issued)}


@pytest.mark.parametrize(
    ("role", "partner", "pointer"),
    [
        pytest.param("root", "", "/role", id="an unknown role"),
        pytest.param("partner", "", "/partner", id="a partner without a name"),
        pytest.param("admin", "school", "/partner", id="a partner for another role"),
    ],
)
def test_a_role_that_does_not_fit_is_refused(store: Store, role: str, partner: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused, store.writing() as tx:
        tokens.new(tx, role=role, partner=partner, now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == [pointer]


@pytest.mark.parametrize("role", ["coordinator", "admin", "partner"])
def test_a_source_belongs_to_the_role_source(store: Store, role: str) -> None:
    partner = "school" if role == "partner" else ""
    with pytest.raises(Refused) as refused, store.writing() as tx:
        tokens.new(tx, role=role, partner=partner, source="intake-form", now=NOW)
    assert [problem.pointer for problem in refused.value.problems] == ["/source"]
