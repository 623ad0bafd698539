"""Our functions that count and write: of bytes, and of text that becomes XHTML; and what tidy makes of new rows."""

from __future__ import annotations

import base64
import copy
import hashlib
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.core.fhir.models import problems
from adapter.core.mapping.bindings import instant, octets, sha1, xhtml
from adapter.core.mapping.tidy import links, tidy
from adapter.core.partner import Release
from tests.core.mapping_files.views import SCHOOL, mapped, mappings, row

NOTHING: Any = None


@given(st.binary(max_size=60))
def test_bytes_are_counted_and_hashed_as_they_are(data: bytes) -> None:
    """FHIR R4, Attachment: size in bytes, hash the SHA-1 in base64."""
    text = base64.b64encode(data).decode()
    assert octets(NOTHING, [text]) == [len(data)]
    assert sha1(NOTHING, [text]) == [base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()]


@pytest.mark.parametrize(
    ("said", "instant_"),
    [
        pytest.param("0999-05-05T10:00:00Z", "0999-05-05T10:00:00Z", id="a year of three digits"),
        pytest.param("0031-01-01T00:30:00+01:00", "0030-12-31T23:30:00Z", id="a year of two"),
        pytest.param("2026-05-05T10:00:00.750-04:00", "2026-05-05T14:00:00Z", id="parts of a second are cut off"),
        pytest.param("2026-05-05T10:00:00", "2026-05-05", id="without an offset the day is certain"),
        pytest.param("0999-05-05", "0999-05-05", id="a day stays a day"),
    ],
)
def test_an_instant_has_four_digits_of_year_and_is_in_utc(said: str, instant_: str) -> None:
    assert instant(NOTHING, [said]) == [instant_]


@pytest.mark.parametrize("text", ["AAAAA", "=", "not base64", "QQ=", 7, "é"])
def test_what_is_no_base64_has_no_size(text: Any) -> None:
    """The schema's pattern is not all of base64; a mapping then finds nothing, and sends no Binary."""
    assert octets(NOTHING, [text]) == sha1(NOTHING, [text]) == []


@given(st.text(min_size=1, max_size=40))
def test_whatever_is_written_stays_text(text: str) -> None:
    """Well-formed XHTML with no element but line breaks in it: nothing that a family writes is markup."""
    (div,) = xhtml(NOTHING, [text])
    root = ElementTree.fromstring(div)
    assert {each.tag.rpartition("}")[2] for each in root.iter()} <= {"div", "br"}


def test_bytes_that_are_none_leave_the_document_without_them() -> None:
    case = row("document")
    case["documents"][0]["bytes"] = "AAAAA"
    del case["documents"][0]["link"]
    made = [m.resource for m in mapped(case, mappings()).made if m.about == "documents/d1"]
    assert [r["resourceType"] for r in made] == ["DocumentReference"]
    assert [c["attachment"]["title"] for c in made[0]["content"]] == ["Report of the first term"]
    assert "url" not in made[0]["content"][0]["attachment"]


def test_the_address_of_bytes_leads_to_their_binary() -> None:
    """And the order of creation knows it: the Binary first."""
    made = mapped(row("document"), mappings()).made
    binary = next(m for m in made if m.type == "Binary" and m.about == "documents/d1")
    document = next(m for m in made if m.type == "DocumentReference" and m.about == "documents/d1")
    attachment = document.resource["content"][0]["attachment"]
    assert attachment["url"] == binary.urn and binary.urn in set(links(document.resource))
    assert attachment["size"] == len(base64.b64decode(binary.resource["data"]))
    assert "text" not in binary.resource and binary.urn not in document.resource["text"]["div"]


@pytest.mark.parametrize("release", ["R4", "R5"])
def test_a_partner_that_cannot_search_binaries_gets_the_bytes_within(release: Release) -> None:
    """`bytes = "inline"` in its file: no Binary at all, nothing that leads to one, and the same bytes."""
    made = mapped(row("document"), mappings(release), partner=replace(SCHOOL, bytes="inline")).made
    assert [m for m in made if m.type == "Binary"] == []
    document = next(m for m in made if m.about == "documents/d1")
    inline, linked = (each["attachment"] for each in document.resource["content"])
    assert inline["data"] == row("document")["documents"][0]["bytes"] and "url" not in inline
    assert linked["url"].startswith("https://") and "data" not in linked
    assert inline["data"] not in document.resource["text"]["div"]
    assert problems(document.resource, release=release) == []


PATIENT, PLAN, OTHER, SIGNED = (f"urn:uuid:{number}" for number in range(4))


def signed(targets: list[str]) -> dict[str, Any]:
    return {
        "resourceType": "Provenance",
        "target": [{"reference": each} for each in targets],
        "agent": [{"who": {"reference": PATIENT}}],
        "signature": [{"type": [{"system": "urn:x", "code": "c"}], "who": {"reference": PATIENT}}],
    }


@pytest.mark.parametrize(
    ("targets", "sent"),
    [
        pytest.param([PLAN], True, id="a plan that is there"),
        pytest.param([PLAN, PATIENT], True, id="two things that are there"),
        pytest.param([OTHER], False, id="a plan that is not"),
        pytest.param([PLAN, OTHER], False, id="one that is, and one that is not: the signature was for both"),
    ],
)
def test_a_signature_is_sent_with_every_target_or_not_at_all(targets: list[str], sent: bool) -> None:
    """exchange.md: every target in the view, or not sent."""
    resources: dict[str, Any] = {
        PATIENT: {"resourceType": "Patient", "active": True},
        PLAN: {"resourceType": "CarePlan", "status": "active", "subject": {"reference": PATIENT}},
        SIGNED: signed(targets),
    }
    assert (SIGNED in tidy(copy.deepcopy(resources))) == sent


def test_parallel_referrals_that_name_each_other_leave_one_reference() -> None:
    """Creation runs along references, so that one of the two goes."""
    case = row("referral")
    other = copy.deepcopy(case["referrals"][0]) | {"id": "r9", "path": "referrals/r9", "parallel": ["referrals/r1"]}
    case["referrals"] = [case["referrals"][0] | {"parallel": ["referrals/r9"]}, other]
    made = mapped(case, mappings()).made
    found = [m for m in made if m.type == "ServiceRequest" and "csp-parallel-referral" in str(m.resource)]
    assert len([m for m in made if m.about in ("referrals/r1", "referrals/r9") and m.type == "ServiceRequest"]) == 2
    assert len(found) == 1
