"""`adapter new workbook` and `adapter import`: cases in, each whole or not at all, and nothing lost on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from adapter import keep, show, wiring
from adapter.core import strict_json
from adapter.core.desired import Subject, desire
from adapter.core.diff import Holding
from adapter.desk import Desk
from adapter.store import cases, holdings, shares
from tests.cli.conftest import REPOSITORY, Run
from tests.onramp.books import book, data
from tests.onramp.filling import fill, quick

FIXTURES = sorted((REPOSITORY / "fixtures").glob("*/case.json"))
SOURCES = REPOSITORY / "fixtures" / "sources"


def _filed(path: Path) -> Any:
    return strict_json.parse(path.read_bytes())


MINIMAL = _filed(REPOSITORY / "fixtures" / "minimal" / "case.json")


def in_force(case: Any) -> Any:
    """The case with its consents in force today, whenever that is."""
    case = json.loads(json.dumps(case))
    for consent in case["consents"]:
        consent["signed_at"] = consent["period"]["start"] = (date.today() - timedelta(days=30)).isoformat()
        consent["period"]["end"] = (date.today() + timedelta(days=300)).isoformat()
    return case


CASE = in_force(MINIMAL)


@pytest.fixture(scope="session")
def blank(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workbook as it is written, to be copied."""
    path = tmp_path_factory.mktemp("workbooks") / "blank.xlsx"
    assert run("new", "workbook", "--out", path).exit_code == 0
    return path


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """A workbook that holds these cases."""
    numbers = iter(range(100))

    def filled(*filed: Any, **options: Any) -> Path:
        return quick(tmp_path / f"cases-{next(numbers)}.xlsx", *filed, **options)

    return filled


