"""The commands of the inbox: what they print and leave behind, and how they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from adapter import receive
from adapter.receive.world import World
from adapter.wiring import now, wire
from tests.cli.conftest import REPOSITORY, Run, printed
from tests.inbox.conftest import BASE, GOAL, PATIENT


@pytest.fixture(scope="module")
def agency(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance to whose /fhir the fixtures' school has written of a child."""
    folder = tmp_path_factory.mktemp("inbox") / "agency"
    assert run("init", folder).exit_code == 0
    shutil.copy(REPOSITORY / "fixtures" / "partners" / "lakeside.toml", folder / "partners")
    desk = wire(folder, environ={})
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in (PATIENT, GOAL)
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    receive.bundle(desk.store, World("lakeside", BASE, now()), json.dumps(bundle).encode())
    desk.store.close()
    return folder


def test_an_item_is_listed_opened_and_adopted(run: Run, agency: Path) -> None:
    (row,) = printed(run("--instance", agency, "inbox", "list", "--json"))
    assert (row["partner"], row["case"], row["state"]) == ("lakeside", None, "waiting")
    item = row["id"]
    opened = printed(run("--instance", agency, "inbox", "open", item, "C-7", "--program", "wraparound", "--by", "Ruth"))
    assert (opened["case"], opened["changed"], opened["state"]) == ("C-7", True, "waiting")
    adopted = printed(run("--instance", agency, "inbox", "adopt", item, "--all"))
    assert (adopted["changed"], adopted["state"]) == (True, "settled")
    matched = run("--instance", agency, "inbox", "match", item, "--undo")
    assert (matched.exit_code, "adopted" in matched.stderr) == (1, True)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("adopt", "x"), id="adopt nothing"),
        pytest.param(("adopt", "x", "goals/g1", "--all"), id="adopt one and all"),
        pytest.param(("match", "x"), id="match with nothing"),
        pytest.param(("match", "x", "C-1", "--undo"), id="match and undo"),
        pytest.param(("match", "x", "C-1", "--pair", "nothing"), id="a pair of one"),
    ],
)
def test_a_wrong_command_is_a_usage_error(run: Run, agency: Path, arguments: tuple[str, ...]) -> None:
    assert run("--instance", agency, "inbox", *arguments).exit_code == 2
