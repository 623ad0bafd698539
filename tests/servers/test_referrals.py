"""An adapter with HAPI FHIR's server: every path of every dialect, with faults in between; both agree at the end."""

from __future__ import annotations

import copy
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from adapter.core.partner import Referrals
from tests.core.referral.test_table import DIALECTS
from tests.journeys.referral_paths import planned, walk
from tests.servers import built, partners
from tests.servers.instance import Open
from tests.servers.partners import Running
from tests.servers.there import There
from tests.store.conftest import Place


@pytest.fixture
def place(tmp_path: Path, upgraded_file: Path) -> Place:
    """SQLite alone: what is tried here is the other server."""
    shutil.copy(upgraded_file, tmp_path / "adapter.db")
    return Place(f"sqlite:///{tmp_path / 'adapter.db'}", lambda: sorted(tmp_path.glob("adapter.db*")))


class AtTheirServer:
    """The receiver's people, past the adapter."""

    def __init__(self, there: There) -> None:
        self._there = there

    def tasks(self) -> dict[str, dict[str, Any]]:
        return {task["identifier"][0]["value"]: task for task in self._there.of_type("Task") if "focus" in task}

    def move(self, task: dict[str, Any], status: str) -> dict[str, Any]:
        moved = {**copy.deepcopy(task), "status": status, "statusReason": {"text": f"Why {status}"}}
        self._there.save(moved)
        return moved


@pytest.mark.servers
@pytest.mark.timeout(600)  # the first time, Maven brings the libraries
class TestReferralsWithHapi:
    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        return partners.hapi("R4", folder)

    @staticmethod
    def lacking() -> str:
        return built.lacking("java", "mvn")

    @pytest.mark.parametrize("name", sorted(DIALECTS))
    def test_both_sides_agree_on_every_path(self, open_instance: Open, name: str) -> None:
        agency = open_instance(referrals=Referrals(name, "poll", 60.0))
        receiver = AtTheirServer(agency.at_partners)
        walk(agency, receiver, DIALECTS[name], None, fault=planned(agency.servers["lakeside"]))
