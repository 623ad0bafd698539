"""Rule 7: a consent that another one has taken the place of permits nothing, ever."""

from __future__ import annotations

from datetime import datetime

from adapter.core.consent.provisions import Terms
from adapter.core.consent.rules.compiled import Rules


def superseded(rules: Rules, terms: Terms, now: datetime) -> bool:
    """Rule 7: from the start of a successor that is no draft, error or unadopted import, it permits nothing."""
    return any(
        terms.path in c.supersedes
        and c.path != terms.path
        and c.counts_for_denying
        and not c.imported
        and (c.period.start is None or c.period.start <= now)
        for c in rules.consents
    )
