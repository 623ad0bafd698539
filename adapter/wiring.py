"""Puts an instance together: reads its files once, opens its database, and hands the verbs what they work with."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path

from adapter import catalogue as catalogues
from adapter import settings as settings_of
from adapter.catalogue import Catalogue, files_root
from adapter.catalogue.definitions import checkers
from adapter.core.desired import Bench
from adapter.desk import Desk, Preview
from adapter.errors import Misconfigured
from adapter.outward.alerting import Mail, Teller, Webhook
from adapter.outward.credentials import lacking
from adapter.outward.folder import Folder
from adapter.outward.server import Server
from adapter.outward.signing import SigningKeys
from adapter.outward.way import Way
from adapter.outward.webhook import Hook
from adapter.paper.pdf import pdf
from adapter.settings import Agency, Settings
from adapter.store.database import Store
from adapter.store.seal import Keys

Wiring = Desk
IDENTITY = "identity"
"""The label under which the instance's keys give the secret of all identifiers."""
PAPERS = 32
"""How many PDFs of plans a process remembers."""
DEMONSTRATION = b"a demonstration, not a secret: ids made with it are worth nothing"


def now() -> datetime:
    """The clock of a running instance."""
    return datetime.now(UTC)


def wire(instance: Path, *, clock: Callable[[], datetime] = now, environ: Mapping[str, str] | None = None) -> Desk:
    """The instance in this folder. Misconfigured, with every finding, where a file of it is wrong."""
    settings = settings_of.read(instance, environ)
    catalogue = catalogues.load(partners=settings.partners)
    keys = Keys.parse(_read(settings.keys, "docs/operating.md, Keys"))
    store = Store.open(settings.database, keys)
    bench = _bench(catalogue, settings, keys.derive(IDENTITY))
    signing = partial(signing_keys, settings)
    secrets = os.environ if environ is None else environ
    servers = _servers(catalogue, secrets, signing)
    return Desk(
        settings, catalogue, bench, clock, store, servers, signing=signing, ways=_ways(settings, secrets),
        case_system=_case_system(settings, secrets), lacking=_lacking(catalogue, secrets, signing, clock),
    )  # fmt: skip


def signing_keys(settings: Settings) -> SigningKeys:
    """The signing keys as they are now: none where none was made. Misconfigured: the file cannot be read.

    Read each time anew, for a key must be published before it is used, and nobody restarts everything for that.
    """
    if not settings.signing_keys.exists():
        return SigningKeys()
    return SigningKeys.parse(_read(settings.signing_keys, "docs/operating.md, Signing keys"))


def wire_without_instance(partners: Path | None = None, *, clock: Callable[[], datetime] = now) -> Preview:
    """The fixtures' agency and partners, or those of a folder with an adapter.toml beside it, if there is one."""
    fixtures = files_root() / "fixtures"
    folder = partners or fixtures / "partners"
    beside = folder.resolve().parent
    settings = settings_of.read_agency(beside if (beside / settings_of.FILE).is_file() else fixtures)
    catalogue = catalogues.load(partners=folder)
    return Preview(settings, catalogue, _bench(catalogue, settings, DEMONSTRATION), clock)


def _bench(catalogue: Catalogue, settings: Agency, secret: bytes) -> Bench:
    return Bench(
        catalogues.rulebook(catalogue, settings),
        catalogue.mappings,
        secret,
        settings.identifier_system,
        checkers(files_root()),
        # A document is made anew each time that its case is looked at, and mostly from the same sheet.
        lru_cache(maxsize=PAPERS)(pdf),
        catalogue.dialects,
    )


def _read(path: Path, see: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # an editor may have put a byte order mark before it
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "not UTF-8"
        raise Misconfigured(f"A file with a secret cannot be read ({why}): see {see}.") from None


def _servers(
    catalogue: Catalogue, environ: Mapping[str, str], signing: Callable[[], SigningKeys]
) -> Callable[[str], Way]:
    """One way to each partner, made when it is first needed. Workers may ask from several threads."""
    made: dict[str, Way] = {}
    lock = threading.Lock()

    def server(partner: str) -> Way:
        with lock:
            if partner not in made:
                whom = catalogue.partners[partner]
                secret = _if_readable(whom.authorisation.secret, environ)
                certificate = _if_readable(whom.authorisation.certificate, environ)
                way: Way = (
                    Folder(whom, secret=secret)
                    if whom.folder
                    else Server(whom, secret=secret, certificate=certificate, signing=signing)
                )
                if _awaits(whom.authorisation.secret, secret) or _awaits(whom.authorisation.certificate, certificate):
                    return way  # its file may be there the next time
                made[partner] = way
            return made[partner]

    return server


def _awaits(name: str, found: str | None) -> bool:
    return bool(name) and not found


def _lacking(
    catalogue: Catalogue, environ: Mapping[str, str], signing: Callable[[], SigningKeys], clock: Callable[[], datetime]
) -> Callable[[str], list[str]]:
    """What keeps us from showing one partner who we are, as sentences."""

    def found(partner: str) -> list[str]:
        whom = catalogue.partners[partner]
        secret = _if_readable(whom.authorisation.secret, environ)
        certificate = _if_readable(whom.authorisation.certificate, environ)
        return lacking(whom, secret=secret, certificate=certificate, signing=signing, now=clock())

    return found


def _ways(settings: Settings, environ: Mapping[str, str]) -> dict[str, Teller]:
    """The ways by which people are told of alerts."""
    asked, instance = settings.alerts, settings.instance.resolve().name
    found: dict[str, Teller] = {}
    if asked.mail_to:
        found["mail"] = Mail(
            instance,
            asked.mail_from,
            asked.mail_to,
            asked.smtp_host,
            asked.smtp_port,
            asked.smtp_tls,
            asked.smtp_user,
            _if_readable(asked.smtp_secret, environ),
        )
    if asked.webhook:
        secret = _if_readable(asked.webhook_secret, environ)
        found["webhook"] = Webhook(instance, asked.webhook, secret, private=asked.private_addresses)
    return found


def _case_system(settings: Settings, environ: Mapping[str, str]) -> Hook | None:
    """The way to the agency's case system, where it is to be told."""
    asked = settings.case_system
    if not asked.webhook:
        return None
    signs = [_if_readable(name, environ) for name in asked.webhook_secrets]
    return Hook(asked.webhook, signs, private=asked.private_addresses)


def _if_readable(name: str, environ: Mapping[str, str]) -> str | None:
    """As secret_named; None where it cannot be read: that one cannot be told, or sent to, must not keep others from it.
    `alert-trial`, `notice trial`, `partner check` and the start of a worker say so."""
    try:
        return secret_named(name, environ)
    except Misconfigured:
        return None


def secret_named(name: str, environ: Mapping[str, str]) -> str | None:
    """The secret of that name: of the environment, or of a file that `<NAME>_FILE` names there; None: neither."""
    if not name:
        return None
    if name in environ:
        return environ[name].strip()
    path = environ.get(f"{name}_FILE")
    return _read(Path(path), "the variable that names it").strip() if path else None
