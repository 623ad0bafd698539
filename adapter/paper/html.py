"""A sheet as one HTML page that needs nothing else: no script, nothing loaded; for a screen, a reader and a printer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from adapter.core.sheet import (
    LEGENDS,
    Block,
    Choice,
    Choices,
    Facts,
    Grid,
    Heading,
    Legend,
    Mark,
    Room,
    Sheet,
    Signatures,
    Table,
    Words,
)

STYLE = """
@page { margin: 18mm 16mm; }
html { color-scheme: light; }
body { font: 12pt/1.45 "DejaVu Sans", "Noto Sans", "Noto Sans Canadian Aboriginal", sans-serif; color: #111;
  background: #fff; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; border-bottom: 1px solid #777; break-after: avoid; }
p { margin: .4rem 0; }
.strong { font-weight: bold; }
.small, .under { font-size: .9rem; color: #333; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1rem; margin: .6rem 0; }
dt { color: #333; }
dd { margin: 0; min-width: 12rem; }
.line { border-bottom: 1px solid #333; min-height: 1.5em; }
ul { list-style: none; margin: .4rem 0; padding: 0; }
li { display: flex; gap: .7rem; margin: .45rem 0; break-inside: avoid; }
.under { display: block; }
.box { flex: none; display: inline-block; box-sizing: border-box; width: 1.15em; height: 1.15em; margin-top: .15em;
  border: 1.5px solid #111; text-align: center; line-height: 1; font-weight: bold; }
.initials { flex: none; display: inline-block; box-sizing: border-box; min-width: 3.6em; height: 1.6em;
  border-bottom: 1.5px solid #111; text-align: center; font-weight: bold; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; }
th, td { border: 1px solid #777; padding: .35rem .5rem; text-align: left; vertical-align: top; font-weight: normal; }
thead th { background: #eee; font-size: .9rem; font-weight: bold; overflow-wrap: anywhere; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
td.mark { text-align: center; vertical-align: middle; min-width: 4.5em; }
.sign td, .sign th { height: 2.6em; vertical-align: bottom; }
.room { margin: .6rem 0; break-inside: avoid; }
.room .line { height: 2.1em; }
.room .written { border: 1px solid #777; padding: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
footer { margin-top: 2rem; font-size: .85rem; color: #333; }
@media print { body { max-width: none; margin: 0; padding: 0; } thead th { background: none; } }
""".strip()


def html(sheet: Sheet) -> str:
    """The whole page; every text escaped."""
    legend = LEGENDS[sheet.language]
    body = "\n".join(part for block in sheet.blocks for part in _block(block, legend))
    return f"""<!DOCTYPE html>
<html lang="{escape(sheet.language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(sheet.title)}</title>
<style>
{STYLE}
</style>
</head>
<body>
<main>
<h1>{escape(sheet.title)}</h1>
{body}
</main>
<footer>{escape(sheet.footer)}</footer>
</body>
</html>
"""


def _block(block: Block, legend: Legend) -> Iterator[str]:
    match block:
        case Heading(text):
            yield f"<h2>{escape(text)}</h2>"
        case Words(text, weight):
            yield f'<p class="{escape(weight)}">{escape(text)}</p>'
        case Facts(rows):
            yield "<dl>" + "".join(f"<dt>{escape(label)}</dt>{_value(value)}" for label, value in rows) + "</dl>"
        case Choices(rows):
            yield "<ul>" + "\n".join(_choice(row, legend) for row in rows) + "</ul>"
        case Grid():
            yield _grid(block, legend)
        case Table(headings, rows):
            yield f"<table>{_head(headings)}<tbody>{_rows(rows)}</tbody></table>"
        case Room(label, lines, written):
            inside = f'<div class="written">{escape(written)}</div>' if written else '<div class="line"></div>' * lines
            yield f'<div class="room"><p>{escape(label)}</p>{inside}</div>'
        case Signatures(who, how, when, rows):
            yield f'<table class="sign">{_head((who, how, when))}<tbody>{_rows(rows)}</tbody></table>'


def _value(value: str) -> str:
    return f"<dd>{escape(value)}</dd>" if value else '<dd class="line"></dd>'


def _choice(row: Choice, legend: Legend) -> str:
    return f"<li>{_mark(row.mark, legend)}<span>{escape(row.text)}{_under(row.under)}</span></li>"


def _under(lines: Iterable[str]) -> str:
    return "".join(f' <span class="under">{escape(line)}</span>' for line in lines)


def _mark(mark: Mark, legend: Legend) -> str:
    """A mark as a picture with words, so that a screen reader says whether it is ticked."""
    if mark.initials:
        said = f"{legend.initials}: {mark.written}" if mark.ticked else legend.no_initials
        return f'<span class="initials" role="img" aria-label="{escape(said)}">{escape(mark.written)}</span>'
    said = legend.ticked if mark.ticked else legend.not_ticked
    return f'<span class="box" role="img" aria-label="{escape(said)}">{"&#10005;" if mark.ticked else ""}</span>'


def _grid(grid: Grid, legend: Legend) -> str:
    rows = "\n".join(
        f'<tr><th scope="row">{escape(row.text)}{_under(row.under)}</th>'
        + "".join(f'<td class="mark">{_mark(mark, legend)}</td>' for mark in row.marks)
        + "</tr>"
        for row in grid.rows
    )
    return f"<table>{_head((grid.corner, *grid.columns))}<tbody>{rows}</tbody></table>"


def _head(headings: Iterable[str]) -> str:
    return "<thead><tr>" + "".join(f'<th scope="col">{escape(h)}</th>' for h in headings) + "</tr></thead>"


def _rows(rows: Iterable[Iterable[str]]) -> str:
    return "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
