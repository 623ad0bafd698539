"""Whose resources are asked for, and what the answers to that are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from adapter.core.fhir.search import Query
from adapter.core.fhir.transaction import Step
from adapter.core.partner import Release
from adapter.core.referral.answer import Hearing
from adapter.core.scopes import Scopes
from adapter.errors import (
    AdapterError,
    PreconditionFailed,
)
from adapter.store.resources import Received


class Gone(AdapterError):  # noqa: N818  named as its siblings in errors.py
    """It was here, and the same partner deleted it."""

    status = 410
    code = "deleted"
    title = "Deleted"


class Ambiguous(PreconditionFailed):
    """A condition that is to name one resource matches several."""

    code = "multiple-matches"


@dataclass(frozen=True, slots=True)
class World:
    """Whose resources, under which address of ours (`https://…/fhir`), when, and in which release of FHIR."""

    partner: str
    base: str
    now: datetime
    release: Release = "R4"
    shelf: str = ""
    """The world of what we serve to the partner: read as its own is, and never written by it."""
    scopes: Scopes | None = None
    """What the token permits; None: all that a partner may do."""
    hears: Hearing | None = None
    """How this partner's answers to our referrals are read; None: it is not asked for any."""

    def permits(self, letter: str, type_: str) -> bool:
        """Is this interaction (of `cruds`) permitted on this type?"""
        return self.scopes is None or self.scopes.permits(letter, type_)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one interaction; `kept` is the resource as it stands now, `page` what a search found."""

    status: int
    kept: Received | None = None
    page: Page | None = None

    @property
    def etag(self) -> str:
        """The weak ETag of the version."""
        return f'W/"{self.kept.version}"' if self.kept else ""

    def read(self) -> tuple[Received, ...]:
        """What it tells of, whole."""
        kept = (self.kept,) if self.kept is not None and self.status == 200 else ()
        return (*kept, *(self.page.read() if self.page is not None else ()))


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search: what is on it, how many there are in all, and behind which id the next page begins; and
    what belongs to what is on it, where that was asked for."""

    found: tuple[Received, ...]
    total: int
    after: str | None
    asked: Query
    included: tuple[Received, ...] = ()

    def read(self) -> tuple[Received, ...]:
        """What it tells of, whole."""
        return (*self.found, *self.included)


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of the entries of a Bundle, in their order."""

    kind: Literal["transaction", "batch"]
    entries: tuple[tuple[Step, Answer | AdapterError], ...]

    def read(self) -> tuple[Received, ...]:
        """What its answers tell of, whole."""
        return tuple(kept for _, answer in self.entries if isinstance(answer, Answer) for kept in answer.read())
