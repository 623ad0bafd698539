"""The agency answers a partner that referred a child to it, on the Task in that partner's own world.

Level, not edge: the wanted answer is a function of the record, the enrolment and what consent says now; the Task is
brought to it in moves that the partner's dialect lets the receiver make, and what the sender writes on it is judged by
the same table. One transaction holds the case and the world, and writes the moves, their lines in the account and the
course: whatever is interrupted is done whole, or again.
"""

from adapter.answering.bringing import bring, bring_all
from adapter.answering.judging import judged, noticed

__all__ = ["bring", "bring_all", "judged", "noticed"]
