"""Asks a partner's server for answers to our referrals, and to our requests to purge, in its turn; only for Tasks of
ours, by their identifiers.

`Task?identifier=…&_lastUpdated=gt…`, from that server's own time on (exchange.md, *Warm referrals*). Where a server
counts versions, those that came and went between two polls are read too, so that each transition comes home.
"""

from adapter.poll.turns import next_due, poll_next

__all__ = ["next_due", "poll_next"]
