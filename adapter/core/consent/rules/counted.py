"""What counts for one partner at one time: permits (rule 2), denies (rule 3), and what an element is held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from adapter.core.consent.provisions import Provision, Terms


@dataclass(frozen=True, slots=True)
class Test:
    """The fields of a provision that an element is held against; None is a field that leaves nothing out."""

    purposes: frozenset[str] | None
    parts: frozenset[str] | None
    topics: frozenset[str] | None
    records: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Permit:
    """A permit that counts for one partner at one time (rule 2)."""

    provision: Provision
    terms: Terms
    test: Test
    except_for: tuple[Test, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Deny:
    """A deny that counts for one partner at one time (rule 3)."""

    provision: Provision
    terms: Terms
    test: Test
    except_for: tuple[Test, ...]