@pytest.fixture(scope="session")
def initialised(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("instances") / "agency"
    assert run("init", folder).exit_code == 0
    for path in (REPOSITORY / "fixtures" / "partners").glob("*.toml"):
        shutil.copy(path, folder / "partners")
    with (folder / "adapter.toml").open("a", encoding="utf-8") as settings:
        settings.write('\n[[sources]]\nid = "forms"\nlabels_topics = true\n')
    return folder


@pytest.fixture
def agency(initialised: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(initialised, tmp_path / "agency"))


@pytest.fixture
def desk(agency: Path) -> Iterator[Desk]:
    wired = wiring.wire(agency)
    yield wired
    wired.store.close()


@pytest.fixture
def take(run: Run, agency: Path) -> Callable[..., tuple[int, Any, str]]:
    """`take(path, "--complete")`: the exit code, the report, the words."""

    def taken(path: Path, *options: str, source: str = "forms") -> tuple[int, Any, str]:
        result = run("--instance", agency, "import", path, "--source", source, *options)
        return result.exit_code, json.loads(result.stdout) if result.stdout else None, result.stderr

    return taken


Take = Callable[..., tuple[int, Any, str]]
Workbook = Callable[..., Path]


def stored(desk: Desk, number: str = "C-0001") -> Any:
    return keep.get_case(desk, number)[0]


def hold(desk: Desk, number: str = "C-0001") -> dict[str, int]:
    """Every partner holds what it should of the case, as a worker would have left it; how many each."""
    counts = {}
    with desk.store.writing() as tx:
        case = cases.get(tx, number)
        assert case is not None
        for share in shares.of_case(tx, case.id):
            made = desire(desk.bench, Subject.of(number, case.body, case.kept), share.partner, desk.clock()).made
            held = [Holding(m.urn, m.type, m.identifier, str(i), "1", "", m.directory, about=m.about)
                    for i, m in enumerate(made)]  # fmt: skip
            holdings.save(tx, share.id, held, now=desk.clock())
            counts[share.partner] = len(held)
    return counts


def normal(value: Any) -> Any:
    """One value and a list of it say the same where the schema takes either."""
    if isinstance(value, dict):
        return {k: normal(v if k not in ("to", "purposes", "parts", "topics", "sector") or isinstance(v, list) else [v])
                for k, v in value.items()}  # fmt: skip
    return [normal(each) for each in value] if isinstance(value, list) else value


def test_every_fixture_goes_through_a_workbook_and_is_the_same(
    take: Take, blank: Path, tmp_path: Path, desk: Desk
) -> None:
    filed = [_filed(path) for path in FIXTURES]
    code, report, _ = take(fill(Path(shutil.copy(blank, tmp_path / "filled.xlsx")), *filed))
    assert (code, report["cases"]["saved"], report["refused"], report["remarks"]) == (0, len(filed), [], [])
    for case in filed:
        assert normal(stored(desk, case["case"])) == normal(case)


def test_the_workbook_explains_offers_codes_and_marks_what_is_required(blank: Path) -> None:
    made = openpyxl.load_workbook(blank)
    assert made.sheetnames[:3] == ["read me", "case", "child"]
    assert made["codes"].sheet_state == "hidden"
    goals = made["goals"]
    headers = {str(cell.value): cell for cell in goals[1]}
    assert {"case *", "id *", "title *", "status *"} <= set(headers) and "text" in headers
    assert "One of: proposed, accepted" in headers["status *"].comment.text
    assert "Refers to child or people/…" in headers["set_by"].comment.text
    letter = headers["status *"].column_letter
    (rule,) = [rule for rule in goals.data_validations.dataValidation if f"{letter}2" in rule.sqref]
    offered = [cell[0].value for cell in made["codes"][str(rule.formula1).partition("!")[2].replace("$", "")]]
    assert offered[:2] == ["proposed", "accepted"] and rule.showErrorMessage


def test_a_workbook_is_never_written_over_one_that_is_there(run: Run, blank: Path) -> None:
    before = blank.read_bytes()
    assert run("new", "workbook", "--out", blank).exit_code == 2
    assert run("new", "workbook", "--out", "cases.csv").exit_code == 2
    assert blank.read_bytes() == before


def test_the_same_again_changes_nothing_and_makes_nothing_due(take: Take, workbook: Workbook, desk: Desk) -> None:
    path = workbook(CASE)
    take(path)
    with desk.store.writing() as tx:
        case = cases.get(tx, "C-0001")
        assert case is not None
        before = [(s.partner, s.due) for s in shares.of_case(tx, case.id)]
    code, report, _ = take(path)
    assert (code, report["cases"]["saved"], report["cases"]["unchanged"]) == (0, 0, 1)
    assert keep.get_case(desk, "C-0001")[1] == 1
    with desk.store.reading() as tx:
        assert [(s.partner, s.due) for s in shares.of_case(tx, case.id)] == before


def test_a_record_remembers_the_source_that_brought_it(take: Take, workbook: Workbook, desk: Desk) -> None:
    """So that text from a system that does not label waits (docs/operating.md)."""
    take(workbook(CASE))
    found = show.standing(desk, "C-0001")
    assert found is not None and found.came["goals/g1"] == "forms"
    code, _, words = take(workbook(CASE), source="nobody")
    assert code == 0 and "adapter.toml has no [[sources]] with the id nobody" in words


def test_a_case_with_one_wrong_row_is_refused_whole_and_the_others_go_on(
    take: Take, workbook: Workbook, desk: Desk
) -> None:
    wrong = json.loads(json.dumps(CASE)) | {"case": "C-9"}
    wrong["goals"][0]["title"] = "Wickenbrook"

    def spoil(sheet: str, case: str, cells: dict[str, Any]) -> None:
        if (sheet, case, cells.get("id")) == ("goals", "C-9", "g2"):
            cells |= {"status": "Wickenbrook", "set_by": "people/wickenbrook", "due": "next Wickenbrook"}

    code, report, words = take(workbook(CASE, wrong, change=spoil))
    assert (code, report["cases"]["saved"], report["cases"]["refused"]) == (1, 1, 1)
    assert [(r["file"], r["column"], r["case"]) for r in report["refused"]] == [
        ("goals", "status", "C-9"), ("goals", "due", "C-9"), ("goals", "set_by", "C-9")]  # fmt: skip
    assert all(r["row"] == report["refused"][0]["row"] for r in report["refused"])
    assert "goals, row 5, column due: must be a date" in words
    assert "wickenbrook" not in (json.dumps(report) + words).lower()
    assert stored(desk)["goals"][0]["id"] == "g1"
    with pytest.raises(keep.NotFound):
        stored(desk, "C-9")


def test_what_only_the_whole_case_shows_is_told_in_its_row_and_column(take: Take, workbook: Workbook) -> None:
    def spoil(sheet: str, case: str, cells: dict[str, Any]) -> None:
        if (sheet, cells.get("id")) == ("goals", "g2"):
            cells["set_by"] = "people/nobody"

    code, report, _ = take(workbook(CASE, change=spoil))
    assert code == 1
    assert [(r["file"], r["row"], r["column"], r["rule"]) for r in report["refused"]] == [
        ("goals", 3, "set_by", "/goals/1/set_by: this reference leads to nothing in the case")
    ]


def test_a_row_without_its_sheets_parent_is_told_where_it_stands(take: Take, tmp_path: Path) -> None:
    steps = data([("case", "goals.id", "id", "text"), ("C-0001", "g77", "s1", "a step of no goal")])
    rows = data([("case", "program"), ("C-0001", "ontario-csp")])
    code, report, _ = take(book(tmp_path / "b.xlsx", {"case": rows, "goals.steps": steps, "child": data([("case",)])}))
    assert code == 1
    assert ("goals.steps", 2) in {(r["file"], r["row"]) for r in report["refused"]}


def partial(path: Path, sheets: dict[str, list[tuple[object, ...]]]) -> Path:
    return book(path / "part.xlsx", {name: data(rows) for name, rows in sheets.items()})


def test_what_the_file_does_not_speak_of_stays(take: Take, workbook: Workbook, desk: Desk, tmp_path: Path) -> None:
    """Rows, sheets and columns that are not there take nothing away; an empty cell of a column that is does."""
    whole = json.loads(json.dumps(CASE))
    whole["goals"][0] |= {"due": "2027-05-01", "rank": 1, "steps": [{"id": "s1", "text": "Loops"}]}
    take(workbook(whole))
    part = {"goals": [("case", "id", "title", "due"), ("C-0001", "g1", "Tie my own shoes", None)]}
    code, report, _ = take(partial(tmp_path, part))
    assert (code, report["cases"]["saved"]) == (0, 1)
    (first, second), now = stored(desk)["goals"], stored(desk)
    assert first == {"id": "g1", "title": "Tie my own shoes", "set_by": "child", "status": "active", "rank": 1,
                     "steps": [{"id": "s1", "text": "Loops"}]}  # fmt: skip
    assert second == whole["goals"][1]
    assert normal(now["consents"]) == normal(whole["consents"])


def test_a_permit_that_is_no_longer_told_goes_and_a_denial_stays(take: Take, workbook: Workbook, desk: Desk) -> None:
    """Without that the file is complete: a family narrowed its consent in the other system."""
    whole = json.loads(json.dumps(CASE))
    whole["consents"][0]["provisions"].append({"id": "p3", "effect": "deny", "topics": ["hiv"]})
    take(workbook(whole))
    narrowed = json.loads(json.dumps(CASE))
    narrowed["consents"][0]["provisions"] = narrowed["consents"][0]["provisions"][:1]
    assert take(workbook(narrowed))[0] == 0
    assert [p["id"] for p in stored(desk)["consents"][0]["provisions"]] == ["p1", "p3"]
    untold = json.loads(json.dumps(CASE))
    untold["consents"][0]["provisions"] = []
    assert take(workbook(untold))[0] == 0
    assert [p["id"] for p in stored(desk)["consents"][0]["provisions"]] == ["p1", "p3"]


def test_a_complete_file_takes_away_what_it_has_a_sheet_for(
    take: Take, workbook: Workbook, desk: Desk, tmp_path: Path
) -> None:
    take(workbook(CASE))
    part = {"case": [("case", "program"), ("C-0001", "ontario-csp")],
            "goals": [("case", "id", "title", "status"), ("C-0001", "g1", "Tie", "active")]}  # fmt: skip
    code, _, _ = take(partial(tmp_path, part), "--complete")
    assert code == 0
    assert [goal["id"] for goal in stored(desk)["goals"]] == ["g1"]
    assert len(stored(desk)["people"]) == 1, "of people the file says nothing"


def test_a_file_may_declare_itself_complete_on_its_first_sheet(take: Take, workbook: Workbook, desk: Desk) -> None:
    take(workbook(CASE))
    fewer = json.loads(json.dumps(CASE))
    fewer["goals"] = fewer["goals"][:1]

    assert take(workbook(fewer))[0] == 0
    assert len(stored(desk)["goals"]) == 2
    assert take(workbook(fewer, first=[("How to fill this in",), ("complete", "no")]))[0] == 0
    assert len(stored(desk)["goals"]) == 2
    assert take(workbook(fewer, first=[("How to fill this in",), ("complete", "yes")]))[0] == 0
    assert len(stored(desk)["goals"]) == 1


def test_a_complete_file_leaves_what_another_source_brought(take: Take, workbook: Workbook, desk: Desk) -> None:
    take(workbook(CASE))
    mine = json.loads(json.dumps(stored(desk)))
    mine["goals"].append({"id": "g3", "title": "From the other system", "status": "active"})
    keep.put_case(desk, "C-0001", json.dumps(mine).encode(), source="other-system")
    assert take(workbook(CASE), "--complete")[0] == 0
    assert [goal["id"] for goal in stored(desk)["goals"]] == ["g1", "g2", "g3"]


def test_a_case_that_a_complete_file_does_not_hold_goes(take: Take, workbook: Workbook, desk: Desk) -> None:
    other = json.loads(json.dumps(CASE)) | {"case": "C-2"}
    take(workbook(CASE, other))
    keep.put_case(desk, "C-3", json.dumps(CASE | {"case": "C-3"}).encode(), source="other-system")
    code, report, _ = take(workbook(CASE), "--complete")
    assert (code, report["cases"]["deleted"]) == (0, 1)
    assert {each["case"] for each in keep.listed(desk, after=None, limit=9)} == {"C-0001", "C-3"}


def test_a_complete_file_of_nothing_waits(take: Take, workbook: Workbook, desk: Desk, tmp_path: Path) -> None:
    """An export that failed must not delete every case, though no partner holds anything."""
    take(workbook(CASE))
    nothing = partial(tmp_path, {"case": [("case", "program")], "goals": [("case", "id", "title")]})
    code, report, _ = take(nothing, "--complete")
    assert (code, report["waits"], report["cases"]["would be deleted"]) == (1, True, 1)
    assert stored(desk)["case"] == "C-0001"
    code, report, _ = take(nothing, "--complete", "--yes")
    assert (code, report["cases"]["deleted"]) == (0, 1)


def test_a_complete_file_with_a_row_of_no_case_takes_nothing_at_all(take: Take, tmp_path: Path, desk: Desk) -> None:
    keep.put_case(desk, "C-0001", json.dumps(CASE).encode(), source="forms")
    part = {"goals": [("case", "id", "title"), ("C-0001", "g1", "Tie"), (None, "g2", "See the doctor")]}
    code, report, _ = take(partial(tmp_path, part), "--complete")
    assert (code, report["cases"]["saved"]) == (1, 0)
    assert len(stored(desk)["goals"]) == 2


def test_consents_that_were_captured_here_stay(take: Take, workbook: Workbook, desk: Desk) -> None:
    """consent.md, *Consent forms*: no import removes them."""
    take(workbook(CASE))
    captured = json.loads(json.dumps(CASE["consents"][0])) | {"id": "captured-here"}
    with desk.store.writing() as tx:
        case = cases.get(tx, "C-0001")
        assert case is not None
        cases.put(tx, "C-0001", case.body, {**case.kept, "captured": [captured]}, now=desk.clock())
    fewer = json.loads(json.dumps(CASE))
    fewer["consents"], fewer["goals"] = [], fewer["goals"][:1]
    assert take(workbook(fewer), "--complete")[0] == 0
    with desk.store.reading() as tx:
        case = cases.get(tx, "C-0001")
    assert case is not None
    assert [c["id"] for c in case.kept["captured"]] == ["captured-here"]
    assert "consents" not in case.body


def test_an_import_that_takes_back_much_waits_for_a_persons_word(take: Take, workbook: Workbook, desk: Desk) -> None:
    take(workbook(CASE))
    count = hold(desk)["lakeside"]
    assert count >= 3
    revoked = json.loads(json.dumps(CASE))
    revoked["consents"][0]["status"] = "revoked"
    path = workbook(revoked)
    for options in ((), ("--dry-run",)):
        code, report, words = take(path, *options)
        assert (code, report["waits"], report["cases"]["would be saved"]) == (1, True, 1)
        (lost,) = report["taken_back"]
        assert (lost["case"], lost["partner"]) == ("C-0001", "lakeside") and lost["resources"] == lost["of"]
        assert "Would be taken back from lakeside, case C-0001" in words and "--yes" in words
        assert stored(desk)["consents"][0]["status"] == "active"
    code, report, _ = take(path, "--yes")
    assert (code, report["waits"], report["cases"]["saved"]) == (0, False, 1)
    assert stored(desk)["consents"][0]["status"] == "revoked"


def test_an_import_that_takes_back_little_does_not_wait(take: Take, workbook: Workbook, desk: Desk) -> None:
    """Under a tenth of what partners hold: a goal of many."""
    many = json.loads(json.dumps(CASE))
    many["goals"] = [{"id": f"g{i}", "title": f"Goal {i}", "status": "active"} for i in range(1, 31)]
    many["consents"][0]["provisions"][1].pop("records")
    take(workbook(many))
    assert hold(desk)["lakeside"] > 30
    fewer = json.loads(json.dumps(many))
    fewer["goals"] = fewer["goals"][:28]
    code, report, _ = take(workbook(fewer), "--complete")
    assert (code, report["waits"], report["taken_back"][0]["resources"]) == (0, False, 2)
    fewer["goals"] = fewer["goals"][:20]
    code, report, _ = take(workbook(fewer), "--complete")
    assert (code, report["waits"]) == (1, True)


def test_a_withdrawn_plan_waits_however_small_it_is(take: Take, workbook: Workbook, desk: Desk) -> None:
    planned = json.loads(json.dumps(CASE))
    planned["goals"] = [{"id": f"g{i}", "title": f"Goal {i}", "status": "active"} for i in range(1, 31)]
    planned["care_plans"] = [{"id": "p1", "status": "active", "title": "The plan", "vision": "Friends"}]
    planned["consents"][0]["provisions"][1] |= {"parts": ["goals", "plan"]}
    planned["consents"][0]["provisions"][1].pop("records")
    take(workbook(planned))
    hold(desk)
    without = {name: value for name, value in planned.items() if name != "care_plans"}
    code, report, _ = take(workbook(without), "--complete")
    assert (code, report["waits"], report["taken_back"][0]["plans"]) == (1, True, 1)


def test_a_dry_run_changes_nothing(take: Take, workbook: Workbook, desk: Desk) -> None:
    code, report, words = take(workbook(CASE), "--dry-run")
    assert (code, report["cases"]["would be saved"]) == (0, 1)
    assert "1 case(s) would be saved" in words
    assert keep.listed(desk, after=None, limit=9) == []


@pytest.mark.parametrize(
    ("path", "source", "numbers"),
    [
        pytest.param("caretrack/export.json", "caretrack", ["CT-501", "CT-502"], id="a nested JSON export"),
        pytest.param("casebook", "casebook", ["301", "302"], id="flat CSV files"),
    ],
)
def test_a_systems_own_export_becomes_cases(take: Take, desk: Desk, path: str, source: str, numbers: list[str]) -> None:
    code, report, _ = take(SOURCES / path, source=source)
    assert (code, report["cases"]["saved"], report["refused"]) == (0, 2, [])
    assert [each["case"] for each in keep.listed(desk, after=None, limit=9)] == numbers
    case = stored(desk, numbers[0])
    assert case["goals"][0]["status"] == "active" and case["goals"][0]["due"] == "2027-06-30"
    assert case["consents"][0]["provisions"][0]["to"] == ["partners/lakeside"]
    assert case["people"][0]["decision_maker"] is True
    code, report, _ = take(SOURCES / path, source=source)
    assert report["cases"] == {"saved": 0, "unchanged": 2, "refused": 0, "deleted": 0}


def test_a_code_that_the_source_does_not_know_refuses_its_row(take: Take, tmp_path: Path) -> None:
    """With the file, row and column in which it stands, though a template lies between."""
    shutil.copytree(SOURCES / "casebook", tmp_path / "casebook")
    goals = tmp_path / "casebook" / "goals.csv"
    goals.write_text(goals.read_text("utf-8").replace("2,Proposed,", "2,Wickenbrook,31/02/2027"), "utf-8")
    family = tmp_path / "casebook" / "family.csv"
    family.write_text(family.read_text("utf-8").replace("302,nana", "302,the nana"), "utf-8")
    code, report, words = take(tmp_path / "casebook", source="casebook")
    assert code == 1
    assert sorted((r["file"], r["row"], r["column"], r["case"]) for r in report["refused"]) == [
        ("family.csv", 4, "PersonId", "302"), ("goals.csv", 3, "Due", "301"), ("goals.csv", 3, "Status", "301"),
    ]  # fmt: skip
    assert "wickenbrook" not in (json.dumps(report) + words).lower()
    export = json.loads((SOURCES / "caretrack" / "export.json").read_text("utf-8"))
    export["export"]["clients"][1]["contacts"][0]["relation"] = "WIC"
    (tmp_path / "export.json").write_text(json.dumps(export), "utf-8")
    code, report, _ = take(tmp_path / "export.json", source="caretrack")
    assert (code, report["cases"]["saved"]) == (1, 1)
    (refused,) = report["refused"]
    assert (refused["file"], refused["column"]) == ("export.json", "/export/clients/1/contacts/0/relation")


@pytest.mark.parametrize("missing", ["goals.csv", "Rank"])
def test_a_file_or_column_that_is_missing_refuses_the_export(take: Take, tmp_path: Path, missing: str) -> None:
    shutil.copytree(SOURCES / "casebook", tmp_path / "casebook")
    goals = tmp_path / "casebook" / "goals.csv"
    if missing == "Rank":
        goals.write_text(goals.read_text("utf-8").replace("Rank", "Place"), "utf-8")
    else:
        goals.unlink()
    code, report, words = take(tmp_path / "casebook", source="casebook")
    assert (code, report["cases"]["saved"]) == (1, 0)
    assert "goals.csv" in words and "missing" in words


def test_an_instance_has_sources_of_its_own(take: Take, agency: Path, run: Run) -> None:
    """`sources/NAME/source.yaml` in its folder; check tells what is wrong there, by line."""
    own = agency / "sources" / "ours"
    shutil.copytree(REPOSITORY / "mappings" / "sources" / "caretrack", own)
    assert take(SOURCES / "caretrack" / "export.json", source="ours")[0] == 0
    text = (own / "source.yaml").read_text("utf-8").replace("birth_date:", "birthdate:")
    (own / "source.yaml").write_text(text, "utf-8")
    line = text[: text.index("birthdate:")].count("\n") + 1
    result = run("--instance", agency, "check")
    assert result.exit_code == 1
    assert f"sources/ours/source.yaml:{line}: column 5: no record schema has `birthdate` here" in result.stdout
    assert take(SOURCES / "caretrack" / "export.json", source="ours")[0] == 1


@pytest.mark.parametrize("name", ["cases.xls", "cases.txt", "cases.json"])
def test_what_is_no_import_is_told_in_a_sentence(take: Take, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    code, report, words = take(tmp_path / name)
    assert (code, report) == (1, None)
    assert words.startswith("adapter: ") and "Traceback" not in words
