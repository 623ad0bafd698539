"""A whole agency whose five partners keep their copies on one real server, and what must be true of that server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree.ElementTree import canonicalize

from adapter.catalogue import Catalogue
from adapter.core.diff import Made
from adapter.core.partner import Authorisation
from adapter.outward.server import Server
from adapter.store.database import Store
from tests.outward.fault_server import FaultServer
from tests.servers.forward import Forward
from tests.servers.partners import Running
from tests.servers.there import There
from tests.verbs.agency import DIRECTORY, Agency, _json, _name, _resolved, is_residue
from tests.verbs.conftest import agency_of


@dataclass
class Instance(Agency):
    """The agency of the tests of the verbs; `there` is what stands behind the way to each of its partners."""

    there: There | None = None
    stays: set[str] = field(default_factory=set)
    """The identifiers that were seen of organizations and people at partners who let nothing be deleted."""

    @property
    def at_partners(self) -> There:
        assert self.there is not None
        return self.there

    def assert_right(self) -> None:
        """The server holds what each partner should have of all cases, once, whole, and besides only a residue."""
        listed = self.at_partners.everything()
        there = {_name(resource): resource for resource in listed}
        assert len(there) == len(listed), "doubled"
        wanted = self.wanted()
        lost = sorted(made.type for name, made in wanted.items() if name not in there)
        assert not lost, lost
        urns = {m.urn: f"{m.type}/{there[name]['id']}" for name, m in wanted.items()}
        for name, made in wanted.items():
            if made.type not in DIRECTORY:
                differences = unlike(_content(there[name]), _content(_resolved(_json(made.resource), urns)), made.type)
                assert not differences, differences
        for name in there.keys() - wanted.keys():
            assert name in self.stays or is_residue(there[name]), there[name]

    def wanted(self) -> dict[str, Made]:
        """All that consent permits now, at any partner, by the value of its identifier there."""
        found = {}
        for partner in self.desk.catalogue.partners.values():
            for made in (m for number in sorted(self.numbers) for m in self.desired(number, partner.id).made):
                found[made.identifier[1]] = made
                if made.type in DIRECTORY and partner.withdrawal == "stub":
                    self.stays.add(made.identifier[1])
        return found

    def assert_at_rest(self, number: str) -> None:
        """Every share of the case is idle, and nothing was refused."""
        for partner in self.desk.catalogue.partners:
            share = self.share(number, partner)
            assert (share["state"], share["outcome"]) in REST, share


Open = Callable[..., Instance]
REST = (("idle", "delivered"), ("idle", "unchanged"), ("idle", "existing"))


@contextmanager
def opened(running: Running, store: Store, catalogue: Catalogue, folder: Path, **file: Any) -> Iterator[Instance]:
    """An agency with identifiers of its own, so that what others left on the server is not its; `file` changes the
    files of all partners, `lakeside={…}` one of them."""
    system = f"https://{uuid4().hex}.example.ca/id"
    with ExitStack() as stack:
        servers = {partner: stack.enter_context(FaultServer()) for partner in catalogue.partners}
        for server in servers.values():
            server.fhir = Forward(running.address)
        partners = {}
        for name, partner in catalogue.partners.items():
            own = file.get(name, {})
            every = {key: value for key, value in file.items() if key not in catalogue.partners}
            partners[name] = replace(partner, **{**_file(running, servers[name]), **every, **own})
        ways = {name: Server(partner, secret=running.token or None) for name, partner in partners.items()}
        for way in ways.values():
            stack.callback(way.close)
        agency = agency_of(store, replace(catalogue, partners=partners), servers, ways, folder, system=system)
        yield Instance(agency.desk, agency.clock, servers, there=There(running, system))


def _file(running: Running, server: FaultServer) -> dict[str, Any]:
    token = Authorisation("bearer", "PARTNER_TOKEN") if running.token else Authorisation()
    return {
        "base_url": server.base_url,
        "private_addresses": True,
        "authorisation": token,
        "release": running.release,
        "timeout": 120.0,
        "quiet_seconds": 0.0,
        **running.file,
    }


def _content(resource: Mapping[str, Any]) -> Any:
    """A resource but for what servers add or write in their own way: ids, versions, the order of labels, XHTML's
    escapes and attributes."""
    rest = {name: _told(value) for name, value in resource.items() if name not in ("id", "meta")}
    meta = resource.get("meta", {})
    told = {
        name: sorted(json.dumps(each, sort_keys=True) for each in meta.get(name, []))
        for name in ("profile", "security", "tag")
    }
    return {**rest, "meta": told}


def _told(value: Any) -> Any:
    if isinstance(value, list):
        return [_told(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {name: _told(each) for name, each in value.items()}
    # R5 has an integer64 as text in its JSON; HAPI FHIR gives it back as a number.
    sized = {"size": str(plain["size"])} if "size" in plain else {}
    return plain | sized | ({"div": canonicalize(plain["div"])} if isinstance(plain.get("div"), str) else {})


def unlike(left: Any, right: Any, path: str = "") -> list[str]:
    """Where two values differ: paths, for a person to look at."""
    if isinstance(left, dict) and isinstance(right, dict):
        return [
            p for name in sorted({*left, *right}) for p in unlike(left.get(name), right.get(name), f"{path}.{name}")
        ]
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        return [
            p for place, pair in enumerate(zip(left, right, strict=True)) for p in unlike(*pair, f"{path}[{place}]")
        ]
    return [] if left == right else [f"{path}: {str(left)[:80]} is not {str(right)[:80]}"]
