"""A partner's system asks for a token: SMART Backend Services, with a statement that it signed.

http://hl7.org/fhir/smart-app-launch/backend-services.html. What is refused is told in a word of OAuth (RFC 6749, 5.2),
and never why: whoever asks either knows, or is not to know.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from adapter import admission
from adapter.core.fhir.search import PARAMETERS
from adapter.core.scopes import asked
from adapter.desk import Desk
from adapter.store import tokens

LIFE = timedelta(minutes=5)
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Word = Literal["invalid_request", "invalid_client", "unsupported_grant_type", "invalid_scope"]


@dataclass(frozen=True, slots=True)
class Granted:
    """A token, and what it permits."""

    token: str
    scope: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Refused:
    """No token, in a word of OAuth."""

    error: Word


def grant(desk: Desk, form: Mapping[str, str], *, audience: str) -> Granted | Refused:
    """A token for whoever signed the statement in `form`, for a share of the scopes that it asks for.

    `audience`: the address of our token endpoint, for which the statement must be. The same statement is good once.
    """
    if form.get("grant_type") != "client_credentials":
        return Refused("unsupported_grant_type" if form.get("grant_type") else "invalid_request")
    if form.get("client_assertion_type") != ASSERTION or not form.get("client_assertion"):
        return Refused("invalid_client")
    now, assertion = desk.clock(), form["client_assertion"]
    client = admission.client_of(assertion)
    partner = next((p for p in desk.catalogue.partners.values() if p.client.id and p.client.id == client), None)
    if partner is None:
        return Refused("invalid_client")
    shown = admission.verified(assertion, partner.client.keys, client=client, audience=audience, now=now)
    if shown is None:
        return Refused("invalid_client")
    scopes = asked(form.get("scope", ""), {*PARAMETERS, "Subscription"})
    with desk.store.writing() as tx:
        until = shown.until + admission.LONGEST
        if not tokens.first_shown(tx, partner.id, shown.jti, until=until, now=now):
            return Refused("invalid_client")
        if not scopes.permitted:
            return Refused("invalid_scope")
        token = tokens.lend(tx, partner=partner.id, scopes=scopes.together(), until=now + LIFE, now=now)
    return Granted(token, scopes.together(), int(LIFE.total_seconds()))
