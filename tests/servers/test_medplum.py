"""The journeys with Medplum's router, R4: transactions of eight entries."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.servers import built, partners
from tests.servers.journeys import Journeys
from tests.servers.partners import Running


@pytest.mark.servers
@pytest.mark.timeout(600)  # the first time, npm brings the libraries
class TestMedplum(Journeys):
    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        return partners.medplum("R4", folder)

    @staticmethod
    def lacking() -> str:
        return built.lacking("node", "npm")
