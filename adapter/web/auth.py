"""Who may do what: every route of the adapter in one table, and the check that holds it.

A route that is not in the table opens for nobody. A partner's token reaches /fhir and nothing else, and no other role
reaches /fhir: there it would have no world of its own. Answers tell nothing but the status: a token that is missing,
mistyped, revoked or somebody's old one gets the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, cast, get_args

from flask import Flask, g, request

from adapter import receive
from adapter.errors import Forbidden, Unauthenticated
from adapter.store.tokens import Principal
from adapter.web.context import wiring

Door = Literal["open", "token", "page", "link", "hook"]
"""How one shows who one is: not at all; by a bearer token; by a signed-in person's session; by a link and its code; by
the secret that we gave a partner's server for its notifications."""

_TABLE = """
GET     /healthz                                    open
GET     /readyz                                     open
GET     /openapi.json                               open
GET     /.well-known/jwks.json                      open
GET     /api/partners                               token   source coordinator privacy engineer admin
POST    /api/partners/<partner>/pause               token   privacy engineer admin
POST    /api/partners/<partner>/resume              token   privacy engineer admin
GET     /api/forms                                  token   source coordinator privacy engineer admin
GET     /api/forms/<form>                           token   source coordinator privacy engineer admin
GET     /api/schemas/<collection>                   token   source coordinator privacy engineer admin
POST    /api/preview                                token   source coordinator privacy engineer admin
GET     /api/cases                                  token   source coordinator privacy admin
GET     /api/cases/<case>                           token   source coordinator privacy admin
PUT     /api/cases/<case>                           token   source coordinator admin
DELETE  /api/cases/<case>                           token   source coordinator admin
GET     /api/cases/<case>/views/<partner>           token   source coordinator privacy admin
GET     /api/cases/<case>/shares                    token   source coordinator privacy engineer admin
GET     /api/cases/<case>/disclosures               token   source coordinator privacy admin
POST    /api/cases/<case>/disclosures               token   coordinator privacy admin
GET     /api/cases/<case>/statement                 token   coordinator privacy admin
GET     /api/cases/<case>/sources                   token   source coordinator privacy admin
POST    /api/cases/<case>/review                    token   coordinator privacy admin
GET     /api/review                                 token   source coordinator privacy admin
GET     /api/matches                                token   coordinator privacy admin
POST    /api/matches/<case>/<partner>               token   coordinator privacy admin
GET     /api/inbox                                  token   source coordinator privacy admin
GET     /api/inbox/<item>                           token   source coordinator privacy admin
POST    /api/inbox/<item>/match                     token   source coordinator privacy admin
POST    /api/inbox/<item>/open                      token   source coordinator admin
POST    /api/inbox/<item>/adopt                     token   source coordinator admin
POST    /api/inbox/<item>/dismiss                   token   source coordinator admin
GET     /api/due                                    token   source coordinator privacy admin
GET     /api/waitlist                               token   source coordinator privacy admin
GET     /api/alarms                                 token   source coordinator privacy admin
GET     /api/notices                                token   source coordinator privacy admin
POST    /api/notices/replay                         token   source admin
POST    /api/cases/<case>/what-if                   token   coordinator privacy admin
POST    /api/cases/<case>/consents/capture          token   coordinator privacy admin
POST    /api/cases/<case>/consents/<consent>/limits  token  coordinator privacy admin
POST    /api/cases/<case>/consents/<consent>/revoke  token  coordinator privacy admin
POST    /api/cases/<case>/consents/<consent>/entered-in-error  token  privacy
GET     /api/cases/<case>/child                     token   source coordinator privacy admin
GET     /api/cases/<case>/enrolment                 token   source coordinator privacy admin
PUT     /api/cases/<case>/child                     token   source coordinator admin
PUT     /api/cases/<case>/enrolment                 token   source coordinator admin
DELETE  /api/cases/<case>/child                     token   source coordinator admin
DELETE  /api/cases/<case>/enrolment                 token   source coordinator admin
GET     /api/cases/<case>/<collection>/<record>     token   source coordinator privacy admin
PUT     /api/cases/<case>/<collection>/<record>     token   source coordinator admin
DELETE  /api/cases/<case>/<collection>/<record>     token   source coordinator admin
GET     /api/referrals                              token   source coordinator privacy admin
GET     /api/referrals/<case>/<referral>            token   source coordinator privacy admin
POST    /api/referrals/<case>/<referral>/cancel     token   source coordinator admin
POST    /api/referrals/<case>/<referral>/cancel-others  token  source coordinator admin
POST    /api/referrals/<case>/<referral>/accept-outcome  token  source coordinator admin
POST    /api/referrals/<case>/<referral>/links      token   coordinator admin
GET     /api/referrals/<case>/<referral>/links      token   source coordinator privacy admin
DELETE  /api/referrals/<case>/<referral>/links/<link_>  token  coordinator privacy admin
POST    /api/referrals/<case>/<referral>/handover   token   source coordinator admin
POST    /api/referrals/<case>/<referral>/answer     token   source coordinator admin
POST    /api/shares/<case>/<partner>/retry          token   source coordinator engineer admin
POST    /api/shares/<case>/<partner>/purged         token   coordinator privacy admin
GET     /fhir/metadata                              open
GET     /fhir/.well-known/smart-configuration       open
POST    /token                                      open
POST    /notify/<mark>                              hook
PUT     /notify/<mark>/Task/<id_>                   hook
POST    /fhir                                       token   partner
GET     /fhir/Subscription                          token   partner
POST    /fhir/Subscription                          token   partner
GET     /fhir/Subscription/$status                  token   partner
GET     /fhir/Subscription/<id_>                    token   partner
PUT     /fhir/Subscription/<id_>                    token   partner
DELETE  /fhir/Subscription/<id_>                    token   partner
GET     /fhir/Subscription/<id_>/$status            token   partner
GET     /fhir/Subscription/<id_>/$events            token   partner
GET     /fhir/<type_>                               token   partner
POST    /fhir/<type_>                               token   partner
PUT     /fhir/<type_>                               token   partner
DELETE  /fhir/<type_>                               token   partner
POST    /fhir/<type_>/_search                       token   partner
GET     /fhir/<type_>/<id_>                         token   partner
PUT     /fhir/<type_>/<id_>                         token   partner
PATCH   /fhir/<type_>/<id_>                         token   partner
DELETE  /fhir/<type_>/<id_>                         token   partner
GET     /fhir/<type_>/<id_>/_history/<version>      token   partner
GET     /fhir/Patient/<id_>/$everything             token   partner
GET     /fhir/Composition/<id_>/$document           token   partner
GET     /                                           page    coordinator privacy engineer admin
GET     /r/<token>                                  link
POST    /r/<token>                                  link
GET     /referrals                                  page    coordinator privacy admin
GET     /referrals/<case>/<referral>                page    coordinator privacy admin
POST    /referrals/<case>/<referral>                page    coordinator admin
GET     /inbox                                      page    coordinator privacy admin
GET     /inbox/<item>                               page    coordinator privacy admin
POST    /inbox/<item>                               page    coordinator privacy admin
GET     /cases/<case>                               page    coordinator privacy admin
GET     /purges/<case>/<partner>                    page    coordinator privacy admin
POST    /purges/<case>/<partner>                    page    coordinator privacy admin
GET     /waitlist                                   page    coordinator privacy admin
GET     /waiting                                    page    coordinator privacy admin
GET     /waiting/<case>                             page    coordinator privacy admin
POST    /waiting/<case>                             page    coordinator privacy admin
POST    /waiting/<case>/match/<partner>             page    coordinator privacy admin
POST    /partners/<partner>                         page    privacy engineer admin
POST    /sign-in                                    open
POST    /sign-out                                   open
GET     /static/<path:filename>                     open
"""


