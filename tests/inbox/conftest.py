"""An agency, and partners that write to its /fhir as the web lets them, on a real database."""

from __future__ import annotations

import copy
import json
import shutil
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter import receive
from adapter.catalogue import Catalogue
from adapter.core.fhir.transaction import ALONE, Step
from adapter.core.partner import Partner
from adapter.receive.world import World
from adapter.store.database import Store
from adapter.store.seal import Keys
from tests.store.conftest import cluster, keys, place, store, upgraded_file  # noqa: F401
from tests.verbs.agency import Agency, Clock
from tests.verbs.conftest import agency_of, catalogue  # noqa: F401

BASE = "https://agency.example/fhir"
PATIENT = {
    "resourceType": "Patient", "id": "p1", "birthDate": "2016-05-04", "name": [{"family": "Okoye", "given": ["Ada"]}],
    "identifier": [{"system": "https://health.example/cards", "value": "0001-222"}],
}  # fmt: skip
GOAL = {
    "resourceType": "Goal", "id": "g1", "lifecycleStatus": "active", "description": {"text": "Walk to school"},
    "subject": {"reference": "Patient/p1"},
}  # fmt: skip


class Inbox:
    """One instance, and the worlds of its partners."""

    def __init__(self, agency: Agency) -> None:
        self.agency = agency

    @property
    def desk(self) -> Any:
        return self.agency.desk

    def put(self, *resources: Mapping[str, Any], partner: str = "riverside") -> None:
        """The partner writes these, in one transaction."""
        entries = [
            {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
            for each in copy.deepcopy(resources)
        ]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        receive.bundle(self.desk.store, self.world(partner), json.dumps(body, default=float).encode())

    def delete(self, name: str, partner: str = "riverside") -> None:
        type_, id_ = name.split("/")
        receive.interact(self.desk.store, self.world(partner), Step(ALONE, "DELETE", type_, id_))

    def trust(self, partner: str, *systems: str) -> None:
        """The partner's file names these systems of identifiers by which both know a child."""
        self.configure(replace(self.desk.catalogue.partners[partner], identifier_systems=systems))

    def configure(self, partner: Partner) -> None:
        """The partner's file is this."""
        known = self.desk.catalogue
        catalogue_ = replace(known, partners={**known.partners, partner.id: partner})
        self.agency = replace(self.agency, desk=replace(self.desk, catalogue=catalogue_))

    def world(self, partner: str) -> World:
        return World(partner, BASE, self.agency.clock.now)


@pytest.fixture(scope="session")
def whole(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory, upgraded_file: Path, keys: Keys) -> Agency:  # noqa: F811
    """Everything of an instance that no test changes: it takes a second to put together."""
    nowhere = Store.open(f"sqlite:///{upgraded_file}", keys)
    return agency_of(nowhere, catalogue, {}, {}, tmp_path_factory.mktemp("instance"))


@pytest.fixture(scope="session")
def whole_inbox(
    whole: Agency,
    tmp_path_factory: pytest.TempPathFactory,
    upgraded_file: Path,  # noqa: F811
    keys: Keys,  # noqa: F811
) -> Inbox:
    """One for all examples of a property: each has a child of its own."""
    path = tmp_path_factory.mktemp("inbox") / "adapter.db"
    shutil.copy(upgraded_file, path)
    clock = Clock()
    own = Store.open(f"sqlite:///{path}", keys)
    return Inbox(Agency(replace(whole.desk, store=own, clock=clock, wake=threading.Event()), clock, {}))


@pytest.fixture
def inbox(store: Store, whole: Agency) -> Inbox:  # noqa: F811
    clock = Clock()
    return Inbox(Agency(replace(whole.desk, store=store, clock=clock, wake=threading.Event()), clock, {}))
