"""The last look: a second, independent reading of the rules, over the finished bytes, before they leave.

It shares no code with the view. If the view, a mapping file or the narrative let something through, this stops it
(consent.md, *Last look*). A stop is an alarm for a person; it names places in the case, never values.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapter.core.consent.last_look.leaves import lay_out
from adapter.core.consent.last_look.moment import Moment
from adapter.core.consent.last_look.payload import read
from adapter.core.consent.last_look.search import found
from adapter.core.consent.last_look.withheld import split

if TYPE_CHECKING:
    from adapter.core.consent.rulebook import Rulebook

__all__ = ["Stop", "last_look"]


@dataclass(frozen=True, slots=True)
class Stop:
    """These bytes must not leave."""

    paths: tuple[str, ...]
    """JSON Pointers into the case of the withheld values that stand in them; "" where the look itself failed."""


def last_look(
    payload: bytes,
    *,
    case: dict[str, Any],
    kept: dict[str, Any],
    rulebook: Rulebook,
    partner: str,
    now: datetime,
    given: Collection[str] = (),
) -> Stop | None:
    """None if nothing withheld from `partner` at `now` stands in `payload`, finished JSON bytes.

    `given`: the ids that the partner itself gave to its copies: where one stands as an id or in a reference, it tells
    the partner nothing, whatever words it made it of.

    `kept` is what the store keeps beside the case: {} or {"tombstones": [paths], "waiting": {path: [tombstones]},
    "entered": {"consents/c1": date-time}}. Never raises: what cannot be looked at does not leave.
    """
    try:
        flat = lay_out(case, rulebook, partner)
        moment = Moment(case, kept, flat.paths(), rulebook, rulebook.partners[partner], now)
        sides = split(moment, flat)
        what = read(payload, given)
        if not what.closed <= {leaf.value for leaf in sides.permitted}:
            return Stop(paths=("",))  # a PDF that cannot be read, and is no document of the case
        paths = found(what, sides.withheld, sides.permitted)
    except Exception:  # noqa: BLE001  Whatever went wrong, the answer is a stop: nothing goes on from here.
        return Stop(paths=("",))
    return Stop(paths) if paths else None
