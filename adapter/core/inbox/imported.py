"""Consents among what a partner sent: what they deny counts in the case at once, what they permit waits for the agency.

`kept["imported"]`: id of a consent → {"record", "partner", "type", "id", "version", "item"}; the record is marked
`imported`. It permits nothing, supersedes nothing and lifts nothing (consent.md, rule 7): a denial that the partner has
said once stays, also where its Consent says something else later, is revoked there, or is gone, until a person here
adopts the new one or calls the old one an error. Once adopted, it is the agency's own; then what is kept here still
revokes it, when the partner does, and still denies what it denies anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from adapter.core.mapping.inbound import Received
from adapter.core.mapping.inbound.fit import rule_id

Kept = dict[str, Any]
Consent = dict[str, Any]

_ENDED = ("revoked", "entered-in-error", "superseded")
_MOST = 200
"""Provisions that a consent holds."""


def read(
    received: Received, names: Sequence[str], *, source: str, unheard: bool = False
) -> dict[str, tuple[str, Consent]]:
    """Each Consent of a set: id of its record → (`Consent/id`, the record). One that could not be read denies
    everything, and so do those that are `unheard`: what nobody can read may deny anything."""
    found: dict[str, tuple[str, Consent]] = {}
    records = {i: each.record for each in received.records if each.collection == "consents" for i, _ in each.sources}
    # Without a provision of sharing it denies nothing: it is about research, or about treatment.
    silent = {
        index
        for each in received.incomplete
        if each.collection == "consents" and "provisions" not in each.record
        for index, _ in each.sources
    }
    for index, name in enumerate(names):
        if name.startswith("Consent/") and index not in silent:
            record = records.get(index) or unreadable(rule_id(f"{source} Consent", name))
            found[record["id"]] = (name, record)
    if unheard:
        id_ = rule_id(f"{source} Consent", "too many to be read")
        found[id_] = ("Consent/", unreadable(id_))
    return found


def unreadable(id_: str) -> Consent:
    """The consent that stands for one that nobody can read."""
    provisions = [{"id": "p1", "effect": "deny"}]
    return {"id": id_, "status": "active", "granted_by": "child", "provisions": provisions, "imported": True}


def denies(consent: Mapping[str, Any]) -> bool:
    """Does it say no to anything?"""
    return consent["status"] not in ("draft", "entered-in-error") and any(True for _ in _denials(consent))


def joined(
    kept: Mapping[str, Any],
    sent: Mapping[str, tuple[str, Consent]],
    versions: Mapping[str, int],
    *,
    partner: str,
    item: str,
) -> Kept:
    """What to keep now that the item's Consents say this. Where nothing changes, it is equal to `kept`."""
    before: Mapping[str, Any] = kept.get("imported", {})
    after = {id_: entry for id_, entry in before.items() if entry["item"] != item}
    for id_, entry in before.items():
        if entry["item"] == item and id_ not in sent:
            after[id_] = {**entry, "record": _ended(entry["record"])}
    for id_, (name, record) in sent.items():
        type_, _, own = name.partition("/")
        earlier = before.get(id_)
        now = _with_earlier(record, earlier["record"]) if earlier else {**record, "imported": True}
        after[id_] = {
            "record": now, "partner": partner, "type": type_, "id": own, "version": str(versions.get(name, 0)),
            "item": item,
        }  # fmt: skip
    rest = {name: value for name, value in kept.items() if name != "imported"}
    return {**rest, **({"imported": after} if after else {})}


def left(kept: Mapping[str, Any], item: str) -> Kept:
    """What to keep once the item is of this case no more: it never was about this child."""
    others = {id_: entry for id_, entry in kept.get("imported", {}).items() if entry["item"] != item}
    rest = {name: value for name, value in kept.items() if name != "imported"}
    return {**rest, **({"imported": others} if others else {})}


def adopted(kept: Mapping[str, Any], sent: Mapping[str, tuple[str, Consent]], ids: Iterable[str]) -> Kept:
    """What to keep once the agency has taken these over as they are now: what they said before counts no more."""
    imported = dict(kept.get("imported", {}))
    for id_ in ids:
        if id_ in imported and id_ in sent:
            imported[id_] = {**imported[id_], "record": {**sent[id_][1], "imported": True}}
    return {**kept, "imported": imported} if imported else dict(kept)


def records(kept: Mapping[str, Any]) -> Iterator[Consent]:
    """Every consent that stands beside the case."""
    return (entry["record"] for entry in kept.get("imported", {}).values())


def with_imported(consents: Sequence[Consent], kept: Mapping[str, Any]) -> list[Consent]:
    """The consents as the rules read them: the agency's own, and what partners' Consents deny and revoke."""
    said = {record["id"]: record for record in records(kept)}
    found: list[Consent] = []
    for own in consents:
        record = said.pop(own["id"], None)
        if record is None:
            found.append(own)
            continue
        ended = record["status"] in _ENDED and own["status"] == "active"
        found.append({**own, "status": "revoked"} if ended else own)
        here = [_plain(each) for each in _denials(own)]
        if own["status"] in ("draft", "entered-in-error"):
            here = []
        if fresh := [each for each in _denials(record) if _plain(each) not in here]:
            found.append({**record, "id": f"{record['id']}.imported", "provisions": fresh})
    return [*found, *said.values()]


def _with_earlier(record: Consent, earlier: Consent) -> Consent:
    """The new version, with what the earlier one denied and it does not."""
    if not denies(earlier):
        return {**record, "imported": True}
    # That it is a draft or an error over there does not lift what it denied here.
    status = record["status"] if record["status"] not in ("draft", "entered-in-error") else "revoked"
    now = [_plain(each) for each in _denials(record)]
    missed = [each for each in _denials(earlier) if _plain(each) not in now]
    if len(record["provisions"]) + len(missed) > _MOST:
        return {**unreadable(record["id"]), "status": status}
    taken = {each["id"] for each in record["provisions"]}
    kept = [{**each, "id": _free(each["id"], taken)} for each in missed]
    return {**record, "status": status, "provisions": [*record["provisions"], *kept], "imported": True}


def _ended(record: Consent) -> Consent:
    """A Consent that is gone at the partner: it permits nothing any more, and what it denied stays."""
    return record if record["status"] in ("draft", *_ENDED) else {**record, "status": "revoked"}


def _denials(consent: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return (each for each in consent.get("provisions", ()) if each["effect"] == "deny")


def _plain(provision: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in provision.items() if name != "id"}


def _free(id_: str, taken: set[str]) -> str:
    number = 0
    while (found := f"{id_[:50]}-earlier-{number}") in taken:
        number += 1
    taken.add(found)
    return found
