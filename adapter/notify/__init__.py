"""Partners' subscriptions at our /fhir: keep them, say how they stand, and tell their endpoints what has changed.

Told are ids, of what the partner may read at that moment, and numbers; never a resource. What may not be seen makes no
event (store/resources.py): neither how many there are nor when they come says anything of it. Ids that the partner was
never told of before are entered into the account of their case before they leave (consent.md, *Accounting*).
"""

from adapter.notify.keeping import MOST, ask, ask_again, delete, events, listed, read, shown, status
from adapter.notify.telling import ATTEMPTS, tell_next

__all__ = ["ATTEMPTS", "MOST", "ask", "ask_again", "delete", "events", "listed", "read", "shown", "status", "tell_next"]
