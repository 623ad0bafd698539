"""What of an item a choice names, and what is kept of having chosen it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapter.arrived import Look
from adapter.core.inbox import asked, opening
from adapter.core.inbox.adopting import chosen
from adapter.core.inbox.asked import Choice
from adapter.core.inbox.comparing import record_at
from adapter.core.inbox.values import Proposal
from adapter.errors import Problem, Refused
from adapter.store.cases import StoredCase

_NO_RECORD = "must be a new record that is chosen, and fields other than its id"


def picked(seen: Look, wanted: Choice, *, adoptable: bool) -> list[Proposal]:
    """What is chosen and not decided yet. Refused: a path names nothing that is proposed, or that can be adopted."""
    if wanted.paths is None:
        return [each for each in seen.open if each.whole or not adoptable]
    offered = [each for each in seen.proposals if each.adoptable or not adoptable]
    found, unknown = chosen(offered, wanted.paths)
    decided = {path for path in unknown for each in seen.item.decisions if each == path or each.startswith(f"{path}/")}
    wrong = [
        Problem(f"/paths/{wanted.paths.index(path)}", "names nothing that this item proposes now")
        for path in unknown
        if path not in decided
    ]
    if wrong:
        raise Refused("The choice names what is not there.", sorted(wrong))
    return [each for each in found if adoptable or not each.decided]


def completed(of: list[Proposal], with_: Mapping[str, Mapping[str, Any]]) -> list[Proposal]:
    """With the fields that a person adds. Refused: to what is not chosen, or is no new record."""
    records = {each.path for each in of if each.kind in ("record", "incomplete")}
    wrong = [path for path, fields in with_.items() if path not in records or "id" in fields]
    if wrong:
        pointers = (path.replace("~", "~0").replace("/", "~1") for path in sorted(wrong))
        raise Refused("The choice adds to what is not there.", [Problem(f"/with/{p}", _NO_RECORD) for p in pointers])
    return opening.completed(of, with_)


def decisions(of: Iterable[Proposal], what: str, by: str, now: datetime, reason: str = "") -> dict[str, Any]:
    """What is kept of a decision, `adopted` or `dismissed`: bound to what was sent."""
    said = {"what": what, "by": by, "on": now.isoformat(), **({"reason": reason} if reason else {})}
    return {each.path: {**said, "digest": each.digest} for each in of}


def pairs_of(seen: Look, stored: StoredCase, wanted: asked.Matching, before: Mapping[str, str]) -> dict[str, str]:
    """What of theirs is which record of the case. Refused: no such resource, no such record, or another kind of one."""
    pairs = dict(before)
    wrong = []
    for name, path in wanted.pairs.items():
        pointer = f"/pairs/{name.replace('~', '~0').replace('/', '~1')}"
        if name not in seen.sent.names or name.startswith(("Patient/", "Consent/")):
            wrong.append(Problem(pointer, "names no resource of this item that can be a record of its own"))
        elif path is None:
            pairs.pop(name, None)
        elif path.count("/") != 1 or record_at(stored.body, path) is None:
            wrong.append(Problem(pointer, "names no record of the case"))
        elif path.partition("/")[0] not in _kinds(seen, name):
            wrong.append(Problem(pointer, "is another kind of record than this resource becomes"))
        else:
            pairs[name] = path
    if wrong:
        raise Refused("The request breaks rules.", sorted(wrong))
    return pairs


def _kinds(seen: Look, name: str) -> set[str]:
    """The collections of what a resource becomes."""
    every = (*seen.mapped.records, *seen.mapped.additions, *seen.mapped.incomplete)
    return {each.collection for each in every if any(seen.sent.names[index] == name for index, _ in each.sources)}
