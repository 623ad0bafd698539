"""Nothing that a record says stands in the database's files, found by planting markers and reading every byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from adapter.core.diff import Holding
from adapter.core.referral.course import Course
from adapter.store import cases, disclosures, holdings, referrals, resources, shares, tokens
from adapter.store.database import Store
from adapter.store.disclosures import Line
from tests.store.conftest import NOW, Place

MARKERS = {
    name: f"MARKER-{name}-7f3a"
    for name in (
        *("number", "body", "kept", "deleted", "about", "part", "topic", "line-about", "line-part", "line-topic"),
        *("line-consent", "line-urn", "line-outcome", "received", "received-id", "received-term", "received-earlier"),
        *("held-id", "held-version", "held-hash"),
        *("referral-path", "referral-reason", "referral-result", "referral-handover"),
    )
}
CLEAR = "PARTNER-IN-CLEAR-7f3a"


def test_no_marker_is_found_in_the_files(store: Store, place: Place) -> None:
    """The partner's id, which is kept in clear, is found: the search would find a marker too."""
    m = MARKERS
    with store.writing() as tx:
        case, _ = cases.put(tx, m["number"], {"title": m["body"], m["body"]: 1}, {"c": m["kept"]}, now=NOW)
        cases.put(tx, m["number"] + "-2", {"title": m["deleted"]}, {}, now=NOW)
        shares.ensure(tx, case.id, [CLEAR], now=NOW)
        shares.mark_due(tx, case_id=case.id, now=NOW)
        share = shares.claim(tx, worker="w", now=NOW, lease=timedelta(seconds=1))
        assert share is not None
        theirs = (m["held-id"], m["held-version"], m["held-hash"])
        holding = Holding("urn:uuid:1", "Goal", ("urn:ours", "opaque"), *theirs)
        holding = replace(holding, about=m["about"], parts=(m["part"],), topics=(m["topic"],))
        holdings.save(tx, share.id, [holding], now=NOW)
        disclosures.append(tx, case.id, [line()])
        names = referrals.Names("urn:uuid:2", "urn:ours", "opaque", "opaque-too")
        course = Course(state="rejected", reason=m["referral-reason"], result=m["referral-result"])
        tracked = referrals.ensure(tx, case.id, CLEAR, names, m["referral-path"], course, now=NOW)
        said = {"introduced": {"on": "2026-11-01", "by": m["referral-handover"]}}
        referrals.save(tx, replace(tracked, handover=said), is_open=False, now=NOW)
        received = {"identifier": [m["received-term"]]}
        for text in (m["received-earlier"], m["received"]):
            body = {"text": text, "name": m["received-term"]}
            resources.update(tx, CLEAR, "Task", m["received-id"], body, now=NOW, indexed=received)
        token = tokens.new(tx, role="admin", now=NOW)
    with store.writing() as tx:
        cases.delete(tx, m["number"] + "-2", {}, now=NOW)
        assert cases.get(tx, m["number"]) == case
        assert holdings.of_share(tx, share.id) == [holding]
        assert disclosures.of_case(tx, case.id)[0].line == line()
        assert referrals.of_case(tx, case.id) == [replace(tracked, handover=said)]
        assert resources.search(tx, CLEAR, "Task", [("identifier", [m["received-term"]])], limit=1)
    contents = b"\0".join(path.read_bytes() for path in place.files())
    assert CLEAR.encode() in contents
    assert [name for name, marker in m.items() if marker.encode() in contents] == []
    assert token[4:].encode() not in contents


def line() -> Line:
    m = MARKERS
    return Line(
        at=NOW,
        partner=CLEAR,
        purpose="referral",
        kind="attempted",
        request_id="r1",
        operation="create",
        resource_type="Goal",
        urn=m["line-urn"],
        about=m["line-about"],
        parts=(m["line-part"],),
        topics=(m["line-topic"],),
        consents=(m["line-consent"],),
        outcome=m["line-outcome"],
    )