@dataclass(frozen=True, slots=True)
class Admission:
    """How one route opens, and for which roles."""

    door: Door
    roles: frozenset[str]


def _read(line: str) -> tuple[tuple[str, str], Admission]:
    method, rule, door, *roles = line.split()
    if door not in get_args(Door):
        raise ValueError(f"{door} is not a door")
    return (method, rule), Admission(cast(Door, door), frozenset(roles))


ADMISSIONS: Mapping[tuple[str, str], Admission] = MappingProxyType(dict(map(_read, _TABLE.strip().splitlines())))

PAUSES = ADMISSIONS["POST", "/partners/<partner>"].roles
"""Who may pause partners on the pages of the console, and resume them."""

STEERS_REFERRALS = ADMISSIONS["POST", "/referrals/<case>/<referral>"].roles
"""Who may cancel a referral on the pages of the console, and accept its outcome."""

DECIDES_INBOX = ADMISSIONS["POST", "/api/inbox/<item>/adopt"].roles
"""Who may adopt and dismiss what partners sent, and open cases for it."""

SEES_CASES = frozenset({"coordinator", "privacy", "admin"})
"""Who may see cases on the pages of the console."""


def guard(app: Flask) -> None:
    """Check every request against the table before its view sees it."""
    app.before_request(_admit)


def caller() -> Principal:
    """Who called, in a view of a route with the door `token`."""
    principal: Principal = g.principal
    return principal


def admission(method: str, rule: str) -> Admission | None:
    """How this route opens; None where nobody said, which opens it for nobody."""
    return ADMISSIONS.get(("GET" if method == "HEAD" else method, rule))


def _admit() -> None:
    if request.url_rule is None:
        return  # nothing is there: the answer is 404 or 405 for everyone
    match admission(request.method, request.url_rule.rule):
        case None:
            raise Forbidden("This is open to nobody.")
        case Admission("token", roles):
            g.principal = _bearer()
            if g.principal.role not in roles:
                raise Forbidden("The role of this token may not do this.")
        case _:
            return


def _bearer() -> Principal:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    shown = token.strip() if scheme.lower() == "bearer" else ""
    principal = receive.caller(wiring().store, shown, now=wiring().clock()) if shown else None
    if principal is None:
        raise Unauthenticated("A bearer token is needed that this adapter gave out and has not revoked.")
    return principal
