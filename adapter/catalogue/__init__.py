"""Everything that people may change without Python, read into one cross-checked value.

Schemas, ConceptMaps, mapping files, parts, topics, programs, consent forms and partners. What is wrong in any of them
is found at once, with file and line (design.md section 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from pathlib import Path
from typing import Any, Protocol

from adapter.catalogue.codes import check_lines, read_codes
from adapter.catalogue.definitions import read_definitions
from adapter.catalogue.dialects import read_dialects
from adapter.catalogue.files import Found, Source, read_json
from adapter.catalogue.forms import Known, read_forms
from adapter.catalogue.guides import profile_names, read_guides
from adapter.catalogue.inbound import check_inbound, extensions_sent, read_inbound
from adapter.catalogue.partners import read_partners
from adapter.catalogue.profile_checks import check_profiles
from adapter.catalogue.reading import check_constants, check_programs, check_reads
from adapter.catalogue.records import (
    CodeList,
    check_labels,
    code_lists,
    entry_lists,
    open_part_tables,
    part_tables,
    read_schemas,
)
from adapter.catalogue.rules import check_tables, read_parts, read_programs, read_topics
from adapter.catalogue.shorthand_checks import check_shorthand
from adapter.catalogue.sources import read_sources
from adapter.catalogue.translations import check_codes, check_each, check_used, over, read_mappings
from adapter.core.consent.fhir_consents import Vocabulary
from adapter.core.consent.forms import Form
from adapter.core.consent.rulebook import PURPOSES, TOPICS, UNREVIEWED, Rulebook
from adapter.core.mapping.codes import ConceptMap
from adapter.core.mapping.inbound import Inbound, InboundMapping
from adapter.core.mapping.resources import Mappings
from adapter.core.onramp.source import Source as ImportSource
from adapter.core.partner import Partner, Release
from adapter.core.programs import Program
from adapter.core.referral.table import Dialect
from adapter.core.schema import Schemas
from adapter.errors import Finding, Misconfigured

__all__ = [
    "Catalogue",
    "Program",
    "concept_maps",
    "files_root",
    "findings",
    "inbound",
    "load",
    "record_schemas",
    "rulebook",
    "source",
    "vocabulary",
]

_MAPS_OF_LABELS = frozenset({"confidentiality", "topic", "purpose"})
"""Maps that the adapter itself asks for: the security labels of resources (core/mapping/resources.py)."""
_OF_CONSENTS = ("purpose", "part", "topic")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The files of mappings/ and the partners, read once; nothing in it changes while the adapter runs."""

    schemas: Schemas
    mappings: Mapping[Release, Mappings]
    """By release; a file that R5 does not have is R4's (design.md section 5)."""
    codes: Mapping[str, ConceptMap]
    topics: Mapping[str, Mapping[str, tuple[str, ...]]]
    """Code list (`x-codes`) → code → topics that it implies."""
    parts: Mapping[str, date]
    """Part → the day since when it is offered, in the order of a consent form."""
    part_titles: Mapping[str, Mapping[str, str]]
    """Part → language → what families read."""
    part_tables: Mapping[str, Mapping[str, str]]
    audience: Mapping[str, tuple[str, ...] | None]
    programs: Mapping[str, Program]
    partners: Mapping[str, Partner]
    sectors: frozenset[str]
    forms: Mapping[str, Form]
    """Consent forms, by their ids."""
    dialects: Mapping[str, Dialect]
    """How partners answer referrals, by the name that their files give."""


