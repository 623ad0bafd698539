"""A FHIR Consent as a value: what it says, under which reading, and what in it cannot be computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adapter.core.consent.provisions import Span

Effect = Literal["permit", "deny"]


@dataclass(frozen=True, slots=True, order=True)
class Coding:
    """A code of a system; an empty system is one that was not said."""

    system: str
    code: str


@dataclass(frozen=True, slots=True)
class Actor:
    """Someone a provision speaks of. `references` are literal (`Organization/54`), `identifiers` (system, value)."""

    path: str
    references: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    roles: tuple[Coding, ...] = ()
    type: str = ""
    """The resource type, as far as it was said."""
    contained: bool = False
    """Referred to inside the Consent (`#id`): its identifiers stand here, the reference says nothing outside."""


@dataclass(frozen=True, slots=True)
class Data:
    """A resource that a provision names, and how far from it the provision reaches (R4 `data.meaning`)."""

    meaning: str
    """instance | related | dependents | authoredby"""
    reference: str
    both_ways: bool = False
    """PCF writes `related` for what refers to the resource, which R4 calls `dependents`: read as either."""


@dataclass(frozen=True, slots=True)
class Provision:
    """One level of the tree. An empty tuple (or None) is an element that is absent: it narrows nothing."""

    path: str
    """FHIRPath of the element it comes from, as in `Consent.provision.provision[0]`."""
    effect: Effect | None
    """None: it cannot be told whether it permits or denies."""
    actors: tuple[Actor, ...] = ()
    actions: tuple[tuple[Coding, ...], ...] = ()
    purposes: tuple[Coding, ...] = ()
    classes: tuple[Coding, ...] = ()
    documents: tuple[Coding, ...] = ()
    """R5 `documentType`, held against the class of the data as `classes` is, and both must hold."""
    codes: tuple[tuple[Coding, ...], ...] = ()
    labels: tuple[Coding, ...] = ()
    data: tuple[Data, ...] = ()
    data_period: Span | None = None
    period: Span | None = None
    provisions: tuple[Provision, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Paths of elements of its own that cannot be computed: whether it applies can then only be ruled out."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something that is not computable: the FHIRPath of the element, and why, never a value of it."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class ConsentValue:
    """One Consent, read. With any fault it permits nothing, and what it may deny is a person's to decide."""

    id: str
    release: Literal["R4", "R5", ""]
    status: str
    scopes: tuple[Coding, ...]
    categories: tuple[Coding, ...]
    patients: tuple[str, ...]
    """Whom it is about: literal references and `system|value`."""
    grantors: tuple[Actor, ...]
    dated: Span | None
    """R4 `dateTime`, R5 `date`: from the first to after the last instant that it may mean."""
    date_text: str
    period: Span | None
    """R5 `period`."""
    policies: tuple[str, ...]
    root: Provision
    readings: tuple[str, ...]
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    verified: bool
    """False where the Consent itself says that it was not verified."""
