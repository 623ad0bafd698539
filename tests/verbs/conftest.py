"""A desk with the fixtures' agency and partners, a database of its own, and a server for each partner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapter import catalogue as catalogues
from adapter import settings as settings_of
from adapter.catalogue import Catalogue
from adapter.catalogue.definitions import checkers
from adapter.core.desired import Bench
from adapter.core.fhir.checker import Checker
from adapter.core.partner import Authorisation, Release
from adapter.desk import Desk
from adapter.outward.server import Server
from adapter.paper.pdf import pdf
from adapter.settings import Settings
from adapter.store.database import Store
from tests.outward.fault_server import FaultServer
from tests.store.conftest import cluster, keys, place, store, upgraded_file  # noqa: F401
from tests.verbs.agency import FIXTURES, Agency, Clock, PartnerFhir

Open = Callable[..., Agency]
PATIENT = 60.0
"""Seconds for a partner's answer, where a test is not about a late one: a busy machine is no fault of a partner."""


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return catalogues.load(partners=FIXTURES / "partners")


@cache
def _checkers() -> Mapping[Release, Checker]:
    """Read once: what they are made of is the same for every agency, and takes longer than most tests."""
    return checkers(catalogues.files_root())


@pytest.fixture
def open_agency(store: Store, catalogue: Catalogue, tmp_path: Path) -> Iterator[Open]:  # noqa: F811
    """Opens an agency on this database; keywords change its partner files, `lakeside={…}` one of them alone."""
    with ExitStack() as stack:

        def opened(*, lease: float = 30.0, each: dict[str, Any] | None = None, **one: dict[str, Any]) -> Agency:
            servers = {partner: stack.enter_context(FaultServer()) for partner in catalogue.partners}
            for server in servers.values():
                server.fhir, server.apart = PartnerFhir(), True
            partners = {
                name: replace(
                    partner,
                    **{
                        "base_url": servers[name].base_url,
                        "private_addresses": True,
                        "authorisation": Authorisation(),
                        "timeout": PATIENT,
                        "quiet_seconds": 0.0,
                        **(each or {}),
                        **one.get(name, {}),
                    },
                )
                for name, partner in catalogue.partners.items()
            }
            ways = {name: Server(partner, secret=None) for name, partner in partners.items()}
            for way in ways.values():
                stack.callback(way.close)
            return agency_of(store, replace(catalogue, partners=partners), servers, ways, tmp_path, lease=lease)

        yield opened


@pytest.fixture
def agency(open_agency: Open) -> Agency:
    return open_agency()


def agency_of(
    store: Store,  # noqa: F811
    catalogue: Catalogue,
    servers: dict[str, FaultServer],
    ways: dict[str, Server],
    folder: Path,
    *,
    lease: float = 30.0,
    system: str = "",
) -> Agency:
    """The fixtures' agency on this database, with these ways to its partners; `system` is that of its identifiers."""
    known = settings_of.read_agency(FIXTURES)
    settings = Settings(
        agency_name=known.agency_name,
        agency_identifiers=known.agency_identifiers,
        time_zone=known.time_zone,
        identifier_system=system or known.identifier_system,
        labels_topics=True,
        instance=folder,
        database="",
        keys=folder / "keys",
        host="127.0.0.1",
        port=0,
        public_url="",
        worker_in_process=True,
        lease_seconds=lease,
        poll_seconds=0.05,
    )
    bench = Bench(
        catalogues.rulebook(catalogue, settings),
        catalogue.mappings,
        b"a secret of the tests",
        settings.identifier_system,
        _checkers(),
        pdf,
        catalogue.dialects,
    )
    clock = Clock()
    return Agency(Desk(settings, catalogue, bench, clock, store, ways.__getitem__), clock, servers)
