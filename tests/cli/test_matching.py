"""Children who wait to be matched, on the command line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from adapter import keep, worker
from adapter.wiring import wire
from tests.cli.conftest import REPOSITORY, Run, printed
from tests.outward.fault_server import FaultServer


@pytest.fixture
def server() -> Any:
    with FaultServer() as partner:
        yield partner


@pytest.fixture
def agency(run: Run, instance: Path, tmp_path: Path, server: FaultServer) -> Path:
    """A case whose child a school does not know: it waits."""
    folder = Path(shutil.copytree(instance, tmp_path / "agency"))
    settings = (REPOSITORY / "fixtures" / "adapter.toml").read_text("utf-8")
    (folder / "adapter.toml").write_text("labels_topics = true\n" + settings, "utf-8")
    file = folder / "partners" / "lakeside.toml"
    text = re.sub(r"(?m)^(quiet_seconds|secret) = .*\n", "", file.read_text("utf-8"))
    text = re.sub(r"(?m)^base_url = .*$", f'base_url = "{server.base_url}"\nprivate_addresses = true', text)
    file.write_text(text.replace('kind = "bearer"', 'kind = "none"').replace('"create" ', '"identifier" '), "utf-8")
    assert run("--instance", folder, "check").exit_code == 0
    keep_case(folder)
    work(folder)
    return folder


def keep_case(folder: Path) -> None:
    desk = wire(folder, environ={})
    keep.put_case(desk, "C-0001", (REPOSITORY / "fixtures" / "minimal" / "case.json").read_bytes())
    desk.store.close()


def work(folder: Path) -> None:
    desk = wire(folder, environ={})
    worker.run(desk, once=True)
    desk.store.close()


def test_a_child_waits_until_a_person_says_who_it_is(run: Run, agency: Path, server: FaultServer) -> None:
    result = run("--instance", agency, "match", "list")
    (row,) = printed(result)
    assert (row["case"], row["partner"], row["candidates"]) == ("C-0001", "lakeside", [])
    assert "1 child(ren) wait" in result.stderr
    assert "must be found among the partner's patients" in run("--instance", agency, "alarms").stdout
    assert server.fhir.resources == {}
    server.fhir.resources["Patient/88"] = {"resourceType": "Patient", "id": "88", "meta": {"versionId": "1"}}
    assert run("--instance", agency, "match", "accept", "C-0001", "lakeside", "88").exit_code == 0
    work(agency)
    assert [r["subject"] for r in server.fhir.resources.values() if r["resourceType"] == "Goal"]
    assert printed(run("--instance", agency, "match", "list", "--json")) == []


def test_a_child_is_created_where_a_person_says_so(run: Run, agency: Path, server: FaultServer) -> None:
    assert run("--instance", agency, "match", "accept", "C-0001", "lakeside", "../88").exit_code == 1
    assert run("--instance", agency, "match", "create", "C-9", "lakeside").exit_code == 1
    assert run("--instance", agency, "match", "create", "C-0001", "lakeside").exit_code == 0
    work(agency)
    assert [r["name"][0]["family"] for r in server.fhir.resources.values() if r["resourceType"] == "Patient"]
