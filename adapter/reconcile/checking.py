"""Tries a partner's connection: its statement, and one authorised read of somebody who cannot exist; or its folder."""

from __future__ import annotations

import secrets
from typing import Any

from adapter.core.fhir.outcome import read
from adapter.core.fhir.prospects import can, in_the_way, will
from adapter.core.fhir.results import found, unasked
from adapter.core.identity import Key
from adapter.core.partner import Partner
from adapter.desk import Desk
from adapter.errors import NotFound, Refused
from adapter.outward.answer import Answered, NotSent, Unknown
from adapter.reconcile.asking import ask
from adapter.reconcile.checking_folder import check_folder

_WHY = {
    "no name": "its name leads to no address; see base_url",
    "address not allowed": "its address is a private one (see private_addresses), or one that is never asked; or its"
    " token endpoint is at another address, and has to stand in the file (token_url)",
    "no connection": "nobody answers at its address and port; see base_url",
    "no TLS": "its certificate has ended, is another host's, or is signed by nobody who is trusted here; or it knows no"
    " TLS 1.2 or newer",
    "ended": "its certificate{} has ended or not begun, or that of an authority above it",
    "another host's": "its certificate{} is another host's; see base_url",
    "not signed": "its certificate{} is signed by nobody who is trusted here; a private authority's is named by trust",
    "not trusted": "its certificate{} is signed by none of those in {}, which alone are trusted for it (trust)",
    "not configured": "see base_url, and the secret or certificate of [authorisation]",
    "no token": "its token endpoint gave none; see token_url of [authorisation]",
    "token refused": "its token endpoint does not know us, or not for this; see [authorisation]",
    "time ran out": "it takes longer than timeout allows",
    "connection lost": "it hung up, or speaks no HTTP of today; see base_url",
}
"""Why no answer came, by its reason (outward/answer.py) or what is wrong with the certificate, and where to look."""

_IGNORES = (
    "It does not heed identifier in a search of Patient: asked for one that nobody has, it answered with others. So it"
    " shows us children that are none of ours, and after a lost answer nobody can tell what arrived there: ask for a"
    " server that searches by identifier, and for access to no more than what we send."
)
"""Nothing of what it showed is told, not even how much."""


def check_partner(desk: Desk, partner_id: str) -> dict[str, Any]:
    """`{"partner", "address", "can", "will", "wrong"}`: sentences; nothing is wrong where `wrong` is empty.

    What the server can do is kept, and what was refused before is forgotten with it only if its statement has changed.
    NotFound: there is no such partner file. Refused: it has neither a FHIR server nor a folder.
    """
    partner = desk.catalogue.partners.get(partner_id)
    if partner is None:
        raise NotFound("There is no such partner: see `adapter partner list`.")
    request_id = secrets.token_hex(16)
    if partner.folder:
        return check_folder(desk, partner, request_id)
    if not partner.base_url:
        raise Refused("Its file names neither base_url nor folder: there is nothing to be called.")
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
        said = f": {answer.said}" if isinstance(answer, NotSent) and answer.said else ""
        return [f"It cannot be reached ({answer.reason}{said}): {_why(partner, answer)}."]
    if answer.status in (401, 403):
        return [f"It does not let us in (HTTP {answer.status}): see [authorisation] in its file, and its secret."]
    if answer.status == 200 and unasked(answer.body, "Patient", nobody):
        return [_IGNORES]
    if answer.status != 200 or (there := found(answer.body, "Patient", nobody)) is None:
        said = " ".join([f"HTTP {answer.status}", *read(answer.body), answer.unreadable]).strip()
        return [f"A search of Patient by identifier was not answered with a searchset ({said})."]
    return ["It answers a search for an identifier that nobody has."] if there else []


def _why(partner: Partner, answer: NotSent | Unknown) -> str:
    """Also whose certificate it may have been, where tokens come from another endpoint."""
    if not isinstance(answer, NotSent) or not answer.doubt:
        return _WHY[answer.reason]
    key = "not trusted" if answer.doubt == "not signed" and partner.trust.file else answer.doubt
    other = ", or that of its token endpoint (token_url)," if partner.authorisation.token_url else ""
    return _WHY[key].format(other, partner.trust.file)
