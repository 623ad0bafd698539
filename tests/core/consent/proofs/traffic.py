"""What one partner is sent over time, byte by byte, as if it took everything; kept by the holdings alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapter.core import strict_json
from adapter.core.desired import Bench, Plan, Subject, plan
from adapter.core.diff import Adopt, Create, Delete, Freeze, Holding, Release, without_traffic
from adapter.core.fhir.bundle import chunks, transaction
from adapter.core.fhir.results import Result, holding


@dataclass
class Traffic:
    bench: Bench
    partner: str
    held: dict[str, Holding] = field(default_factory=dict)
    content: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What the partner holds, by our urns."""
    requests: list[bytes] = field(default_factory=list)
    created: int = 0

    def reconcile(self, case: dict[str, Any], now: datetime) -> Plan:
        """Plan and send in chunks; the partner numbers what it creates in the order in which it comes."""
        held = list(self.held.values())
        # The number under which the agency keeps the case names its resources; it is the same child.
        subject = Subject("C-1", case, {})
        planned = plan(self.bench, subject, self.partner, now, held, directory={}, kept_elsewhere=())
        for change in planned.changes:
            if isinstance(change, Adopt | Freeze | Release):
                self._keep_quiet(change)
        for chunk in chunks(planned.changes, self.bench.rulebook.partners[self.partner].chunk):
            ids = {urn: f"{h.type}/{h.id}" for urn, h in self.held.items() if h.state != "withdrawn"}
            self.requests.append(strict_json.dump(transaction(chunk, ids)))
            for change in chunk:
                self._take(change)
        return planned

    def _take(self, change: Any) -> None:
        self.created += isinstance(change, Create)
        id_ = f"n{self.created}" if isinstance(change, Create) else change.holding.id
        taken = holding(Result(change, "delivered", id=id_, version=str(len(self.requests))))
        assert taken is not None
        self.held[taken.urn] = taken
        if isinstance(change, Delete):
            del self.content[taken.urn]
        else:
            self.content[taken.urn] = change.made.resource

    def _keep_quiet(self, change: Adopt | Freeze | Release) -> None:
        kept = without_traffic(change)
        if kept is None:
            assert isinstance(change, Release)
            del self.held[change.holding.urn]
        else:
            self.held[kept.urn] = kept
