"""Which markers a partner may see now: what the view shows, and of that only what a second reading also permits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapter.core.consent.rules import Rules, compile_rules
from adapter.core.keeping import effective, rulebook_for
from tests.core.consent.proofs.generators import Situation
from tests.core.consent.proofs.layout import Spot, lay_out
from tests.core.consent.proofs.leaves import leaves_in_view
from tests.core.consent.proofs.naive import Naive
from tests.journeys.leaks.instance import Instance
from tests.journeys.leaks.planting import tokens


@dataclass(frozen=True, repr=False)
class _Stored(Situation):
    """A situation with what the instance keeps beside the case."""

    kept: Mapping[str, Any] = field(default_factory=dict)

    def rules(self) -> Rules:
        return compile_rules(self.case, rulebook_for(self.rulebook, self.kept), self.kept)


def permitted(i: Instance, number: str, partner: str, now: datetime) -> set[str]:
    """The markers of this case that may stand in what this partner receives now: never an id, never the case number."""
    stored = i.stored(number)
    if stored.deleted:
        return set()
    s = _Stored(effective(stored.body, stored.kept), i.desk.bench, partner, now, stored.kept)
    spots = lay_out(s.case)
    shown = [spots[pointer] for pointer in leaves_in_view(s) if pointer in spots]
    naive = Naive(s)
    found = {
        token for spot in shown if not spot.node.get("x-id") and _covered(spot, shown, naive) for token in tokens(spot)
    }
    # The notices of the consents that it receives under travel with the partner's own (consent.md, *The view*).
    for index, consent in enumerate(s.case.get("consents", ())):
        if f"consents/{consent['id']}" in s.view().consents:
            notices = [spot for pointer, spot in spots.items() if pointer.startswith(f"/consents/{index}/notices")]
            found |= {token for spot in notices for token in tokens(spot)}
    return found


def _covered(spot: Spot, shown: list[Spot], naive: Naive) -> bool:
    """By consent.md alone, read slowly: some permit covers the leaf whole."""
    parts = {naive.part(spot)}
    if spot.node.get("x-part-referred"):
        parts = {naive.part(each) for each in shown if "x-ref" in each.node and each.value == spot.chain[0]}
    return any(naive.covered(part, naive.topics(spot), spot.chain) for part in parts)
