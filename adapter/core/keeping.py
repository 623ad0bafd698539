"""What the adapter keeps beside a case as the agency sends it anew: entry dates, versions of consents, tombstones.

`kept` is JSON; keys that are not of this module stay as they are: `{"entered": {"consents/c1": date-time},
"versions": {"consents/c1": [3, digest]}, "tombstones": [path…], "waiting": {path: [tombstone…]}, "came": {"goals/g1":
[source, date-time]}}` (consent.md, rule 3, *Not computable* and *Unreviewed text*); what was adopted from partners, and
from where (core/inbox/sources.py); of a deleted case also `"gone"`: the paths of its denied records and of what stood
beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from adapter.core.consent.captured import as_read
from adapter.core.consent.rulebook import Rulebook
from adapter.core.inbox import imported, sources
from adapter.core.referral.kept import carried, with_outcomes
from adapter.core.schema import paths, records
from adapter.core.strict_json import digest

Kept = dict[str, Any]


def carry(
    before: Mapping[str, Any], kept: Mapping[str, Any], after: Mapping[str, Any], now: datetime, *, source: str = ""
) -> Kept:
    """What to keep once the case is `after`; `before` and `kept` are as they were stored.

    `source`: the source system that puts it; empty where the instance has but one, or a person does.
    """
    consents = {f"consents/{c['id']}": c for c in _consents(after, kept)}
    entered = {path: kept.get("entered", {}).get(path, now.isoformat()) for path in consents}
    known = {*paths(before), *kept.get("gone", ())}
    # The denied records that were in the case and are not: their deny must not turn into one of nothing.
    tombstones = ({*known, *kept.get("tombstones", ())} - set(paths(after))) & set(_denied(consents.values()))
    return {
        **{name: value for name, value in sources.carried(carried(kept, after), after).items() if name != "gone"},
        "entered": entered,
        "versions": _versions(kept.get("versions", {}), consents),
        "tombstones": sorted(tombstones),
        "waiting": _waiting(known, kept, after, tombstones),
        "came": _came(before, kept, after, now, source),
    }


def carry_over_deletion(before: Mapping[str, Any], kept: Mapping[str, Any], now: datetime) -> Kept:
    """What to keep of a case that is deleted: the same may come again, but nothing denied under another name."""
    carried = carry(before, {n: v for n, v in kept.items() if n not in ("arrived", "arrived_fields")}, before, now)
    denied = _denied(_consents(before, kept))
    lists = {path.rpartition("/")[0] for path in denied}
    return {**carried, "gone": sorted(path for path in paths(before) if path.rpartition("/")[0] in lists)}


def effective(body: Mapping[str, Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The case as the rules read it: what the agency sent, with what people did here and no put of the agency removes.

    `kept["captured"]`: consents captured here; one of the agency's with the same id gives way. `kept["held"]`: those
    of them whose handwritten limits nobody has turned into provisions: they permit nothing. `kept["errors"]`: path of a
    consent → {"by", "reason", "on", "digest"}: it was entered in error, whoever keeps it, and says nothing (rule 7).
    Another one under its id permits nothing either, but what that denies nobody has called an error.
    `kept["reviews"]`: path → {"by", "on", "digest", "topics"}: a review counts while the record says what was reviewed;
    the topics that the reviewer gave it stay, until another review gives others. `kept["outcomes"]`: what receivers
    answered to referrals, without their own words (core/referral/kept.py). `kept["imported"]`: what partners' Consents
    deny, and revoke (core/inbox/imported.py).
    """
    if not body:
        return {}
    case = with_outcomes(body, kept, words=False)
    if captured := kept.get("captured", ()):
        own = {c["id"] for c in captured}
        case["consents"] = [*(c for c in body.get("consents", ()) if c["id"] not in own), *as_read(kept)]
    if kept.get("imported"):
        case["consents"] = imported.with_imported(case.get("consents", ()), kept)
    if errors := kept.get("errors", {}):
        case["consents"] = [_in_error(c, errors.get(f"consents/{c['id']}")) for c in case.get("consents", ())]
    for path, review in kept.get("reviews", {}).items():
        # Held against what was sent: a section that has its review must not make its plan another one.
        read = _says_still(body, path.split("/"), review["digest"])
        case = _reviewed(case, path.split("/"), review, read=read)
    return case


def cancelled(kept: Mapping[str, Any], consent: Mapping[str, Any], *, by: str, reason: str, now: datetime) -> Kept:
    """What to keep once a consent, as it is, is known to have been entered in error."""
    said = {"by": by, "reason": reason, "on": now.isoformat(), "digest": _content(consent)}
    return {**kept, "errors": {**kept.get("errors", {}), f"consents/{consent['id']}": said}}


