"""Tries a partner's connection: its statement, and one authorised read of somebody who cannot exist."""

from __future__ import annotations

import secrets
from typing import Any

from adapter.core.fhir.outcome import read
from adapter.core.fhir.prospects import can, in_the_way, will
from adapter.core.fhir.results import found
from adapter.core.identity import Key
from adapter.core.partner import Partner
from adapter.desk import Desk
from adapter.errors import NotFound, Refused
from adapter.outward.answer import Answered
from adapter.reconcile.asking import ask


def check_partner(desk: Desk, partner_id: str) -> dict[str, Any]:
    """`{"partner", "address", "can", "will", "wrong"}`: sentences; nothing is wrong where `wrong` is empty.

    What the server can do is kept, and what was refused before is forgotten with it only if its statement has changed.
    NotFound: there is no such partner file. Refused: it has no FHIR server.
    """
    partner = desk.catalogue.partners.get(partner_id)
    if partner is None:
        raise NotFound("There is no such partner: see `adapter partner list`.")
    if not partner.base_url:
        raise Refused("Its file names no base_url: there is no FHIR server to be asked what it can do.")
    request_id = secrets.token_hex(16)
    asked = ask(desk, partner, request_id=request_id)
    told = asked.known.told
    lacking = desk.lacking(partner.id)
    wrong = [*in_the_way(partner, told), *(lacking or _read_of_nobody(desk, partner, request_id))]
    notes = can(told)
    if asked.trouble:
        notes = [f"/metadata could not be read ({asked.trouble}).", *(can(told) if told else [])]
    return {
        "partner": partner.id,
        "address": partner.base_url,
        "can": notes,
        "will": [*will(partner, told), *_untold(desk, partner)],
        "wrong": wrong,
    }


def _untold(desk: Desk, partner: Partner) -> list[str]:
    """What keeps its server from telling us of answers, where that is wanted."""
    if partner.referrals.answers == "subscription" and not desk.settings.public_url:
        return ["It cannot tell us of answers: adapter.toml has no public_url. They are asked for each hour."]
    return []


def _read_of_nobody(desk: Desk, partner: Partner, request_id: str) -> list[str]:
    """Searches for a Patient by an identifier of ours that no resource has; what is wrong, in a sentence."""
    nobody = desk.bench.identity(partner.id).identifier(Key("", "nobody", "Patient", request_id))
    answer = desk.server(partner.id).find("Patient", nobody, request_id=request_id)
    if not isinstance(answer, Answered):
        return [f"It cannot be reached ({answer.reason}): see base_url, private_addresses and the secret of its file."]
    if answer.status in (401, 403):
        return [f"It does not let us in (HTTP {answer.status}): see [authorisation] in its file, and its secret."]
    if answer.status != 200 or (there := found(answer.body, "Patient", nobody)) is None:
        said = " ".join([f"HTTP {answer.status}", *read(answer.body), answer.unreadable]).strip()
        return [f"A search of Patient by identifier was not answered with a searchset ({said})."]
    return ["It answers a search for an identifier that nobody has."] if there else []
