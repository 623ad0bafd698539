"""The last look: a second, independent reading of the rules, over the finished bytes, before they leave.

It shares no code with the view. If the view, a mapping file or the narrative let something through, this stops it
(consent.md, *Last look*). A stop is an alarm for a person; it names places in the case, never values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapter.core.consent.last_look.leaves import lay_out
from adapter.core.consent.last_look.moment import Moment
from adapter.core.consent.last_look.payload import read
from adapter.core.consent.last_look.search import Sought, found, sought_of
from adapter.core.consent.last_look.withheld import Split, split

if TYPE_CHECKING:
    from adapter.core.consent.rulebook import Rulebook

__all__ = ["Look", "Stop", "last_look"]


@dataclass(frozen=True, slots=True)
class Stop:
    """These bytes must not leave."""

    paths: tuple[str, ...]
    """JSON Pointers into the case of the withheld values that stand in them; "" where the look itself failed."""


@dataclass(frozen=True)
class Look:
    """A case, read once for one partner at one time, over as many payloads as are about to leave.

    `kept` is what the store keeps beside the case: {} or {"tombstones": [paths], "waiting": {path: [tombstones]},
    "entered": {"consents/c1": date-time}}.
    """

    case: dict[str, Any] = field(repr=False)
    kept: Mapping[str, Any] = field(repr=False)
    rulebook: Rulebook = field(repr=False)
    partner: str
    now: datetime

    @cached_property
    def _sides(self) -> Split:
        flat = lay_out(self.case, self.rulebook, self.partner)
        receiver = self.rulebook.partners[self.partner]
        return split(Moment(self.case, self.kept, flat.paths(), self.rulebook, receiver, self.now), flat)

    @cached_property
    def _sought(self) -> tuple[Sought, ...]:
        return tuple(sought_of(self._sides.withheld))

    def at(self, payload: bytes, given: Collection[str] = ()) -> Stop | None:
        """None if nothing that is withheld stands in `payload`, finished JSON bytes.

        `given`: the ids that the partner itself gave to its copies: where one stands as an id or in a reference, it
        tells the partner nothing, whatever words it made it of. Never raises: what cannot be looked at does not leave.
        """
        try:
            what = read(payload, given)
            sides = self._sides
            if what.closed and not what.closed <= {leaf.value for leaf in sides.permitted}:
                return Stop(paths=("",))  # a PDF that cannot be read, and is no document of the case
            paths = found(what, self._sought, sides.permitted)
        except Exception:  # noqa: BLE001  Whatever went wrong, the answer is a stop: nothing goes on from here.
            return Stop(paths=("",))
        return Stop(paths) if paths else None


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
    """One look, at one payload (`Look`)."""
    return Look(case, kept, rulebook, partner, now).at(payload, given)
