"""A partner as the rules, the mapping and the sending know it: the contents of one partners/<id>.toml, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

KEEPS = (
    "Task.status",
    "Task.statusReason",
    "Task.businessStatus",
    "Task.owner",
    "Task.output",
    "Task.executionPeriod",
    "Task.lastModified",
    "*.note",
)
"""What is theirs where the partner file says nothing else: the answers on a Task, and notes that they added."""
Release = Literal["R4", "R5"]
"""The release of FHIR that a partner speaks."""
Dialect = Literal["", "us-core", "ca-baseline", "eltss", "gravity", "mcc"]
"""The implementation guide that a partner reads by; empty: none, what all of them allow (docs/guides.md)."""
DIALECTS: tuple[Dialect, ...] = tuple(each for each in get_args(Dialect) if each)
Purpose = Literal["care-coordination", "referral", "treatment", "education-planning", "service-resolution", "quality"]


@dataclass(frozen=True, slots=True)
class Authorisation:
    """How we show who we are. `secret` and `certificate` name an environment variable or file; they never hold one."""

    kind: Literal["none", "bearer", "client-secret", "smart-backend", "mtls", "ssh-key", "password"] = "none"
    secret: str = ""
    """Of `bearer` the token, of `client-secret` the client's secret, of `ssh-key` and `password` what a folder asks."""
    certificate: str = ""
    """Our certificate for TLS with its key (PEM): alone with `mtls`, beside any other kind where the server asks so."""
    token_url: str = ""
    """Where tokens are given out; empty: where the server's .well-known/smart-configuration says, on the same host."""
    client_id: str = ""
    scopes: tuple[str, ...] = ()
    client_authentication: Literal["basic", "form"] = "basic"
    """How a token endpoint takes the client's secret: HTTP Basic, as all have to, or in the form (RFC 6749, 2.3.1)."""
    algorithm: Literal["ES384", "RS384"] = "ES384"
    key: str = ""
    """The name of our signing key; empty: the newest of the algorithm whose use has begun."""


Answers = Literal["poll", "subscription", "push", "link"]
"""How answers to referrals come home: we ask; its server tells us when to ask; they write to our /fhir; through a
signed link."""
ASKED: tuple[Answers, ...] = ("poll", "subscription")
"""Those by which a server is asked, sooner or later."""


@dataclass(frozen=True, slots=True)
class Referrals:
    """By which table a partner moves a referral (mappings/dialects), and how we learn of it."""

    dialect: str = "generic"
    answers: Answers = "poll"
    every: float = 60.0
    """Minutes between two polls. Under 15 only where the partner file says so (Gravity, *Checking Task Status*)."""
    passes_on: bool = False
    """Does it pass referrals on to others? Then it is asked for the Tasks that are part of ours, too."""
    topic: str = ""
    """Of a subscription: the canonical of its server's SubscriptionTopic; empty: one that it states, else R4's plain
    criteria."""
    criteria: str = ""
    """Of a subscription: what narrows it, `Task?…`; empty: what bears an identifier of ours."""
    soonest: float = 5.0
    """Seconds: notifications, however many, make us ask no more often than this."""


@dataclass(frozen=True, slots=True)
class Client:
    """The partner's own system, as it shows itself to our token endpoint: its id, and the public keys that it signs
    with (a JWK Set, as JSON). Without an id it has none."""

    id: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Trust:
    """By whose certificates the partner's servers are known, in place of the public authorities: the name of the file
    beside the partner's, and what it holds (PEM). Without a file the public ones count."""

    file: str = ""
    certificates: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Partner:
    """An organisation with an endpoint that may receive, and may answer."""

    id: str
    name: str
    sectors: tuple[str, ...]
    since: date
    """The day it was configured: a permit to `"all"` reaches the partners that existed when it was signed ."""
    purpose: Purpose = "care-coordination"
    base_url: str = ""
    folder: str = ""
    """In place of a server: `sftp://user@host:port/path`, where the plan is put as files."""
    host_key: str = ""
    """Of the folder's host, as its administrator tells it (`ssh-ed25519 AAAA…`): no other is spoken to."""
    release: Release = "R4"
    dialect: Dialect = ""
    """Its resources name this guide's profiles, and where guides contradict each other it decides."""
    identifiers: tuple[tuple[str, str], ...] = ()
    """(system, value) by which the organisation is known, on cases and on FHIR servers."""
    audience: tuple[str, ...] = ()
    """Identifier types (`health-card`, `school-number`, …) that this partner may be told beyond its sector's own; each
    with the stated authority (exchange.md, *Identity*)."""
    audience_authority: str = ""
    written_only: bool = False
    after_end: Literal["freeze", "withdraw"] = "freeze"
    withheld_notice: bool = False
    narrative: bool = True
    withdrawal: Literal["delete", "stub"] = "delete"
    bytes: Literal["binary", "inline"] = "binary"
    """What documents hold: a Binary each, or within the DocumentReference where its server cannot search Binaries."""
    document: Literal["auto", "always", "never"] = "auto"
    """The plan as one document in place of CareTeam, Goal and CarePlan: where its server lacks one of them, whatever it
    says of itself, or never."""
    authorisation: Authorisation = field(default_factory=Authorisation)
    client: Client = field(default_factory=Client)
    reads: bool = False
    """May it read its view at our own /fhir? Then it needs no address."""
    trust: Trust = field(default_factory=Trust)
    """For its server, its token endpoint, and where its subscriptions are told."""
    private_addresses: bool = False
    """May its endpoint be at a private or loopback address? Off: such an address is refused."""
    mode: Literal["auto", "transaction", "batch", "single"] = "auto"
    """How changes are sent; auto: the best way that its server offers (docs/operating.md)."""
    conditional: Literal["auto", "never"] = "auto"
    """Creating under the condition that none is there; never: each is looked for first."""
    types_not_taken: tuple[str, ...] = ()
    """FHIR types that are not sent, whatever its server states."""
    matching: Literal["identifier", "match", "create"] = "identifier"
    """How a child is found among the partner's patients before it is created there: by identifiers that both know; by
    `$match` too; and whether one who is not found is created, or waits for a person."""
    identifier_systems: tuple[str, ...] = ()
    """The systems of identifiers by which partner and agency both know a child."""
    keeps: tuple[str, ...] = KEEPS
    """Elements that the partner may have changed in its copy, and keeps: `Task.status`, `*.note`."""
    chunk: int = 200
    timeout: float = 30.0
    rate: float = 0.0
    """Requests a minute that it takes at most, from all workers together; 0: as many as there are."""
    quiet_seconds: float = 0.0
    paused: bool = False
    referrals: Referrals = field(default_factory=Referrals)
    endpoints: tuple[str, ...] = ()
    """Where its own subscriptions at our /fhir may be told, besides the host of its address: `https://host:port`."""

    @property
    def is_sent_to(self) -> bool:
        """Has it an address, of a server or of a folder? Else it only reads its view here."""
        return bool(self.base_url or self.folder)

    @property
    def longest(self) -> float:
        """Seconds that one request to it takes at most, with all that it needs: where there are tokens also finding who
        gives them out, another thread's asking and one's own, and all of it once more where one is refused."""
        tokens = self.authorisation.kind in ("client-secret", "smart-backend")
        return self.timeout * (8 if tokens else 1)
