"""What a partner says of one child now: gathered from its world, mapped back to records, held against the case.

Level, not edge: nothing of it is queued. It is read anew each time from what stands in the partner's world; kept are
only which case the child is of, and what people decided (store/inbox.py).
"""

from adapter.arrived.looking import Look, doubt_of, look
from adapter.arrived.settling import Candidate, candidates, settle, settle_all, settle_case

__all__ = ["Candidate", "Look", "candidates", "doubt_of", "look", "settle", "settle_all", "settle_case"]
