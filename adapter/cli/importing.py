"""`adapter import`: what a workbook or another system's export holds becomes cases, each put whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adapter.cli.context import Asked, opened, pass_asked, say
from adapter.cli.output import print_json
from adapter.errors import AdapterError

if TYPE_CHECKING:
    from adapter import show
    from adapter.core.onramp.places import Places, Refusal
    from adapter.core.onramp.source import Source
    from adapter.desk import Desk
    from adapter.workbook.export import Export

MOST = 10
"""Of what partners hold, one in so many may be taken back by an import without a person's word."""
_SHOWN = 20


@dataclass(slots=True)
class Arrival:
    """One import under way: what will be put, what is refused, what partners would lose."""

    put: dict[str, tuple[bytes, int | None, Places]] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)
    """Cases that a complete file does not hold, with their versions."""
    unchanged: int = 0
    refused: list[tuple[str, Refusal]] = field(default_factory=list)
    """(case or nothing, what is refused)"""
    taken_back: list[show.TakenBack] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)


@click.command("import")
@click.argument("path", metavar="WORKBOOK.xlsx|FOLDER|FILE.json", type=click.Path(exists=True, path_type=Path))
@click.option("--source", required=True, metavar="NAME", help="Which system this comes from: see docs/onramp.md.")
@click.option("--complete", is_flag=True, help="The file holds everything: what it does not hold is taken away.")
@click.option("--yes", is_flag=True, help="Import also where much would be taken back from partners.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@pass_asked
def import_(asked: Asked, path: Path, source: str, complete: bool, yes: bool, dry_run: bool) -> None:
    """Take in cases from a workbook (adapter new workbook), CSV files, or another system's export.

    Each case is put whole or not at all: a case with one wrong row is refused, with every row that is wrong and why,
    and the others go on. What the file does not speak of stays, unless it is declared complete. Importing the same
    again changes nothing. An import that would take back a whole plan, or more than a tenth of what partners hold,
    waits: it prints what would be taken back, and needs --yes. Ends with 1 if any row was refused, or if it waits.

    \b
    Examples:
      adapter --instance my-agency import cases.xlsx --source workbook --dry-run
      adapter --instance my-agency import cases.xlsx --source workbook
      adapter --instance my-agency import export.json --source caretrack --complete
    """
    from adapter.catalogue.sources import ID
    from adapter.core.onramp.layout import sheets
    from adapter.workbook import export as exports

    if not ID.fullmatch(source):
        raise click.BadParameter("must be small letters, digits and hyphens, as in [[sources]]", param_hint="--source")
    with opened(asked) as desk:
        found = _source(asked, desk, source)
        with _progress("Reading", None) as on_row:
            export = exports.read(path, found, sheets(desk.catalogue.schemas.files), on_row)
        arrival = Arrival(refused=[("", each) for each in (*export.whole, *export.loose)])
        export.complete = export.complete or complete
        if not export.whole and not (export.complete and export.loose):
            _weigh(desk, export, source, arrival)
        # A complete file of no case at all is most likely an export that failed.
        waits = not yes and (_is_much(desk, arrival) or bool(arrival.gone and not export.cases))
        if not waits and not dry_run:
            _put(desk, source, arrival)
    _report(export, arrival, waits=waits, dry_run=dry_run)
    if arrival.refused or waits:
        raise click.exceptions.Exit(1)


commands = (import_,)


def _source(asked: Asked, desk: Desk, name: str) -> Source | None:
    """What `sources/NAME` says, of the instance or of the repository; None for a workbook's own layout."""
    from adapter import catalogue

    found = catalogue.source(name, desk.catalogue.schemas, instance=asked.folder)
    if name not in {each.id for each in desk.settings.sources}:
        say(f"adapter: adapter.toml has no [[sources]] with the id {name}: its free text waits for a person's review.")
    return found


def _weigh(desk: Desk, export: Export, source: str, arrival: Arrival) -> None:
    """Build and check every case, and see what partners would lose. Nothing is saved."""
    from adapter import show

    with _progress("Checking", len(export.cases)) as on_case:
        for number, tell in export.cases.items():
            _weigh_case(desk, number, tell(), export, source, arrival)
            on_case()
    if not export.complete:
        return
    for number in show.put_by(desk, source):
        standing = show.standing(desk, number)
        if number not in export.cases and standing is not None:
            arrival.gone[number] = standing.version
            arrival.taken_back += show.taken_back(desk, number, None, source=source)


def _weigh_case(
    desk: Desk, number: str, told: tuple[Any, Places, list[Refusal]], export: Export, source: str, arrival: Arrival
) -> None:
    from adapter import show
    from adapter.core import strict_json
    from adapter.core.case import check
    from adapter.core.onramp.following import beside
    from adapter.core.onramp.joining import join
    from adapter.core.onramp.places import Refusal

    case, places, refusals = told
    if not isinstance(case, dict):
        arrival.refused += [(number, each) for each in refusals or [Refusal(places.first, "nothing is made of it")]]
        return
    schemas, standing = desk.catalogue.schemas, show.standing(desk, number)
    before = standing.body if standing else {}
    others = {path for path, by in standing.came.items() if by not in ("", source)} if standing else set()
    unknown = {name: value for name, value in case.items() if name not in schemas.files["case"]["properties"]}
    joined = join(
        before, {**case, "case": number}, schemas.collections, export.tells, complete=export.complete, others=others
    )
    problems = beside(check(joined | unknown, schemas), joined, places, refusals)
    if refusals or problems:
        told_of = {Refusal(places.of(p.pointer, joined), f"{p.pointer or '(the whole)'}: {p.detail}") for p in problems}
        arrival.refused += [(number, each) for each in (*refusals, *sorted(told_of))]
    elif standing and strict_json.canonical(joined) == strict_json.canonical(before):
        arrival.unchanged += 1
    else:
        arrival.put[number] = (strict_json.dump(joined), standing.version if standing else None, places)
        arrival.taken_back += show.taken_back(desk, number, joined, source=source)


def _is_much(desk: Desk, arrival: Arrival) -> bool:
    """A whole plan, all that a partner holds of a case, or more than a tenth of what all partners hold."""
    from adapter import show

    lost = sum(each.resources for each in arrival.taken_back)
    return any(each.plans or each.whole for each in arrival.taken_back) or lost * MOST > show.held(desk)


def _put(desk: Desk, source: str, arrival: Arrival) -> None:
    """Each case as PUT /api/cases does it; one that was changed meanwhile is refused, and nothing of it is saved."""
    from adapter import keep
    from adapter.core.onramp.places import Place, Refusal

    with _progress("Saving", len(arrival.put) + len(arrival.gone)) as on_case:
        for number, (body, version, places) in arrival.put.items():
            try:
                keep.put_case(desk, number, body, version=version, source=source)
                arrival.saved.append(number)
            except AdapterError as wrong:
                arrival.refused.append((number, Refusal(places.first, wrong.detail)))
            on_case()
        for number, version in arrival.gone.items():
            try:
                keep.delete_case(desk, number, version=version)
                arrival.deleted.append(number)
            except AdapterError as wrong:
                arrival.refused.append((number, Refusal(Place("(a case that the file does not hold)"), wrong.detail)))
            on_case()


def _report(export: Export, arrival: Arrival, *, waits: bool, dry_run: bool) -> None:
    """What happened, as JSON; in words for a person. Places and rules, never what a cell holds."""
    done = not waits and not dry_run
    refused_cases = {case for case, _ in arrival.refused if case}
    print_json({
        "rows": export.rows,
        "cases": {
            "saved" if done else "would be saved": len(arrival.saved if done else arrival.put),
            "unchanged": arrival.unchanged,
            "refused": len(refused_cases),
            "deleted" if done else "would be deleted": len(arrival.deleted if done else arrival.gone),
        },
        "refused": [
            {"file": r.place.file, "row": r.place.row or None, "column": r.place.column or None, "case": case or None,
             "rule": r.rule}
            for case, r in arrival.refused
        ],
        "taken_back": [
            {"case": t.case, "partner": t.partner, "resources": t.resources, "plans": t.plans, "of": t.held}
            for t in arrival.taken_back
        ],
        "remarks": export.remarks,
        "waits": waits,
    })  # fmt: skip
    for _, refusal in arrival.refused[:_SHOWN]:
        say(f"{refusal.place}: {refusal.rule}")
    if len(arrival.refused) > _SHOWN:
        say(f"… and {len(arrival.refused) - _SHOWN} more, in the report.")
    for words in export.remarks[:_SHOWN]:
        say(words)
    if waits:
        for each in arrival.taken_back:
            plans = f", {each.plans} of them plans" if each.plans else ""
            say(f"Would be taken back from {each.partner}, case {each.case}: {each.resources} of {each.held}{plans}.")
        say("This takes back a whole plan, more than a tenth of what partners hold, or every case.\n"
            "Nothing was imported: look at the counts, then give --yes.")  # fmt: skip
    words = "saved" if done else "would be saved"
    gone = arrival.deleted if done else arrival.gone
    say(
        f"{len(arrival.saved if done else arrival.put)} case(s) {words}, {arrival.unchanged} unchanged, "
        f"{len(refused_cases)} refused"
        + (f", {len(gone)} {'deleted' if done else 'would be deleted'}." if gone else ".")
    )


@contextmanager
def _progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A bar on standard error, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)
