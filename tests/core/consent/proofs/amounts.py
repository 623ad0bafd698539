"""How many examples each property is held against: few by default, ten times as many where CSP_PROOFS is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings


def examples(few: int) -> Callable[[Any], Any]:
    """`few`, times CSP_PROOFS_TIMES; ten times where only CSP_PROOFS is set."""
    times = float(os.environ.get("CSP_PROOFS_TIMES") or (10 if os.environ.get("CSP_PROOFS") else 1))
    exact = os.environ.get("CSP_PROOFS_EXAMPLES")
    return settings(
        max_examples=int(exact) if exact else max(1, int(few * times)),
        deadline=None,
        database=None,
        # A situation is large by intent, and some properties speak of few of them.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        # A long run names the first situation that it finds; to shrink one of such a size takes longer than the run.
        phases=(Phase.explicit, Phase.generate, *(() if exact else (Phase.shrink,))),
    )
