"""The journeys with the fault server, where nothing fails but what a journey plans."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.servers import partners
from tests.servers.journeys import Journeys
from tests.servers.partners import Running


@pytest.mark.servers
@pytest.mark.timeout(600)
class TestFaultServer(Journeys):
    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        return partners.small("R4", folder)