class Agency(Protocol):
    """What the rule book needs of the settings."""

    @property
    def time_zone(self) -> tzinfo: ...
    @property
    def agency_identifiers(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def labels_topics(self) -> bool: ...
    @property
    def sources(self) -> tuple[SourceSystem, ...]: ...


class SourceSystem(Protocol):
    """A system that puts records, and whether it labels them with topics."""

    @property
    def id(self) -> str: ...
    @property
    def labels_topics(self) -> bool: ...


def files_root() -> Path:
    """The folder that holds mappings/, profiles/ and fixtures/: inside an installed wheel, else the repository."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_files"
    return installed if installed.is_dir() else package.parent


def record_schemas(root: Path | None = None) -> Schemas:
    """The record schemas alone, for whoever checks a case and maps nothing. Misconfigured: what is wrong in them."""
    found = Found()
    sources = read_schemas((root or files_root()) / "mappings" / "records", "mappings/records", found)
    if found.errors:
        raise Misconfigured("Record schemas are wrong.", sorted(set(found.errors)))
    return _compiled(sources)


def concept_maps(root: Path | None = None) -> dict[str, ConceptMap]:
    """The ConceptMaps alone, for whoever tries out a template. Misconfigured: what is wrong in them."""
    found = Found()
    codes, _ = read_codes((root or files_root()) / "mappings" / "codes", "mappings/codes", found)
    if found.errors:
        raise Misconfigured("ConceptMaps are wrong.", sorted(set(found.errors)))
    return codes


def source(name: str, schemas: Schemas, *, instance: Path | None, root: Path | None = None) -> ImportSource | None:
    """What the instance's sources/NAME says of a system's own export, else ours; None where neither is there."""
    found = Found()
    known = _sources(root or files_root(), instance, schemas, found, only=name)
    if found.errors:
        raise Misconfigured("The source is wrong.", sorted(set(found.errors)))
    return known.get(name)


def load(*, partners: Path | None, root: Path | None = None) -> Catalogue:
    """The catalogue with the partners of a folder (None: without any). Misconfigured: everything that is wrong."""
    catalogue, found = _read(partners, root or files_root())
    if catalogue is None or found.errors:
        raise Misconfigured("Files of the catalogue are wrong.", sorted(set(found.errors)))
    return catalogue


def findings(*, partners: Path | None, root: Path | None = None, instance: Path | None = None) -> list[Finding]:
    """What `adapter check` prints: what keeps the adapter from starting, and what only goes out poorer."""
    base = root or files_root()
    _, found = _read(partners, base, with_inbound=True)
    # Other mappings are held against our profiles, unless they bring their own.
    own = root is not None and (root / "profiles" / "generated").is_dir()
    check_profiles(base, base if own else files_root(), found)
    if own or root is None:
        check_shorthand(base, found)
        read_guides(base, found)
    # What a running adapter can do without: it reads no source, and a mapping that reads too little only sends less.
    again = Found()
    schema_files = read_schemas(base / "mappings" / "records", "mappings/records", again)
    if not again.errors:
        schemas, lists = _compiled(schema_files), code_lists(schema_files)
        codes, _ = read_codes(base / "mappings" / "codes", "mappings/codes", again)
        for release in ("r4", "r5"):
            check_reads(base / "mappings" / release, f"mappings/{release}", schemas, lists, codes, found)
            definitions = read_definitions(files_root(), "R5" if release == "r5" else "R4")
            check_constants(base / "mappings" / release, f"mappings/{release}", definitions, found)
        check_programs(base / "mappings" / "programs", "mappings/programs", schemas, found)
        _sources(base, instance, schemas, found)
    return sorted({*found.errors, *found.remarks})


def inbound(release: Release = "R4", root: Path | None = None) -> Inbound:
    """The inbound mapping files of a release, for whoever takes in what partners send. Misconfigured: what is wrong.

    Read apart from `load`: most commands send, and do not wait for what only receiving needs.
    """
    found, base = Found(), (root or files_root()) / "mappings"
    sources = read_schemas(base / "records", "mappings/records", found)
    codes, _ = read_codes(base / "codes", "mappings/codes", found)
    if not found.errors:
        mappings = _read_inbound(base, sources, codes, found, releases=(release,))
    if found.errors:
        raise Misconfigured("Files of the catalogue are wrong.", sorted(set(found.errors)))
    return Inbound.of(release, mappings[release], codes, _compiled(sources))


def vocabulary(root: Path | None = None) -> Vocabulary:
    """Purposes, parts and topics read backwards, for Consents that come in (docs/consents.md)."""
    found, base = Found(), (root or files_root()) / "mappings" / "codes"
    maps = {name: read_json(base / f"{name}.json", f"mappings/codes/{name}.json", found) for name in _OF_CONSENTS}
    if found.errors:
        raise Misconfigured("ConceptMaps are wrong.", sorted(set(found.errors)))
    return Vocabulary.of(**{name: source.values for name, source in maps.items()})


def _read_inbound(
    base: Path,
    sources: Mapping[str, Source],
    codes: Mapping[str, ConceptMap],
    found: Found,
    *,
    releases: tuple[Release, ...],
) -> dict[Release, tuple[InboundMapping, ...]]:
    referable = {*sources, *entry_lists(sources)}
    sent = extensions_sent(base)
    made: dict[Release, tuple[InboundMapping, ...]] = {}
    for release in releases:
        files = {name: source.values for name, source in sources.items()}
        made[release], uses = read_inbound(base / "inbound", "mappings/inbound", found, files=files, release=release)
        check_inbound(uses, codes=codes, referable=referable, sent=sent, found=found)
    return made


def rulebook(catalogue: Catalogue, settings: Agency) -> Rulebook:
    """The static inputs of the consent rules, for the agency of these settings."""
    return Rulebook(
        schemas=catalogue.schemas,
        parts=catalogue.parts,
        part_tables=catalogue.part_tables,
        audience=catalogue.audience,
        topics=catalogue.topics,
        age_of_own_consent={program.id: program.age_of_own_consent for program in catalogue.programs.values()},
        partners=catalogue.partners,
        time_zone=settings.time_zone,
        agency=frozenset(settings.agency_identifiers),
        labels_topics=settings.labels_topics,
        sources={source.id: source.labels_topics for source in settings.sources},
        sectors=catalogue.sectors,
    )


def _read(partners: Path | None, root: Path, *, with_inbound: bool = False) -> tuple[Catalogue | None, Found]:
    """The catalogue, or None where the schemas are too broken for one; and what was found."""
    found, base = Found(), root / "mappings"
    sources = read_schemas(base / "records", "mappings/records", found)
    if found.errors:
        return None, found
    lists = code_lists(sources)
    sectors = lists.get("sector", CodeList()).codes
    parts = read_parts(base / "parts.yaml", "mappings/parts.yaml", found, sectors=sectors)
    codes, maps = read_codes(base / "codes", "mappings/codes", found)
    lines: dict[str, Any] = {name: concept_map.translations for name, concept_map in codes.items()}
    if parts.since:
        check_labels(sources, parts.source.values["parts"], parts.tables, found)
        check_tables(parts, part_tables(sources), open_part_tables(sources, lines), found)
    topics = read_topics(base / "topics.yaml", "mappings/topics.yaml", found, lists=lists, lines=lines)
    each = {*sources, *(entry.replace("/", ".") for entry in entry_lists(sources, objects=True))} - {"case"}
    programs = read_programs(base / "programs", "mappings/programs", found, lists=lists, lines=lines, each=each)
    offered = parts.source.values.get("parts") or {}
    forms = read_forms(base / "consents", "mappings/consents", found, Known(offered, sectors, sources, lists, lines))
    r4, uses = read_mappings(base / "r4", "mappings/r4", found)
    r5, uses_of_r5 = read_mappings(base / "r5", "mappings/r5", found)
    uses = (*uses, *uses_of_r5)
    check_codes(lists, codes, uses, "mappings/codes", found)
    # What is read wrongly has been told already: its codes are not held against the maps.
    own: dict[str, Any] = {"topic": (*TOPICS, UNREVIEWED), "purpose": PURPOSES, "part": parts.since}
    check_lines(codes, maps, lists, {name: each for name, each in own.items() if each}, found)
    check_each(uses, {*sources, *(each.replace("/", ".") for each in entry_lists(sources))}, found)
    if with_inbound:
        _read_inbound(base, sources, codes, found, releases=("R4", "R5"))
    check_used(codes, {*lists, *_MAPS_OF_LABELS}, uses, "mappings/codes", found)
    types = parts.tables.get("identifiers", {})
    dialects = read_dialects(base / "dialects", "mappings/dialects", found)
    configured = (
        read_partners(partners, found, sectors=sorted(sectors), identifier_types=list(types), dialects=sorted(dialects))
        if partners
        else {}
    )
    spoken = {each.dialect for each in configured.values() if each.dialect}
    guides = profile_names(root, found, spoken)
    if found.errors:
        return None, found
    return Catalogue(
        schemas=_compiled(sources),
        mappings={"R4": Mappings("R4", r4, codes, guides), "R5": Mappings("R5", over(r4, r5), codes)},
        codes=codes,
        topics=topics,
        parts=parts.since,
        part_titles=parts.titles,
        part_tables=parts.tables,
        audience=parts.audience,
        programs=programs,
        partners=configured,
        sectors=sectors,
        forms=forms,
        dialects=dialects,
    ), found


def _sources(
    root: Path, instance: Path | None, schemas: Schemas, found: Found, *, only: str | None = None
) -> dict[str, ImportSource]:
    known = read_sources(root / "mappings" / "sources", "mappings/sources", found, schemas, only=only)
    own = instance / "sources" if instance else None
    return known | (read_sources(own, str(own), found, schemas, only=only) if own else {})


def _compiled(sources: Mapping[str, Source]) -> Schemas:
    return Schemas.of({name: dict(source.values) for name, source in sources.items()})
