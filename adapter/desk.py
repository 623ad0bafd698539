"""What the verbs work with: the settings, the catalogue, the store, the partners' servers and a clock, as one value."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from adapter.catalogue import Catalogue
from adapter.core.desired import Bench
from adapter.outward.alerting import Teller
from adapter.outward.signing import SigningKeys
from adapter.outward.way import Way
from adapter.outward.webhook import Taken
from adapter.settings import Agency, Settings
from adapter.store.database import Store


@dataclass(frozen=True, slots=True)
class Preview:
    """Enough to show what would be shared: nothing is stored and nobody is called."""

    settings: Agency
    catalogue: Catalogue
    bench: Bench
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Desk:
    """A whole instance. `server` gives the way to one partner; `signing` reads the keys that show partners who we are;
    `wake` tells the worker that something is due; `ways` are those by which people are told of alerts,
    `case_system` posts a notice, by its id, to the agency's own system; None where that is not to be told."""

    settings: Settings
    catalogue: Catalogue
    bench: Bench
    clock: Callable[[], datetime]
    store: Store
    server: Callable[[str], Way]
    wake: threading.Event = field(default_factory=threading.Event)
    signing: Callable[[], SigningKeys] = SigningKeys
    ways: Mapping[str, Teller] = field(default_factory=dict)
    case_system: Callable[[str, bytes], Taken] | None = None
    lacking: Callable[[str], list[str]] = lambda _partner: []
    """What keeps us from showing this partner who we are (outward/credentials.py), as sentences."""
