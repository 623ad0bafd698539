"""Hundreds of random schedules of faults on real sockets, thousands behind CSP_PROOFS: afterwards the partner's copy is
what it should be.

They are the same in every run; CSP_SEED=N goes through others. A failure names its schedule, and by it can be repeated.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.verbs import schedules
from tests.verbs.conftest import Open, open_agency  # noqa: F401
from tests.verbs.test_faults import SEED

WHOLE = 3000 if os.environ.get("CSP_PROOFS") else 300
START = int(os.environ.get("CSP_SEED", SEED))
DATABASES = [*(("sqlite", n) for n in range(WHOLE)), *(("postgresql", n) for n in range(WHOLE // 10))]


@pytest.mark.servers
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("place", "schedule"), DATABASES, indirect=["place"])
def test_after_any_schedule_of_faults_the_partner_holds_what_it_should(
    open_agency: Open,  # noqa: F811
    schedule: int,
) -> None:
    """Nothing lost, nothing doubled, nothing withheld ever sent; what stopped needs one word of a person, no more."""
    dice = random.Random(START + schedule)
    schedules.run(open_agency(each={"paused": True}, lakeside=schedules.file(dice)), dice)
