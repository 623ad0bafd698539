"""The settings of one instance as one frozen value: read once from its adapter.toml, with the environment on top."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapter.core.toml_form import Document, Form, parse
from adapter.core.toml_values import WrongError, flag, matching, number, text, uri, whole, words
from adapter.errors import Finding, Misconfigured
from adapter.settings.told import Alerts, CaseSystem, address, alerts, case_system

FILE = "adapter.toml"
ENVIRONMENT = "ADAPTER_"
"""`ADAPTER_PORT=9000` replaces `port`, and `ADAPTER_AGENCY_NAME` replaces `name` in `[agency]`."""

OVERRIDABLE = (
    ("agency", "name"), ("agency", "time_zone"), ("agency", "identifier_system"),
    ("labels_topics",), ("database",), ("keys",), ("host",), ("port",), ("public_url",),
    ("worker_in_process",), ("lease_seconds",), ("poll_seconds",),
)  # fmt: skip
_TYPED = ("labels_topics", "port", "worker_in_process", "lease_seconds", "poll_seconds")
_CHOOSE_LABELS = "must be chosen: true if your case system labels records with sensitive topics, else false"
_CHOOSE_ZONE = "must be given: consents begin and end at midnight there (such as America/Toronto)"
_source_id = matching(r"[a-z0-9][a-z0-9-]{0,63}", "must be lower-case letters, digits and hyphens, such as intake-form")

T = TypeVar("T")
Identifiers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One system that puts records: a token of the role `source` names it."""

    id: str
    title: str
    labels_topics: bool
    """Does it label records with topics? If not, the free text of what it puts waits for a person's review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """Who runs the adapter: what previews and mappings need of the settings, with or without an instance."""

    agency_name: str
    agency_identifiers: Identifiers
    """(system, value): the organization of a case that carries one of these is the coordinating agency there."""
    time_zone: ZoneInfo
    """Dates are whole days here; a consent ends at midnight in this zone."""
    identifier_system: str
    """The system of the identifiers that partners receive."""
    labels_topics: bool
    """Does whoever names no source label records with topics? If not, free text waits for a person's review."""
    sources: tuple[Source, ...] = ()
    """The systems that put records, where there is more than one. What came from any other is not trusted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Agency):
    """One instance. Secrets are in the key file and in the environment, and never here in a form that is printed."""

    instance: Path
    database: str = field(repr=False)
    """SQLAlchemy URL; of SQLite, relative to the instance folder."""
    keys: Path
    host: str
    port: int
    public_url: str
    """The address under which partners and people reach this adapter; empty: as each request says."""
    worker_in_process: bool
    lease_seconds: float
    poll_seconds: float
    alerts: Alerts = field(default_factory=Alerts)
    case_system: CaseSystem = field(default_factory=CaseSystem)

    @property
    def partners(self) -> Path:
        """The folder of the partner files."""
        return self.instance / "partners"

    @property
    def signing_keys(self) -> Path:
        """The file of signing keys, beside the key file; it need not be there."""
        return self.keys.with_name("signing-keys.json")


def read(instance: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the instance in this folder. Misconfigured: everything that is wrong, with file and line."""
    document = _overridden(_document(instance / FILE), os.environ if environ is None else environ)
    form = Form(document)
    agency = _agency(form)
    settings = Settings(
        **agency,
        labels_topics=form.require("labels_topics", flag, False, _CHOOSE_LABELS),
        instance=instance,
        database=_in_folder(form.take("database", _database, "sqlite:///adapter.db"), instance),
        keys=instance / form.take("keys", text, "keys"),
        host=form.take("host", text, "127.0.0.1"),
        port=form.take("port", whole(0, 65535), 8080),
        public_url=form.take("public_url", address, ""),
        worker_in_process=form.take("worker_in_process", flag, True),
        lease_seconds=form.take("lease_seconds", number(1, 3600), 30.0),
        poll_seconds=form.take("poll_seconds", number(0.05, 3600), 1.0),
        alerts=alerts(form.table("alerts")),
        case_system=case_system(form.table("case_system")),
    )
    form.close()
    form.findings += _key_file(settings.keys) + _open_to_others(settings.signing_keys)
    return _settled(settings, form)


