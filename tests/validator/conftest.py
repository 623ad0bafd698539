"""The validators that the tests of this folder ask: one process for a release, for the whole run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.validator.hapi import Hapi, missing


@pytest.fixture(scope="session")
def hapi_r4() -> Iterator[Hapi]:
    yield from _running("R4")


@pytest.fixture(scope="session")
def hapi_r5() -> Iterator[Hapi]:
    yield from _running("R5")


def _running(release: str) -> Iterator[Hapi]:
    """Where CSP_SERVERS=1 asks for it, a missing Java or Maven is a failure: nothing is passed over."""
    if (why := missing()) and os.environ.get("CSP_SERVERS") != "1":
        pytest.skip(why)
    with Hapi(release) as hapi:
        yield hapi
