"""What partners have sent, until the agency has decided on it: listed, read, matched, opened, adopted, dismissed.

An item is one child of one partner's. It is computed from what stands in that partner's world; nothing of it reaches
the case, or any partner, before a person or the case system says so (exchange.md, *What comes in*).
"""

from adapter.inbox.deciding import Decided, adopt, dismiss, match, open_case
from adapter.inbox.origins import sources_of
from adapter.inbox.rebuilding import rebuild
from adapter.inbox.showing import listed, show

__all__ = ["Decided", "adopt", "dismiss", "listed", "match", "open_case", "rebuild", "show", "sources_of"]
