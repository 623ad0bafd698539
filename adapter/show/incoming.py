"""What FHIR resources would become here: records, and what is refused, before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from adapter import catalogue
from adapter.core import strict_json
from adapter.core.case import check
from adapter.core.consent.fhir_consents import receivers_by_identifier
from adapter.core.desired import Subject, desire
from adapter.core.mapping.inbound import Consents, Mapped, Note, Sender
from adapter.core.mapping.inbound import records as map_back
from adapter.core.partner import Release
from adapter.desk import Desk, Preview
from adapter.errors import AdapterError, Malformed, Refused, TooLarge

_MOST_BYTES = 50_000_000


def incoming(
    desk: Desk | Preview,
    files: Sequence[tuple[str, bytes]],
    *,
    release: Release,
    child: str,
    home: bytes | None,
    partner: str,
    at: datetime,
) -> dict[str, Any]:
    """`files`: (name, bytes) of resources and Bundles, one set together. `home`: the case that they were made of for
    `partner`, so that our identifiers lead back to its paths. What cannot be read as JSON raises with the file's name.
    """
    given = [_parsed(name, body) for name, body in files]
    receivers = receivers_by_identifier(desk.catalogue.partners)
    sender = Sender(
        source=partner or "preview",
        zone=desk.settings.time_zone,
        now=at,
        known=_known(desk, home, partner, at) if home is not None else _nobody,
        child=child,
        consents=Consents(catalogue.vocabulary(), receivers),
    )
    made = map_back(given, catalogue.inbound(release), sender)
    names = [name for name, _ in files]
    return {
        "records": made.case(),
        "additions": _by_path(made.additions),
        "incomplete": _by_path(made.incomplete),
        "refused": _told(made.refused, names),
        "findings": _told(made.findings, names),
    }


def _nobody(*_: str) -> None:
    return None


def _known(desk: Desk | Preview, home: bytes, partner: str, at: datetime) -> Callable[[str, str], str | None]:
    """The identifiers that we gave this partner for what it may see of the case → paths."""
    case = strict_json.parse(home)
    if found := check(case, desk.catalogue.schemas):
        raise Refused(f"The case file breaks {len(found)} rules.", found)
    desired = desire(desk.bench, Subject(case["case"], case, {}), partner, at)
    paths = {made.identifier: made.about for made in desired.mapped}
    return lambda system, value: paths.get((system, value))


def _parsed(name: str, body: bytes) -> Any:
    try:
        return strict_json.parse(body, max_bytes=_MOST_BYTES)
    except (Malformed, TooLarge) as error:
        wrong: type[AdapterError] = type(error)
        raise wrong(f"{name}: {error.detail}", error.problems) from None


def _by_path(mapped: Iterable[Mapped]) -> dict[str, Any]:
    return {each.path: each.record for each in mapped}


def _told(notes: Iterable[Note], names: Sequence[str]) -> list[dict[str, str]]:
    return [{"file": names[n.index], "expression": n.expression, "rule": n.rule} for n in notes]
