"""One item of the inbox as it is now: mapped back to records, and held against its case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from adapter import catalogue as catalogues
from adapter.arrived.gathering import Sent, belonging, childless
from adapter.core.consent.fhir_consents import Vocabulary, receivers_by_identifier
from adapter.core.fhir.named import names_of
from adapter.core.identity import Key
from adapter.core.inbox import imported, names, reading
from adapter.core.inbox.values import Compared, Proposal, Refusal
from adapter.core.mapping.inbound import Consents, Inbound, Sender
from adapter.core.mapping.inbound import Received as Mapped
from adapter.core.mapping.inbound import records as map_back
from adapter.core.partner import Release
from adapter.core.schema import SINGULAR, paths
from adapter.core.strict_json import digest
from adapter.desk import Desk
from adapter.store import cases, holdings, inbox, shares, views
from adapter.store.cases import StoredCase
from adapter.store.database import Tx
from adapter.store.inbox import Item
from adapter.store.resources import Received


@dataclass(frozen=True, slots=True)
class Look:
    """One item as it is now. `stored`: the case that it is matched to, where there is one (and it was not deleted)."""

    item: Item
    sent: Sent
    mapped: Mapped
    compared: tuple[Compared, ...]
    others: tuple[Proposal, ...]
    refusals: tuple[Refusal, ...]
    stored: StoredCase | None
    consents: Mapping[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    """What its Consents come to (core/inbox/imported.py): those that we gave the partner ourselves left out."""

    doubt: str = ""
    """What speaks against the match now, and nobody has confirmed it since (core/inbox/names.py)."""

    @property
    def patient(self) -> dict[str, Any]:
        """The child as the partner has it; {} where it is not there."""
        return next((kept.body for kept in self.sent.resources if kept.type == "Patient"), {})

    @property
    def versions(self) -> dict[str, int]:
        """`Type/id` → version, of the resources that were looked at."""
        return {f"{kept.type}/{kept.id}": kept.version for kept in self.sent.resources}

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        return (*(each for one in self.compared for each in one.proposals), *self.others)

    @property
    def open(self) -> tuple[Proposal, ...]:
        """What waits for a decision."""
        return tuple(each for each in self.proposals if not each.decided)

    def version_of(self, name: str) -> int:
        """The version of a resource that was looked at."""
        return self.versions.get(name, 0)


def look(desk: Desk, tx: Tx, item: Item) -> Look:
    """The item as it is at this moment: only what its own partner says, and only its own case."""
    stored = cases.by_id(tx, item.case_id) if item.case_id else None
    stored = None if stored is None or stored.deleted else stored
    if item.subject == inbox.NOBODY:
        return _of_nobody(desk, item, childless(tx, item.partner))
    case = stored.body if stored else {}
    known = _known(desk, tx, item.partner, stored) if stored else {}
    sent = _without_our_own(belonging(tx, item.partner, item.subject), known)
    mapped = _mapped(desk, tx, item, sent, stored, known)
    mapped = reading.inward(mapped, sent.bodies, desk.settings.agency_identifiers, case)
    compared = tuple(
        replace(each, proposals=reading.with_decisions(each.proposals, item.decisions))
        for each in reading.comparison(mapped, sent.names, case, desk.catalogue.schemas)
    )
    arrived = stored.kept.get("arrived", {}) if stored else {}
    others = (*reading.unread(mapped, sent.names, sent.bodies), *reading.gone(arrived, item.id, sent.names))
    seen = Look(
        item,
        sent,
        mapped,
        compared,
        reading.with_decisions(others, item.decisions),
        reading.refusals(mapped, sent.names),
        stored,
        imported.read(mapped, sent.names, source=item.partner, unheard=sent.unheard),
    )
    doubt = doubt_of(desk, item.partner, case, seen.patient) if stored else ""
    return replace(seen, doubt="" if doubt == item.matched.get("despite") else doubt)


def doubt_of(desk: Desk, partner: str, case: Mapping[str, Any], patient: Mapping[str, Any]) -> str:
    """What speaks against this Patient being the child of this case: "" where nothing does."""
    whom = desk.catalogue.partners.get(partner)
    return names.doubt(case, patient, whom.identifier_systems if whom else ())


def _without_our_own(sent: Sent, known: Mapping[tuple[str, str], str]) -> Sent:
    """Without Consents that are the ones we gave the partner: they say what the case says already."""
    own = [kept for kept in sent.resources if kept.type == "Consent" and any(n in known for n in names_of(kept.body))]
    return replace(sent, resources=tuple(kept for kept in sent.resources if kept not in own)) if own else sent


def _of_nobody(desk: Desk, item: Item, sent: Sent) -> Look:
    """What belongs to no child becomes nothing: each resource is refused, by its own reason where it has one."""
    mapped = map_back(sent.bodies, inbound(_release(desk, item.partner)), sender(desk, item.partner))
    told = reading.refusals(mapped, sent.names)
    with_reason = {each.resource for each in told}
    told += tuple(Refusal(n, n.split("/")[0], reading.CHILDLESS) for n in sent.names if n not in with_reason)
    others = tuple(
        Proposal(f"refused/{name}", "refused", None, None, digest(body), (name,))
        for name, body in zip(sent.names, sent.bodies, strict=True)
    )
    consents = imported.read(mapped, sent.names, source=item.partner)
    return Look(item, sent, mapped, (), reading.with_decisions(others, item.decisions), told, None, consents)


def denials_of(
    desk: Desk, tx: Tx, item: Item, consent: Received, stored: StoredCase
) -> Mapping[str, tuple[str, dict[str, Any]]]:
    """What one Consent that refers to no child comes to in the case of the child that it names; nothing, where it is
    one that we gave the partner ourselves."""
    known = _known(desk, tx, item.partner, stored)
    sent = _without_our_own(Sent((consent,)), known)
    return imported.read(_mapped(desk, tx, item, sent, stored, known), sent.names, source=item.partner)


def _mapped(
    desk: Desk, tx: Tx, item: Item, sent: Sent, stored: StoredCase | None, known: Mapping[tuple[str, str], str]
) -> Mapped:
    held = _held(desk, tx, item, stored)
    who = sender(
        desk, item.partner, known=lambda *name: known.get(name), held=held.get, child=f"Patient/{item.subject}"
    )
    return map_back(sent.bodies, inbound(_release(desk, item.partner)), who)


def sender(desk: Desk, partner: str, **options: Any) -> Sender:
    """Who sent it: this partner, and what the caller knows of it."""
    return Sender(
        source=partner,
        zone=desk.settings.time_zone,
        now=desk.clock(),
        consents=Consents(_vocabulary(), receivers_by_identifier(desk.catalogue.partners)),
        **options,
    )


def _known(desk: Desk, tx: Tx, partner: str, stored: StoredCase) -> dict[tuple[str, str], str]:
    """Our identifiers that this partner may know → paths of the case: those that it holds or reads, and those that it
    would have of what stands in the case."""
    found: dict[tuple[str, str], str] = {}
    if partner in desk.catalogue.partners:
        identity = desk.bench.identity(partner)
        here = {path: ".".join(path.split("/")[::2]) for path in (*paths(stored.body), *SINGULAR)}
        for mapping in desk.bench.mappings[_release(desk, partner)].mappings:
            for path, kind in here.items() if not mapping.directory else ():
                if kind == mapping.each:
                    found[identity.identifier(Key(stored.number, path, mapping.type, mapping.slot or ""))] = path
    for share in shares.of_case(tx, stored.id):
        if share.partner == partner:
            found |= {h.identifier: h.about for h in holdings.of_share(tx, share.id) if h.about}
            system = desk.bench.identifier_system
            found |= {(system, id_): shown.about for (_, id_), shown in views.of_share(tx, share.id).items()}
    return found


def _held(desk: Desk, tx: Tx, item: Item, stored: StoredCase | None) -> dict[str, str]:
    """Where something of the case is known → its path: `Type/id` of what the partner reads here, of what was adopted
    and of what people said that it is; the whole address of what it holds on its own server, whose ids mean nothing
    here."""
    found: dict[str, str] = {}
    whom = desk.catalogue.partners.get(item.partner)
    there = f"{whom.base_url.rstrip('/')}/" if whom and whom.base_url else ""
    for share in shares.of_case(tx, stored.id) if stored else ():
        if share.partner == item.partner:
            held = holdings.of_share(tx, share.id) if there else ()
            found |= {f"{there}{h.type}/{h.id}": h.about for h in held if h.id and h.about}
            found |= {f"{t}/{id_}": shown.about for (t, id_), shown in views.of_share(tx, share.id).items()}
    for path, source in (stored.kept.get("arrived", {}) if stored else {}).items():
        if source["partner"] == item.partner:
            found[f"{source['type']}/{source['id']}"] = path
    return {**found, **item.pairs}


def _release(desk: Desk, partner: str) -> Release:
    whom = desk.catalogue.partners.get(partner)
    return whom.release if whom else "R4"


@lru_cache(maxsize=2)
def inbound(release: Release) -> Inbound:
    """The inbound mapping files, read when they are first needed."""
    return catalogues.inbound(release)


@lru_cache(maxsize=1)
def _vocabulary() -> Vocabulary:
    return catalogues.vocabulary()
