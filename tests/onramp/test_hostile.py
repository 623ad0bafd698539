"""Files that lie: bombs, damage, formulas, merged cells, wrong encodings, a row too many. Read in bounded memory."""

from __future__ import annotations

import os
import random
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adapter.core.onramp.layout import Sheet
from adapter.errors import Malformed, TooLarge
from adapter.workbook import archive, export, tables
from tests.onramp.books import book, data
from tests.onramp.filling import LAYOUT

CASES = data([("case", "program"), ("C-1", "ontario-csp")])


def read(path: Path) -> export.Export:
    return export.read(path, None, LAYOUT, lambda: None)


def told(export_: export.Export, number: str = "C-1") -> tuple[Any, list[str]]:
    case, _, refusals = export_.cases[number]()
    return case, [f"{refusal.place}: {refusal.rule}" for refusal in refusals]


def goals(path: Path, *rows: tuple[object, ...], **options: Any) -> Path:
    header = ("case", "id *", "title *", "status *", "due", "text")
    return book(path / "b.xlsx", {"case": CASES, "goals": data([header, *rows])}, **options)


def test_every_sheet_of_the_layout_has_a_name_of_its_own_that_excel_takes() -> None:
    from adapter.workbook.writing import tab

    assert len({tab(sheet).lower() for sheet in LAYOUT}) == len(LAYOUT)
    assert all(len(tab(sheet)) <= 31 for sheet in LAYOUT)
    assert isinstance(LAYOUT[0], Sheet)


def test_a_formula_is_its_text_is_named_and_is_never_computed(tmp_path: Path) -> None:
    path = goals(tmp_path, ("C-1", "g1", "Swim", "active", None, '=HYPERLINK("https://evil.example","x")'),
                 ("C-1", "g2", "Ride", "active", "=TODAY()"))  # fmt: skip
    found = read(path)
    case, refused = told(found)
    assert case["goals"][0]["text"] == '=HYPERLINK("https://evil.example","x")'
    assert refused == [
        "goals, row 3, column due: holds a formula, which is not computed here: put its value in its place"
    ]
    assert "goals, row 2, column text: holds a formula, which is taken as its text and not computed" in found.remarks


def test_an_error_cell_and_a_serial_date(tmp_path: Path) -> None:
    case, refused = told(
        read(goals(tmp_path, ("C-1", "g1", "Swim", "active", 46418), ("C-1", "g2", "#REF!", "active")))
    )
    assert case["goals"][0]["due"] == "2027-01-31"
    assert refused == ["goals, row 3, column title: holds an error of the spreadsheet"]
    case, _ = told(read(goals(tmp_path, ("C-1", "g1", "Swim", "active", 44956), later=True)))
    assert case["goals"][0]["due"] == "2027-01-31"


def test_merged_cells_refuse_the_file_and_are_named(tmp_path: Path) -> None:
    rows = data([("case", "id", "title", "status"), ("C-1", "g1", "Swim", "active")])
    merged = '<mergeCells count="2"><mergeCell ref="A1:C1"/><mergeCell ref="A2:A40"/></mergeCells>'
    found = read(book(tmp_path / "b.xlsx", {"case": CASES, "goals": rows + merged}))
    assert [f"{r.place}: {r.rule}" for r in found.whole] == [
        "goals, row 2: A2:A40 are merged: split them, and say in each cell what it holds"
    ]


def test_sheets_and_columns_that_are_not_known_are_named(tmp_path: Path) -> None:
    rows = data([("case", "id", "titel", "status"), ("C-1", "g1", "Swim", "active")])
    found = read(book(tmp_path / "b.xlsx", {"case": CASES, "goal": rows, "goals": rows, "Sheet1": "<sheetData/>"}))
    assert [f"{r.place}: {r.rule}" for r in found.whole] == ["goal: is no sheet of a workbook; did you mean goals?"]
    assert "goals, row 1, column titel: this column is not known on this sheet; did you mean title?" in found.remarks
    _, refused = told(found)
    assert refused == ["goals, row 2, column titel: this column is not known on this sheet"]


def test_ids_that_are_doubled_parents_and_cases_that_are_left_out(tmp_path: Path) -> None:
    steps = data([("case", "goals.id", "id", "text"), ("C-1", "g1", "s1", "a"), ("C-1", "g1", "s1", "b"),
                  ("C-1", None, "s2", "c"), ("C-1", "goals/g1", "s3", "d")])  # fmt: skip
    rows = data([("case", "id", "title", "status"), ("C-1", "g1", "Swim", "active"), ("C-1", "g1", "Ride", "active"),
                 ("C-1", None, "Run", "active"), (None, "g3", "Sit", "active")])  # fmt: skip
    found = read(book(tmp_path / "b.xlsx", {"case": CASES, "goals": rows, "goals.steps": steps}))
    _, refused = told(found)
    assert refused == [
        "goals, row 3, column id: this id is there already, in row 2",
        "goals, row 4, column id: is empty: each row of this sheet has an id of its own",
        "goals.steps, row 3, column id: this id is there already, in row 2",
        "goals.steps, row 4, column goals.id: is empty: it says in which record this row stands",
    ]
    assert [str(r.place) for r in found.loose] == ["goals, row 5, column case"]


