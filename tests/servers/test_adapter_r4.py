"""The journeys with this adapter as the partner's server, R4."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.servers import partners
from tests.servers.journeys import Journeys
from tests.servers.partners import Running


@pytest.mark.servers
@pytest.mark.timeout(600)
class TestAdapterR4(Journeys):
    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        return partners.adapter("R4", folder)
