"""Signing keys from the command line: made, listed, published by the web, retired; and asked for where none is."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from adapter import wiring
from adapter.web.app import create_app
from tests.cli.conftest import Run, printed

SMART = '[authorisation]\nkind = "smart-backend"\nclient_id = "csp"\nscopes = ["system/*.cruds"]\n'


@pytest.fixture
def own(instance: Path, tmp_path: Path) -> Path:
    """An instance that one test may change, where lakeside wants SMART Backend Services."""
    folder = tmp_path / "own"
    shutil.copytree(instance, folder)
    file = folder / "partners" / "lakeside.toml"
    text = re.sub(r"(?ms)^\[authorisation\].*", SMART, file.read_text(encoding="utf-8"))
    file.write_text(text, encoding="utf-8")
    return folder


def test_a_key_is_made_published_used_and_retired(run: Run, own: Path) -> None:
    first = run("--instance", own, "key", "new", "--name", "first")
    assert (first.exit_code, "used at once" in first.stderr) == (0, True)
    second = run("--instance", own, "key", "new", "--name", "second")
    assert re.search(r"second is published now, and used from \S+ on\.", second.stderr)
    assert [key["kid"] for key in json.loads(second.stdout)["keys"]] == ["first", "second"]
    assert not re.search(r'"(d|p|q|dp|dq|qi|k)":', first.stdout + second.stdout), "nothing private"

    file = own / "signing-keys.json"
    assert file.stat().st_mode & 0o077 == 0
    rows = printed(run("--instance", own, "key", "list", "--json"))
    assert [(row["name"], row["partners"]) for row in rows] == [("first", ["lakeside"]), ("second", [])]

    refused = run("--instance", own, "key", "retire", "first")
    assert (refused.exit_code, "lakeside would be shown now" in refused.stderr) == (1, True)
    assert run("--instance", own, "key", "new", "--name", "third", "--now").exit_code == 0
    assert run("--instance", own, "key", "retire", "first").exit_code == 0
    assert [row["name"] for row in printed(run("--instance", own, "key", "list", "--json"))] == ["second", "third"]
    assert run("--instance", own, "key", "retire", "first").exit_code == 1
    assert run("--instance", own, "check").exit_code == 0


def test_a_key_that_was_replaced_at_once_is_not_gone_back_to(
    run: Run, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first key is used from when it is made: nothing of it begins a day later, behind the one in its place."""
    made = datetime(2026, 11, 21, 17, tzinfo=UTC)
    monkeypatch.setattr("adapter.cli.keys.now", lambda: made)
    run("--instance", own, "key", "new", "--name", "lost")
    assert printed(run("--instance", own, "key", "list", "--json"))[0]["used_from"] == "2026-11-21T17:00+00:00"
    monkeypatch.setattr("adapter.cli.keys.now", lambda: made + timedelta(hours=1))
    run("--instance", own, "key", "new", "--name", "other", "--now")
    monkeypatch.setattr("adapter.cli.keys.now", lambda: made + timedelta(days=2))
    rows = printed(run("--instance", own, "key", "list", "--json"))
    assert [(row["name"], row["partners"]) for row in rows] == [("lost", []), ("other", ["lakeside"])]


def test_the_web_publishes_what_is_there_without_a_restart(run: Run, own: Path) -> None:
    desk = wiring.wire(own)
    client = create_app(desk).test_client()
    assert client.get("/.well-known/jwks.json").json == {"keys": []}
    made = run("--instance", own, "key", "new", "--algorithm", "RS384").stdout
    answer = client.get("/.well-known/jwks.json")
    assert answer.json == json.loads(made)
    assert [set(key) for key in answer.json["keys"]] == [{"kty", "n", "e", "kid", "alg", "use"}]
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    (own / "signing-keys.json").write_text("{")
    broken = client.get("/.well-known/jwks.json")
    assert (broken.status_code, broken.headers["Cache-Control"]) == (500, "no-store")
    desk.store.close()


def test_check_names_the_file_and_line_that_ask_for_a_key_that_is_not_there(run: Run, own: Path) -> None:
    file = own / "partners" / "lakeside.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    found = run("--instance", own, "check")
    line = lines.index('kind = "smart-backend"') + 1
    place = f"{file}:{line}: kind: there is no signing key for ES384"
    assert (found.exit_code, place in found.stdout) == (1, True)
    run("--instance", own, "key", "new", "--name", "es")
    file.write_text("\n".join([*lines, 'key = "gone"', ""]), encoding="utf-8")
    found = run("--instance", own, "check")
    assert f"{file}:{len(lines) + 1}: key: there is no signing key gone for ES384" in found.stdout


@pytest.mark.parametrize("what", ["not JSON", "open to others"])
def test_check_says_that_the_file_of_keys_is_wrong(run: Run, own: Path, what: str) -> None:
    run("--instance", own, "key", "new")
    file = own / "signing-keys.json"
    if what == "not JSON":
        file.write_text("{")
    else:
        file.chmod(0o644)
    found = run("--instance", own, "check")
    assert found.exit_code == 1
    assert str(file) in found.stdout


def test_two_at_once_lose_no_key(run: Run, own: Path) -> None:
    """A draft of another command is left alone, and nothing is written."""
    run("--instance", own, "key", "new", "--name", "one")
    before = (own / "signing-keys.json").read_bytes()
    os.close(os.open(own / "signing-keys.json.new", os.O_CREAT | os.O_EXCL))
    refused = run("--instance", own, "key", "new", "--name", "two")
    assert (refused.exit_code, "signing-keys.json.new" in refused.stderr) == (1, True)
    assert (own / "signing-keys.json").read_bytes() == before
    (own / "signing-keys.json.new").unlink()
    assert run("--instance", own, "key", "new", "--name", "one").exit_code == 1, "there is one of that name"
    assert (own / "signing-keys.json").read_bytes() == before
    assert not (own / "signing-keys.json.new").exists()


@pytest.mark.parametrize("name", ["a b", "../x", "a" * 65, "é"])
def test_a_name_that_could_not_stand_in_a_header_is_refused(run: Run, own: Path, name: str) -> None:
    assert run("--instance", own, "key", "new", "--name", name).exit_code == 2
    assert not (own / "signing-keys.json").exists()