def read_agency(folder: Path) -> Agency:
    """The agency alone, from the adapter.toml of a folder that need not be an instance (fixtures, `--partners`).

    Where `labels_topics` is left out, the cases are taken as labelled: they are files that somebody wrote for a look.
    """
    form = Form(_document(folder / FILE))
    agency = Agency(**_agency(form), labels_topics=form.take("labels_topics", flag, True))
    return _settled(agency, form)


def _document(path: Path) -> Document:
    try:
        content = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Misconfigured(f"There is no {FILE} in this folder.", [Finding(str(path), 0, "is missing")]) from None
    except (OSError, UnicodeDecodeError):
        raise Misconfigured(f"The {FILE} cannot be read.", [Finding(str(path), 0, "cannot be read as UTF-8")]) from None
    return parse(str(path), content)


def _overridden(document: Document, environ: Mapping[str, str]) -> Document:
    """The document with what the environment replaces; there, everything is a text."""
    for path in OVERRIDABLE:
        name = ENVIRONMENT + "_".join(path).upper()
        if name in environ:
            value = _plain(environ[name]) if path[-1] in _TYPED else environ[name]
            document = document.replaced(path, value, f"environment variable {name}")
    return document


def _plain(given: str) -> bool | int | float | str:
    if given in ("true", "false"):
        return given == "true"
    for read_number in (int, float):
        with contextlib.suppress(ValueError):
            return read_number(given)
    return given


def _agency(form: Form) -> dict[str, Any]:
    table = form.table("agency")
    found = {
        "agency_name": table.require("name", words, ""),
        "agency_identifiers": tuple(_identifier(each) for each in table.tables("identifiers")),
        "time_zone": table.require("time_zone", _zone, ZoneInfo("UTC"), _CHOOSE_ZONE),
        "identifier_system": table.require("identifier_system", uri, ""),
    }
    if not found["agency_identifiers"]:
        table.wrong("identifiers: at least one [[agency.identifiers]] is needed, to find the agency in a case")
    table.close()
    return found | {"sources": _sources(form)}


def _sources(form: Form) -> tuple[Source, ...]:
    found: dict[str, Source] = {}
    for each in form.tables("sources"):
        source = Source(
            id=each.require("id", _source_id, ""),
            title=each.take("title", words, ""),
            labels_topics=each.require("labels_topics", flag, False, _CHOOSE_LABELS),
        )
        if source.id in found:
            each.wrong("id: another source has this id", "id")
        each.close()
        found[source.id] = source
    return tuple(found.values())


def _identifier(form: Form) -> tuple[str, str]:
    found = form.require("system", uri, ""), form.require("value", text, "")
    form.close()
    return found


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise WrongError("must be the name of a time zone, such as America/Toronto") from None


def _database(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise WrongError("must be a SQLite or PostgreSQL URL, such as sqlite:///adapter.db")
    return value


def _in_folder(database: str, instance: Path) -> str:
    """A SQLite file is named relative to the instance folder, wherever the command was started."""
    scheme, name = database.split(":///", 1) if database.startswith("sqlite:///") else ("", "")
    return f"{scheme}:///{instance.resolve() / name}" if scheme else database


def _key_file(path: Path) -> list[Finding]:
    if not path.is_file():
        return [Finding(str(path), 0, "the key file is missing; restore it from its backup")]
    if wrong := _open_to_others(path):
        return wrong
    try:
        path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return [Finding(str(path), 0, "the key file cannot be read; restore it from its backup")]
    return []


def _open_to_others(path: Path) -> list[Finding]:
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        return [Finding(str(path), 0, "others than its owner may use the key file: chmod 600")]
    return []


def _settled(value: T, form: Form) -> T:
    if form.findings:
        raise Misconfigured(_wrong(form.findings), sorted(form.findings))
    return value


def _wrong(findings: list[Finding]) -> str:
    """What is wrong: the settings, a key file beside them, what the environment puts in their place, or several."""
    named = sorted({_named(each.file) for each in findings})
    return f"The {' and the '.join(named)} {'is' if len(named) == 1 else 'are'} wrong."


def _named(file: str) -> str:
    if file.startswith("environment variable "):
        return file
    name = Path(file).name
    return name if name == FILE else f"key file {name}"