def test_a_header_twice_or_without_its_case_refuses_the_file(tmp_path: Path) -> None:
    rows = data([("case", "id", "title", "title", "status"), ("C-1", "g1", "Swim", "Ride", "active")])
    found = read(book(tmp_path / "b.xlsx", {"case": CASES, "goals": rows}))
    assert [(str(r.place), r.rule) for r in found.whole] == [
        ("goals, row 1, column title", "this header is there twice")
    ]


def test_a_file_without_headers_has_none_of_its_first_row_repeated(tmp_path: Path) -> None:
    rows = data([("C-1", "g1", "Wickenbrook", "active"), ("C-1", "g2", "Swim", "active")])
    found = read(book(tmp_path / "b.xlsx", {"case": CASES, "goals": rows}))
    assert [(str(r.place), r.rule) for r in found.whole] == [("goals, row 1, column case", "this column is missing")]
    assert found.remarks == []
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "goals.csv").write_text("C-1,g1,Wickenbrook,Wickenbrook\n", encoding="utf-8")
    with pytest.raises(Malformed) as told_:
        read(tmp_path / "csv")
    assert "Wickenbrook" not in told_.value.detail


def test_capitals_of_sheets_and_headers_and_hidden_sheets_do_not_matter(tmp_path: Path) -> None:
    rows = data([("Case", "ID", "Title *", "STATUS"), ("C-1", "g1", "Swim", "active")])
    case, refused = told(read(book(tmp_path / "b.xlsx", {"CASE": CASES, "Goals": rows})))
    assert (case["goals"], refused) == ([{"id": "g1", "title": "Swim", "status": "active"}], [])


def bomb(path: Path) -> Path:
    """60 MB of blanks, which zip to 60 kB."""
    return book(path / "b.xlsx", {"case": CASES}, extra={"xl/sharedStrings.xml": b" " * 60_000_000})


def many(path: Path) -> Path:
    return book(path / "b.xlsx", {"case": CASES}, extra={f"xl/x{i}.bin": b"" for i in range(archive.MOST_MEMBERS)})


def entities(path: Path) -> Path:
    xml = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><sst>&a;</sst>'
    return book(path / "b.xlsx", {"case": CASES}, extra={"xl/sharedStrings.xml": xml})


def wide(path: Path) -> Path:
    return book(path / "b.xlsx", {"case": CASES, "goals": '<sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
                                  '<row r="2"><c r="XFD2"><v>1</v></c></row></sheetData>'})  # fmt: skip


def deep(path: Path) -> Path:
    """A row at the very end: a million empty ones before it."""
    return book(path / "b.xlsx", {"case": CASES, "goals": '<sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
                                  '<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'})  # fmt: skip


@pytest.mark.parametrize("make", [bomb, many, entities, wide, deep], ids=lambda make: make.__name__)
def test_what_would_grow_or_reach_out_is_not_opened(tmp_path: Path, make: Any) -> None:
    path = make(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises((TooLarge, Malformed)):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def cut(path: Path) -> bytes:
    return path.read_bytes()[:-200]


def not_xml(path: Path) -> bytes:
    return book(path, {"case": "<sheetData><row></sheetData>"}).read_bytes()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(lambda p: b"", id="an empty file"),
        pytest.param(lambda p: b"case,program\nC-1,ontario-csp\n", id="a CSV file by another name"),
        pytest.param(
            lambda p: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, id="an old .xls, or one with a password"
        ),
        pytest.param(cut, id="a file that was cut off"),
        pytest.param(not_xml, id="a sheet that is no XML"),
        pytest.param(lambda p: _zip(p, {"a.txt": b"x"}), id="another zip"),
        pytest.param(lambda p: _zip(p, {"xl/workbook.xml": b"<workbook/>"}), id="a workbook of nothing"),
    ],
)
def test_what_is_no_workbook_is_told_in_a_sentence(tmp_path: Path, content: Any) -> None:
    path = book(tmp_path / "b.xlsx", {"case": CASES})
    path.write_bytes(content(path))
    with pytest.raises(Malformed) as told_:
        read(path)
    assert told_.value.detail.endswith((".", ")."))


def _zip(path: Path, parts: dict[str, bytes]) -> bytes:
    with zipfile.ZipFile(path, "w") as made:
        for name, body in parts.items():
            made.writestr(name, body)
    return path.read_bytes()


@pytest.mark.parametrize("seed", range(6))
def test_a_workbook_with_any_bytes_changed_is_read_or_refused(tmp_path: Path, seed: int) -> None:
    """In the zip, or in the XML of one of its parts: a sentence, never a crash."""
    chance = random.Random(seed)  # noqa: S311  # the same each time
    path = goals(tmp_path, ("C-1", "g1", "Swim", "active", 46418, "x"), ("C-1", "g2", "Ride", "active", None, "=1+1"))
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive_:
        parts = {name: archive_.read(name) for name in archive_.namelist()}
    pieces = [b"<", b'"', b"&", b"\x00", b"</row>", b'<c r="ZZZ999999999">', b' t="d"', b' t="b"', b"e", b""]
    for number in range(15):
        if number % 3 == 0:
            content = bytearray(whole)
            for _ in range(chance.randint(1, 20)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            path.write_bytes(content)
        else:
            name = chance.choice(list(parts))
            content = bytearray(parts[name])
            for _ in range(chance.randint(1, 6)):
                at = chance.randrange(len(content))
                content[at : at + chance.choice([0, 1, 3])] = chance.choice(pieces)
            _zip(path, {**parts, name: bytes(content)})
        try:
            found = read(path)
        except (Malformed, TooLarge):
            continue
        for tell in found.cases.values():
            tell()


TEXT = "case,id,title,status\nC-1,g1,Être prêt — “bientôt”,active\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        pytest.param(TEXT.encode(), "utf-8", id="UTF-8"),
        pytest.param(TEXT.encode("utf-8-sig"), "utf-8-sig", id="with a byte order mark, as Excel writes it"),
        pytest.param(TEXT.encode("utf-16"), "utf-16", id="UTF-16 with its mark"),
        pytest.param(TEXT.encode("utf-16-be").join([b"\xfe\xff", b""]), "utf-16", id="the other way round"),
        pytest.param(TEXT.encode("cp1252"), "cp1252", id="Windows-1252"),
        pytest.param(TEXT.replace(",", ";").encode(), "utf-8", id="semicolons, as in French Excel"),
        pytest.param(TEXT.replace(",", "\t").encode(), "utf-8", id="tabs"),
        pytest.param(TEXT.replace("\n", "\r\n").encode(), "utf-8", id="line ends of Windows"),
    ],
)
def test_a_csv_file_is_read_in_its_encoding(tmp_path: Path, content: bytes, encoding: str) -> None:
    (tmp_path / "goals.csv").write_bytes(content)
    assert tables.opened(tmp_path / "goals.csv", "goals").encoding == encoding
    found = read(tmp_path)
    case, refused = told(found)
    assert (case["goals"][0]["title"], refused) == ("Être prêt — “bientôt”", [])
    assert any("Windows-1252" in words for words in found.remarks) is (encoding == "cp1252")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.encode("utf-16-le"), id="UTF-16 without its mark"),
        pytest.param(b"case,id\nC-1,g\x81\n", id="neither UTF-8 nor Windows-1252"),
        pytest.param(b"case,id\nC-1,g\x00\n", id="a character that no text has"),
        pytest.param(b'case,id\nC-1,"g1\n', id="a quotation mark that never ends"),
        pytest.param(b"case,id\nC-1," + b"x" * 200_000 + b"\n", id="a cell without end"),
        pytest.param(b"", id="an empty file"),
        pytest.param(b"case,id,id\nC-1,a,b\n", id="a header twice"),
    ],
)
def test_a_csv_file_that_cannot_be_read_for_certain_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "goals.csv").write_bytes(content)
    with pytest.raises(Malformed):
        read(tmp_path)


def test_fifty_thousand_rows_of_csv_in_bounded_memory(tmp_path: Path) -> None:
    text = "Another sentence about what matters to this child and to the family in row"
    with (tmp_path / "goals.csv").open("w", encoding="utf-8") as file:
        file.write("case,id,title,status,text\n")
        file.writelines(f"C-{i // 20},g{i % 20},Swim,active,{text} {i}\n" for i in range(50_000))
    tracemalloc.start()
    try:
        found = read(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.rows, len(found.cases)) == (50_000, 2_500)
    assert len(told(found, "C-2499")[0]["goals"]) == 20
    assert peak < 60_000_000


@pytest.mark.skipif(not os.environ.get("CSP_PROOFS"), reason="a minute: `make proofs` runs it")
def test_fifty_thousand_rows_of_a_workbook_in_bounded_memory(tmp_path: Path) -> None:
    rows = ((f"C-{i // 20}", f"g{i % 20}", "Swim", "active", f"A sentence about what matters, in row {i}")
            for i in range(50_000))  # fmt: skip
    path = book(tmp_path / "b.xlsx", {"goals": data([("case", "id", "title", "status", "text"), *rows])})
    tracemalloc.start()
    try:
        found = read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.rows, len(found.cases)) == (50_000, 2_500)
    assert peak < 100_000_000
