"""Every row of the table: what the view shows, and that the last look agrees with it on the finished bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from adapter.core.consent.last_look import Stop, last_look
from adapter.core.consent.rulebook import Rulebook
from adapter.core.consent.rules import compile_rules
from adapter.core.consent.view import view
from tests.core.consent import builders
from tests.core.consent.table import TABLE, Row

BOOK = builders.rulebook()
ROWS = [pytest.param(row, id=f"{clause}: {row.sentence}") for clause, rows in TABLE.items() for row in rows]


def prepared(row: Row) -> tuple[dict[str, Any], Rulebook, dict[str, Any]]:
    """The row's case, which the schemas accept; its rulebook; and the view of it."""
    case = builders.case()
    row.change(case)
    book = builders.rulebook(**row.book) if row.book else BOOK
    assert list(book.schemas.validator.iter_errors(case)) == []
    seen = view(case, compile_rules(case, book, dict(row.kept)), row.to, row.at, row.tie).case
    return case, book, seen


def looked(payload: object, case: dict[str, Any], book: Rulebook, row: Row) -> Stop | None:
    return last_look(
        json.dumps(payload).encode(), case=case, kept=dict(row.kept), rulebook=book, partner=row.to, now=row.at
    )


MISSING = object()


def place(seen: Any, path: str) -> Any:
    """What stands at a path: `goals/g1/steps/s1`, `child/name`, `goals/g1/acceptance/0/by`."""
    for step in path.split("/"):
        if isinstance(seen, list):
            by_id = [each for each in seen if isinstance(each, dict) and each.get("id") == step]
            seen = by_id[0] if by_id else seen[int(step)] if step.isdigit() and int(step) < len(seen) else MISSING
        else:
            seen = seen.get(step, MISSING) if isinstance(seen, dict) else MISSING
        if seen is MISSING or seen == [] or seen == {}:
            return [] if seen == [] and path.endswith(step) else MISSING
    return seen


def is_there(seen: Any, path: str) -> bool:
    return place(seen, path) not in (MISSING, [])


@pytest.mark.parametrize("row", ROWS)
def test_the_view_shows_what_the_sentence_says(row: Row) -> None:
    """Paths that must be in the view and paths that must not; values where the sentence is about a value."""
    _, _, seen = prepared(row)
    assert [path for path in row.sees if not is_there(seen, path)] == []
    assert [path for path in row.not_ if is_there(seen, path)] == []
    assert {path: place(seen, path) for path in row.equal} == row.equal
    text = json.dumps(seen, ensure_ascii=False)
    assert [each for each in row.says if each not in text] == []
    assert [each for each in row.hides if each in text] == []


@pytest.mark.parametrize("row", ROWS)
def test_the_last_look_lets_the_view_go_and_stops_the_rest(row: Row) -> None:
    """No false stop on what may be seen; and the whole case is stopped at each longer text that the view withholds."""
    case, book, seen = prepared(row)
    assert looked(seen, case, book, row) is None
    stop = looked(case, case, book, row)
    assert stop is not None
    text = json.dumps(seen, ensure_ascii=False) + book.partners[row.to].name  # its own name is no secret to it
    assert [path for path, value in texts(case, "") if value not in text and path not in stop.paths] == []


def texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every sentence of 24 characters or more in the case, consents aside, with its JSON Pointer."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name not in ("consents", "reviewed"):
                yield from texts(member, f"{at}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, f"{at}/{index}")
    elif isinstance(value, str) and len(value) >= 24 and " " in value:
        yield at, value


def test_every_clause_has_at_least_four_rows() -> None:
    assert {clause: len(rows) for clause, rows in TABLE.items() if len(rows) < 4} == {}
    assert len(ROWS) >= 120


def test_no_two_rows_say_the_same() -> None:
    sentences = [row.sentence for rows in TABLE.values() for row in rows]
    assert len(sentences) == len(set(sentences))
