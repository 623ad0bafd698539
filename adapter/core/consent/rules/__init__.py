"""The consents, people and teams of one case compiled to what decides: permits and denies for a partner at a time.

The nine rules of consent.md, and where each is held:

1. silence is denial: `why_not_counted` (permitting.py), and the end of decide.py
2. what permits: permitting.py; whom it names: `reaches` (receivers.py); who may give it: grantors.py
3. what denies: denying.py; whom it names: `aims_at` (receivers.py); how it is lifted: lifting.py
4. one permit covers the whole element: `covers` (decide.py)
5. deny wins: `decide` (decide.py)
6. between people: grantors.py, asked by `why_not_in_force` (permitting.py) and by `decide`
7. what another consent has taken the place of: superseding.py; what was entered in error: keeping.py
8. what does not come from consent is entered only: account/entering.py
9. decided when bytes are about to leave: the verb, adapter/reconcile
"""

from adapter.core.consent.rules.alarms import Alarm, alarms_of, why_it_permits_nothing
from adapter.core.consent.rules.compiled import Rules, compile_rules, is_agency, sectors_of
from adapter.core.consent.rules.counted import Deny, Permit, Test
from adapter.core.consent.rules.standing import Standing, standing_of

__all__ = [
    "Alarm",
    "Deny",
    "Permit",
    "Rules",
    "Standing",
    "Test",
    "alarms_of",
    "compile_rules",
    "is_agency",
    "sectors_of",
    "standing_of",
    "why_it_permits_nothing",
]
