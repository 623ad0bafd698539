"""The FHIR servers that a partner may have, each started for the tests, and what the adapter is told of each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapter.core.partner import Release
from tests.outward.fault_server import FaultServer
from tests.servers import built
from tests.servers.child import Child
from tests.verbs.agency import PartnerFhir

ROOT = Path(__file__).resolve().parents[2]
WHO = "maple-valley"
"""The agency, as the adapter that stands for a partner knows it."""


@dataclass(frozen=True)
class Running:
    """A server that answers at `address`, and the keys of a partner's file that go with it."""

    name: str
    address: str
    release: Release = "R4"
    token: str = ""
    file: Mapping[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """What a person at the partner says with each request."""
        version = "; fhirVersion=5.0" if self.release == "R5" else ""
        said = {"Accept": f"application/fhir+json{version}", "Content-Type": f"application/fhir+json{version}"}
        return said | ({"Authorization": f"Bearer {self.token}"} if self.token else {})


@contextmanager
def hapi(release: Release, folder: Path) -> Iterator[Running]:
    """HAPI FHIR's JPA server, which knows our definitions and refuses what they do not allow."""
    definitions = ROOT / "profiles" / "generated" / release.lower()
    with _child([*built.hapi(), release, str(definitions)]) as address:
        yield Running(f"HAPI FHIR {release}", address, release)


@contextmanager
def medplum(release: Release, folder: Path, *words: str) -> Iterator[Running]:
    """Medplum's router: eight entries in a transaction, where one of them is created on a condition."""
    with _child([*built.medplum(), *words]) as address:
        yield Running("Medplum", address, release, file={"chunk": 8})


@contextmanager
def adapter(release: Release, folder: Path) -> Iterator[Running]:
    """This adapter as a partner has it: an instance of its own, made and served by its commands."""
    place = folder / f"adapter-{release.lower()}"
    _cli("init", str(place))
    settings = (ROOT / "fixtures" / "adapter.toml").read_text(encoding="utf-8")
    settings = settings.replace("Maple Valley Coordinated Services", "Lakeside").replace("maple-valley", "lakeside")
    (place / "adapter.toml").write_text(f"labels_topics = true\n{settings}", encoding="utf-8")
    for example in (place / "partners").glob("*.toml"):
        example.unlink()
    (place / "partners" / f"{WHO}.toml").write_text(
        'name = "Maple Valley"\nsectors = ["coordination"]\nsince = 2026-01-05\npaused = true\n'
        f'release = "{release}"\n',
        encoding="utf-8",
    )
    token = _cli("--instance", str(place), "token", "new", "--role", "partner", "--partner", WHO).strip()
    words = [sys.executable, "-m", "adapter", "--instance", str(place), "serve", "--port", "0", "--no-worker"]
    with _child(words) as address:
        yield Running(f"adapter {release}", f"{address}/fhir", release, token)


@contextmanager
def small(release: Release, folder: Path) -> Iterator[Running]:
    """The fault server with the small FHIR server behind it, where nothing fails until a test plans it."""
    with FaultServer() as server:
        server.fhir = PartnerFhir()
        yield Running("fault server", server.base_url, release)


@contextmanager
def _child(words: list[str]) -> Iterator[str]:
    child = Child(words)
    try:
        yield child.address
    finally:
        child.close()


def _cli(*words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "adapter", *words], capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout
