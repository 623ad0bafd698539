"""Prints JSON for programs and tables for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import click

_PAPER = 140
"""Columns of a table where there is no terminal to ask."""


def print_json(value: Any) -> None:
    """Indented JSON in UTF-8 on standard output; each Decimal with its digits."""
    import orjson

    def number(item: Any) -> Any:
        if isinstance(item, Decimal):
            return orjson.Fragment(str(item))
        raise TypeError(f"{type(item).__name__} is not JSON")

    click.echo(orjson.dumps(value, default=number, option=orjson.OPT_INDENT_2))


def indented(body: bytes) -> bytes:
    """The same JSON, indented, numbers with their digits."""
    import orjson

    from adapter.core import strict_json

    value = strict_json.parse(body, max_bytes=100_000_000, max_depth=200)
    return orjson.dumps(value, default=lambda item: orjson.Fragment(str(item)), option=orjson.OPT_INDENT_2)


def print_rows(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """The rows as JSON where a program reads, and as a table of these columns on a terminal."""
    if as_json or not sys.stdout.isatty():
        print_json(list(rows))
    else:
        print_table(rows, columns)


def print_table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> None:
    """The rows as a table of these columns, whoever reads."""
    from rich.console import Console
    from rich.table import Column, Table

    # Folded, never cut: an id that ends in dots helps nobody.
    table = Table(*(Column(name, overflow="fold") for name in columns))
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(width=None if sys.stdout.isatty() else _PAPER).print(table)


def _cell(value: Any) -> str:
    from rich.markup import escape

    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return escape(", ".join(map(str, value)))
        case _:
            return escape(str(value))
