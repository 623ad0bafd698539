"""The journeys with HAPI FHIR's JPA server, R5."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.servers import built, partners
from tests.servers.journeys import Journeys
from tests.servers.partners import Running


@pytest.mark.servers
@pytest.mark.timeout(600)  # the first time, Maven brings the libraries
class TestHapiR5(Journeys):
    @staticmethod
    def started(folder: Path) -> AbstractContextManager[Running]:
        return partners.hapi("R5", folder)

    @staticmethod
    def lacking() -> str:
        return built.lacking("java", "mvn")
