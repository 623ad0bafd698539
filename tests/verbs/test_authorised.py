"""A partner that wants tokens: shares reach it, wait where it refuses us one, and go on when it does not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from adapter.core.partner import Authorisation
from adapter.outward.server import Server
from adapter.outward.signing import SigningKeys
from tests.outward.token_server import CLIENT, Guarded
from tests.verbs.agency import Agency, PartnerFhir, case_of, kinds
from tests.verbs.conftest import Open

KEYS = SigningKeys().with_new("es", "ES384", datetime(2026, 1, 1, tzinfo=UTC))
SMART = Authorisation("smart-backend", client_id=CLIENT, scopes=("system/*.cruds",))


class Both(Guarded, PartnerFhir):
    """The small server of these tests, that wants tokens."""


def opened(open_agency: Open) -> tuple[Agency, Both]:
    agency = open_agency(lakeside={"authorisation": SMART})
    there = agency.servers["lakeside"]
    fhir = Both(lambda: f"{there.base_url}/token", KEYS.public)
    fhir.deletes, fhir.watch = True, None
    there.fhir = fhir
    way = Server(agency.desk.catalogue.partners["lakeside"], secret=None, signing=lambda: KEYS)
    ways: Any = agency.desk.server
    ways.__self__["lakeside"] = way
    return agency, fhir


def test_a_share_reaches_a_partner_that_wants_tokens(open_agency: Open) -> None:
    """And where its token is refused half way, nothing is lost and nothing sent twice."""
    agency, fhir = opened(open_agency)
    agency.put(case_of())
    agency.work()
    assert agency.share("C-0001")["outcome"] == "delivered", fhir.said
    agency.assert_equal()
    fhir.good.clear()
    agency.delete("C-0001")
    agency.work()
    assert agency.share("C-0001")["outcome"] == "delivered"
    assert len(fhir.asked) == 2


def test_a_partner_that_gives_us_no_token_is_told_nothing_and_waited_for(open_agency: Open) -> None:
    """The share says so without a word of what was sent there, and goes on by itself."""
    agency, fhir = opened(open_agency)
    fhir.jwks = lambda: {"keys": []}
    agency.put(case_of())
    agency.work()
    share = agency.share("C-0001")
    assert (share["state"], share["outcome"]) == ("waiting", "unauthorised")
    assert share["detail"] == "token refused invalid_client"
    assert fhir.resources == {}
    assert {seen.path for seen in agency.seen()} <= {"/fhir/.well-known/smart-configuration", "/fhir/token"}
    assert kinds(agency.account("C-0001", "lakeside")).keys() == {"attempted", "failed"}
    fhir.jwks = KEYS.public
    agency.work_on()
    assert agency.share("C-0001")["outcome"] == "delivered"
    agency.assert_equal()