def _in_error(consent: dict[str, Any], said: Mapping[str, Any] | None) -> dict[str, Any]:
    if said is None:
        return consent
    return {**consent, "status": "entered-in-error" if _content(consent) == said["digest"] else "revoked"}


def _content(consent: Mapping[str, Any]) -> str:
    return digest({name: value for name, value in consent.items() if name != "status"})


def rulebook_for(rulebook: Rulebook, kept: Mapping[str, Any]) -> Rulebook:
    """The rule book of one case: what its records' own sources label, where they are not the instance's only one."""
    came = kept.get("came", {})
    otherwise = {
        path
        for path, (source, _) in came.items()
        if source and rulebook.sources.get(source, False) != rulebook.labels_topics
    }
    return replace(rulebook, otherwise=frozenset(otherwise)) if otherwise else rulebook


def reviewable(record: Mapping[str, Any]) -> str:
    """The digest that a review of this record, section or service is bound to."""
    return digest({name: value for name, value in record.items() if name != "reviewed"})


def _says_still(value: Any, steps: list[str], known: str) -> bool:
    """Is what `steps` (collection, id, list, id…) lead to what was reviewed?"""
    if not steps:
        return isinstance(value, dict) and reviewable(value) == known
    name, *rest = steps
    child = value.get(name) if isinstance(value, dict) else None
    if isinstance(child, list) and rest:
        return any(_says_still(e, rest[1:], known) for e in child if e.get("id") == rest[0])
    return _says_still(child, rest, known)


def _reviewed(value: Any, steps: list[str], review: Mapping[str, Any], *, read: bool) -> Any:
    """`value` with the reviewer's labels, and if it was `read` with the review, at the place that `steps` lead to."""
    if not steps:
        if not isinstance(value, dict):
            return value
        topics = {*value.get("topics", ()), *review.get("topics", ())}
        labels = {"topics": sorted(topics)} if review.get("topics") else {}
        return {**value, **labels, **({"reviewed": {"by": review["by"], "on": review["on"]}} if read else {})}
    name, *rest = steps
    child = value.get(name) if isinstance(value, dict) else None
    if isinstance(child, list) and rest:
        identity, *below = rest
        return {
            **value,
            name: [_reviewed(e, below, review, read=read) if e.get("id") == identity else e for e in child],
        }
    return {**value, name: _reviewed(child, rest, review, read=read)} if isinstance(child, dict) else value


def version_of(kept: Mapping[str, Any], consent: str) -> str:
    """`consents/c1@3`: how the account of disclosures names a consent."""
    number, _ = kept.get("versions", {}).get(consent, (1, ""))
    return f"{consent}@{number}"


def _consents(case: Mapping[str, Any], kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every consent that says something in this case, whoever keeps it; of one id the agency's own last."""
    return [*imported.records(kept), *case.get("consents", ()), *kept.get("captured", ())]


def _versions(before: Mapping[str, Any], consents: Mapping[str, Any]) -> dict[str, list[Any]]:
    # Also of consents that went: one that comes again otherwise must not take the number of the earlier one.
    versions: dict[str, list[Any]] = dict(before)
    for path, consent in consents.items():
        number, known = before.get(path, (0, ""))
        content = digest(consent)
        versions[path] = [number if known == content else number + 1, content]
    return versions


def _came(
    before: Mapping[str, Any], kept: Mapping[str, Any], after: Mapping[str, Any], now: datetime, source: str
) -> dict[str, list[str]]:
    """Each record's source, and when it came to say what it says. One that is put as it was keeps its source: nobody
    labels another's text by handing it on."""
    earlier = kept.get("came", {})
    same = {path: record for _, path, record in records(before)}
    came: dict[str, list[str]] = {}
    for _, path, record in records(after):
        if same.get(path) != record:
            came[path] = [source, now.isoformat()]
        elif path in earlier:
            came[path] = earlier[path]
    return came


def _waiting(
    known: set[str], kept: Mapping[str, Any], after: Mapping[str, Any], tombstones: set[str]
) -> dict[str, list[str]]:
    """What has been added to the collection or list of a tombstone: it may be the denied one under another name."""
    here = set(paths(after))
    waiting: dict[str, list[str]] = {}
    for tomb in sorted(tombstones):
        siblings = {path for path in here - known if path.rpartition("/")[0] == tomb.rpartition("/")[0]}
        earlier = {path for path, tombs in kept.get("waiting", {}).items() if tomb in tombs and path in here}
        for path in sorted(siblings | earlier):
            waiting.setdefault(path, []).append(tomb)
    return waiting


def _denied(consents: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for consent in consents:
        yield from _denied_by(consent.get("provisions", ()))


def _denied_by(provisions: Any) -> Iterator[str]:
    for p in provisions:
        if p["effect"] == "deny":
            records = p.get("records", ())
            yield from (records,) if isinstance(records, str) else records
        yield from _denied_by(p.get("except", ()))
