"""What a partner should hold against what it holds: the difference is what is sent (design.md, *Level, not edge*)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """One resource that a partner should hold now.

    `resource` carries no `id`; its references to other resources of ours are their urns. `urn` is the resource's own
    (`urn:uuid:…`), `identifier` its business identifier (system, value): both the partner's own and opaque
    (exchange.md, *Identity*). `directory` resources are created if absent and never updated. `about` is the path of the
    record in the case, `parts` and `topics` what it tells of: for the account of disclosures, never sent.
    """

    urn: str
    type: str
    identifier: tuple[str, str]
    resource: Resource
    directory: bool = False
    about: str = ""
    parts: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holding:
    """One resource that the partner holds from us, as far as we know.

    `hash` is the SHA-256 of the canonical JSON of what we last sent (with urns), empty when what the partner holds is
    not known to equal it. `ours` is false for what a conditional create found already there: never changed or deleted.
    `state`: active; frozen (a permit ran out: no more updates); withdrawn (taken back: only asks to purge refer to it).
    """

    urn: str
    type: str
    identifier: tuple[str, str]
    id: str
    version: str
    hash: str
    directory: bool = False
    ours: bool = True
    state: Literal["active", "frozen", "withdrawn"] = "active"
    about: str = ""
    parts: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
