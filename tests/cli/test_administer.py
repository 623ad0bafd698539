"""Tokens, partners, shares and the database of an instance, administered from the command line."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapter import keep, wiring
from adapter.show import shares
from adapter.store import tokens
from adapter.store.database import Store
from adapter.store.seal import Keys
from tests.cli.conftest import REPOSITORY, Run, printed


def principal(instance: Path, token: str) -> tokens.Principal | None:
    keys = Keys.parse((instance / "keys").read_text(encoding="utf-8"))
    store = Store.open(f"sqlite:///{instance}/adapter.db", keys)
    try:
        with store.reading() as tx:
            return tokens.find(tx, token, now=datetime.now(UTC))
    finally:
        store.close()


def test_token_new_prints_the_token_alone_and_it_opens(run: Run, instance: Path) -> None:
    result = run("--instance", instance, "token", "new", "--role", "source", "--label", "case system")
    assert result.exit_code == 0
    token = result.stdout.removesuffix("\n")
    assert "\n" not in token
    found = principal(instance, token)
    assert found is not None
    assert (found.role, found.partner, found.label) == ("source", "", "case system")
    assert token not in run("--instance", instance, "token", "list").stdout


def test_a_partners_token_is_that_partners(run: Run, instance: Path) -> None:
    result = run("--instance", instance, "token", "new", "--role", "partner", "--partner", "lakeside")
    found = principal(instance, result.stdout.strip())
    assert found is not None
    assert (found.role, found.partner) == ("partner", "lakeside")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--role", "partner"), id="a partner's token names none"),
        pytest.param(("--role", "source", "--partner", "lakeside"), id="another role names a partner"),
        pytest.param(("--role", "partner", "--partner", "nobody"), id="a partner that is not configured"),
        pytest.param(("--role", "king"), id="a role that is none"),
        pytest.param((), id="no role"),
    ],
)
def test_a_token_that_would_fit_nobody_is_not_given_out(run: Run, instance: Path, arguments: tuple[str, ...]) -> None:
    result = run("--instance", instance, "token", "new", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_revoked_token_opens_nothing(run: Run, instance: Path) -> None:
    token = run("--instance", instance, "token", "new", "--role", "admin").stdout.strip()
    listed = printed(run("--instance", instance, "token", "list"))
    last = listed[-1]
    assert (last["role"], last["partner"], last["revoked"]) == ("admin", None, None)
    assert run("--instance", instance, "token", "revoke", last["id"]).exit_code == 0
    assert principal(instance, token) is None
    assert printed(run("--instance", instance, "token", "list"))[-1]["revoked"] is not None
    again = run("--instance", instance, "token", "revoke", last["id"])
    assert again.exit_code == 1
    assert "no token" in again.stderr


def test_partner_list_is_the_instances_the_fixtures_or_those_given(run: Run, instance: Path) -> None:
    own = printed(run("--instance", instance, "partner", "list", "--json"))
    assert [each["id"] for each in own] == ["example", "lakeside"]
    assert own[0]["paused"] is True
    fixtures = printed(run("partner", "list"))
    assert {"lakeside", "riverside", "harbour-cas", "northstar"} <= {each["id"] for each in fixtures}
    assert "TOKEN" not in json.dumps(fixtures), "nothing about secrets, not even their names"
    assert (
        printed(run("--instance", instance, "partner", "list", "--partners", REPOSITORY / "fixtures/partners"))
        == fixtures
    )


def test_share_list_and_retry(
    run: Run, instance: Path, example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A saved case has a share with each partner; the list has all cases, can be narrowed, and a share made due. A
    partner that its file pauses is shown as paused."""
    instance = Path(shutil.copytree(instance, tmp_path / "agency"))
    desk = wiring.wire(instance)
    try:
        keep.put_case(desk, "C-1042", example.read_bytes())
        keep.put_case(desk, "C-1043", example.read_bytes().replace(b"C-1042", b"C-1043"))
    finally:
        desk.store.close()
    monkeypatch.setattr(shares, "FIRST_PAGE", 1)
    every = printed(run("--instance", instance, "share", "list"))
    assert [(each["case"], each["partner"], each["state"]) for each in every] == [
        ("C-1042", "example", "paused"),
        ("C-1042", "lakeside", "due"),
        ("C-1043", "example", "paused"),
        ("C-1043", "lakeside", "due"),
    ]
    one = printed(run("--instance", instance, "share", "list", "--case", "C-1042", "--partner", "lakeside", "--json"))
    assert [each["partner"] for each in one] == ["lakeside"]
    assert printed(run("--instance", instance, "share", "list", "--state", "stopped")) == []
    assert printed(run("--instance", instance, "share", "retry", "C-1042", "lakeside"))["partner"] == "lakeside"


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--case", "C-9"),
        ("retry", "C-9", "lakeside"),
        ("purged", "C-9", "lakeside", "--done"),
    ],
)
def test_a_share_that_is_not_there_is_one_sentence(run: Run, instance: Path, arguments: tuple[str, ...]) -> None:
    result = run("--instance", instance, "share", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("adapter: There is no such ")


def test_db_upgrade_says_from_which_version_to_which(run: Run, tmp_path: Path) -> None:
    """From nothing, from an earlier one, and again."""
    folder = tmp_path / "agency"
    run("init", folder)
    said = run("--instance", folder, "db", "upgrade").stderr
    found = re.fullmatch(r"The database is of version (\w+) already, which is this adapter's.\n", said)
    assert found
    (folder / "adapter.db").unlink()
    said = run("--instance", folder, "db", "upgrade").stderr
    assert said == f"The database was empty, and is of version {found[1]} now.\n"


NEEDS_A_DATABASE = [
    ("token", "list"), ("token", "new", "--role", "source"), ("token", "revoke", "1"), ("share", "list"),
    ("share", "retry", "C-1", "lakeside"), ("partner", "pause", "lakeside"), ("partner", "resume", "lakeside"),
    ("disclosures", "verify"), ("disclosures", "sign"), ("disclosures", "statement", "--case", "C-1"), ("due",),
    ("alarms",), ("review", "list"), ("serve", "--port", "0"), ("work",), ("work", "--once"), ("partner", "list"),
    ("preview", REPOSITORY / "fixtures" / "minimal" / "case.json", "--partner", "lakeside"),
]  # fmt: skip


@pytest.mark.parametrize("version", ["from the future", "0001"])
def test_a_database_of_another_version_is_refused_with_a_sentence(run: Run, tmp_path: Path, version: str) -> None:
    """By every command; one of a later version by the upgrade too, which never leads back."""
    folder = tmp_path / "agency"
    run("init", folder)
    lakeside = (REPOSITORY / "fixtures" / "partners" / "lakeside.toml").read_text(encoding="utf-8")
    (folder / "partners" / "lakeside.toml").write_text(lakeside, encoding="utf-8")
    with sqlite3.connect(folder / "adapter.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    later = version != "0001"
    sentence = "that wrote it, or a later one" if later else "earlier version (0001, and this adapter is of "
    before = (folder / "adapter.db").read_bytes()
    for command in NEEDS_A_DATABASE + ([("db", "upgrade")] if later else []):
        result = run("--instance", folder, *command)
        assert result.exit_code == 1, command
        assert sentence in result.stderr, command
    assert (folder / "adapter.db").read_bytes() == before


def test_a_partner_is_paused_and_resumed_at_a_pace(run: Run, instance: Path) -> None:
    """The list says so; a pace that is none, and a partner that is none, change nothing."""

    def lakeside() -> dict[str, object]:
        rows = printed(run("--instance", instance, "partner", "list", "--json"))
        return next(row for row in rows if row["id"] == "lakeside")

    assert (lakeside()["paused"], lakeside()["circuit"]) == (False, "closed")
    assert printed(run("--instance", instance, "partner", "pause", "lakeside")) == {
        "partner": "lakeside",
        "paused": True,
    }
    for pace in ("0", "-3", "nan", "inf"):
        assert run("--instance", instance, "partner", "resume", "lakeside", "--per-minute", pace).exit_code == 1
    assert lakeside()["paused"] is True
    done = printed(run("--instance", instance, "partner", "resume", "lakeside", "--per-minute", "0.5"))
    assert done == {"partner": "lakeside", "paused": False}
    assert lakeside()["paused"] is False
    for verb in ("pause", "resume"):
        assert run("--instance", instance, "partner", verb, "nobody").exit_code == 1
    assert printed(run("--instance", instance, "partner", "resume", "example"))["paused"] is True, "its file says so"
