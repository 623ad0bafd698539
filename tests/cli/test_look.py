"""What looks and changes nothing: map, preview, validate, check and schema, with and without an instance."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from adapter.catalogue import files_root
from adapter.cli.context import instant
from tests.cli.conftest import REPOSITORY, Run, printed

WITHHELD = "Sleep through the night"
AT = ("--at", "2026-10-01")


def test_map_prints_the_transaction_and_nothing_withheld(run: Run, example: Path) -> None:
    result = run("map", example, "--partner", "lakeside", *AT)
    bundle = printed(result)
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "transaction")
    goals = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Goal"]
    assert [goal["description"]["text"] for goal in goals] == ["Ask for a break with my tablet at school"]
    assert goals[0]["target"][0]["detailQuantity"]["value"] == 3
    assert WITHHELD not in result.stdout
    assert "Efua" not in result.stdout
    assert "C-1042" not in result.stdout
    assert "demonstration secret" in result.stderr


def test_map_writes_to_a_file_and_prints_nothing(run: Run, example: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.json"
    result = run("map", example, "-p", "lakeside", *AT, "--out", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads(out.read_bytes())["resourceType"] == "Bundle"


def test_map_is_the_same_each_time_and_another_for_another_instance(run: Run, example: Path, instance: Path) -> None:
    """Identifiers come from a secret: the demonstration's is fixed, each instance has its own."""
    once, again = (run("map", example, "-p", "lakeside", *AT).stdout for _ in range(2))
    assert once == again
    own = run("--instance", instance, "map", example, "-p", "lakeside", *AT)
    assert own.exit_code == 0
    assert own.stdout != once
    assert "demonstration" not in own.stderr


def test_map_for_a_partner_with_no_permission_is_an_empty_bundle(run: Run, example: Path) -> None:
    assert "entry" not in printed(run("map", example, "-p", "riverside", *AT))


def test_preview_shows_records_resources_and_reasons(run: Run, example: Path) -> None:
    records = printed(run("preview", example, "-p", "lakeside", *AT))
    assert [goal["path"] for goal in records["goals"]] == ["goals/g1"]
    fhir = printed(run("preview", example, "-p", "lakeside", *AT, "--as", "fhir"))
    assert fhir == printed(run("map", example, "-p", "lakeside", *AT))
    told = printed(run("preview", example, "-p", "lakeside", *AT, "--as", "explain"))
    assert {each["path"]: each["outcome"] for each in told["records"]}["goals/g2"] == "withheld"


@pytest.mark.parametrize(
    ("at", "shared"),
    [
        pytest.param("2026-08-31T23:59:59", False, id="a second before its first midnight, agency time"),
        pytest.param("2026-09-01", True, id="on its first day"),
        pytest.param("2027-09-01", False, id="the day after its last"),
    ],
)
def test_at_is_read_in_the_agencys_time_zone(run: Run, example: Path, at: str, shared: bool) -> None:
    assert bool(printed(run("preview", example, "-p", "lakeside", "--at", at))) is shared


@pytest.mark.parametrize("given", ["tomorrow", "2026-13-01", "2026-1-1", "", "20:00", "2026-02-30T10:00"])
def test_a_time_that_is_none_is_a_usage_error(given: str) -> None:
    with pytest.raises(click.BadParameter):
        instant(given, ZoneInfo("America/Toronto"))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        pytest.param(
            "2026-07-01", datetime(2026, 7, 1, 4, tzinfo=UTC), id="a date is the start of that day in the zone"
        ),
        pytest.param("2026-07-01T08:00", datetime(2026, 7, 1, 12, tzinfo=UTC), id="a naive time is in the zone"),
        pytest.param("2026-01-01T08:00", datetime(2026, 1, 1, 13, tzinfo=UTC), id="in winter too"),
        pytest.param("2026-07-01T08:00+02:00", datetime(2026, 7, 1, 6, tzinfo=UTC), id="an offset is taken as said"),
        pytest.param("2026-07-01T08:00Z", datetime(2026, 7, 1, 8, tzinfo=UTC), id="so is UTC"),
    ],
)
def test_a_time_becomes_an_instant(given: str, meant: datetime) -> None:
    assert instant(given, ZoneInfo("America/Toronto")) == meant


def test_a_partner_that_is_not_there_is_answered_with_those_that_are(run: Run, example: Path) -> None:
    result = run("map", example, "-p", "nobody")
    assert result.exit_code == 2
    assert "lakeside" in result.stderr


def test_other_partners_bring_the_agency_beside_them(run: Run, example: Path, tmp_path: Path) -> None:
    """`--partners DIR` takes the adapter.toml beside DIR: here another time zone, in which the consent begins later."""
    shutil.copytree(REPOSITORY / "fixtures" / "partners", tmp_path / "partners")
    agency = (REPOSITORY / "fixtures" / "adapter.toml").read_text(encoding="utf-8")
    (tmp_path / "adapter.toml").write_text(agency.replace("America/Toronto", "America/Vancouver"), encoding="utf-8")
    moment = ("-p", "lakeside", "--at", "2026-09-01T05:00Z")
    assert printed(run("preview", example, *moment)) != {}
    assert printed(run("preview", example, *moment, "--partners", tmp_path / "partners")) == {}


def test_validate_lists_every_problem_and_no_value(run: Run, example: Path) -> None:
    case = json.loads(example.read_bytes())
    case["goals"][0]["status"] = "Wickenbrook"
    case["goals"][1]["set_by"] = "people/wickenbrook"
    case["consents"][0]["period"] = {"start": "2026-09-01", "end": "2026-01-01"}
    result = run("validate", "-", given=json.dumps(case).encode())
    assert result.exit_code == 1
    told = json.loads(result.stdout)
    assert told["valid"] is False
    assert [e["pointer"] for e in told["errors"]] == ["/consents/0/period/end", "/goals/0/status", "/goals/1/set_by"]
    for error in told["errors"]:
        assert f"{error['pointer']}: {error['detail']}" in result.stderr
    assert "wickenbrook" not in (result.stdout + result.stderr).lower()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"\xef\xbb\xbf{}", b'{"a":NaN}', b'{"a":1,"a":2}', b"[" * 100 + b"]" * 100]
)
def test_what_is_no_case_at_all_is_a_finding_not_a_traceback(run: Run, body: bytes) -> None:
    result = run("validate", "-", given=body)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"]


@pytest.mark.parametrize("command", ["map", "preview"])
def test_a_case_that_breaks_rules_is_not_mapped(run: Run, command: str) -> None:
    result = run(
        command, "-", "-p", "lakeside", given=b'{"case": "C-1", "program": "ontario-csp", "child": {}, "x": 1}'
    )
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "/x: this field is not known here" in result.stderr


def test_a_valid_case_is_said_to_be(run: Run, example: Path) -> None:
    assert printed(run("validate", example)) == {"valid": True, "errors": []}


def test_check_finds_nothing_in_the_repository_and_in_a_new_instance(run: Run, instance: Path) -> None:
    for arguments in (("check",), ("--instance", instance, "check")):
        result = run(*arguments)
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Nothing is wrong.\n")


def test_check_prints_file_line_and_problem(run: Run, tmp_path: Path) -> None:
    (tmp_path / "school.toml").write_text('name = "School"\nsectors = ["schools"]\nsince = 2026-01-01\npaused = true\n')
    result = run("check", "--partners", tmp_path)
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{tmp_path}/school.toml:2: sectors: must be a list of one or more of ")
    assert result.stderr == "1 finding(s).\n"
    as_json = run("check", "--partners", tmp_path, "--json")
    assert json.loads(as_json.stdout)[0]["line"] == 2


def test_check_looks_into_another_folder_of_files(run: Run, tmp_path: Path) -> None:
    shutil.copytree(files_root() / "mappings", tmp_path / "mappings")
    (tmp_path / "mappings" / "r4" / "goal.yaml").write_text("each: goals\nmake: {resourceType: Goal, id: '1'}\n")
    result = run("check", "--files", tmp_path)
    assert result.exit_code == 1
    assert result.stdout.startswith("mappings/")
    assert "mappings/r4/goal.yaml:2: " in result.stdout


@pytest.fixture
def broken(instance: Path, tmp_path: Path) -> Path:
    """A copy of the instance, to break."""
    folder = tmp_path / "agency"
    shutil.copytree(instance, folder)
    return folder


def test_check_tells_what_is_wrong_with_an_instance(run: Run, broken: Path) -> None:
    (broken / "keys").chmod(0o644)
    text = (broken / "adapter.toml").read_text(encoding="utf-8")
    (broken / "adapter.toml").write_text("prot = 1\n" + text, encoding="utf-8")
    result = run("--instance", broken, "check")
    assert result.exit_code == 1
    assert "adapter.toml:1: prot: is not a key of this file; did you mean port?" in result.stdout
    assert "keys: others than its owner may use the key file: chmod 600" in result.stdout


def test_check_tells_that_the_keys_are_not_the_databases(run: Run, broken: Path, tmp_path: Path) -> None:
    run("init", tmp_path / "other")
    shutil.copy(tmp_path / "other" / "keys", broken / "keys")
    result = run("--instance", broken, "check")
    assert result.exit_code == 1
    assert "database: The key file is not the one that this database was written with" in result.stdout


@pytest.mark.parametrize("keys", ["", "root x\n", "\udcff"])
def test_check_tells_that_the_key_file_is_broken(run: Run, broken: Path, keys: str) -> None:
    (broken / "keys").write_bytes(keys.encode("utf-8", "surrogateescape"))
    result = run("--instance", broken, "check")
    assert result.exit_code == 1
    assert "key file" in result.stdout


def test_check_tells_that_the_database_is_empty(run: Run, broken: Path) -> None:
    for path in broken.glob("adapter.db*"):
        path.unlink()
    result = run("--instance", broken, "check")
    assert result.exit_code == 1
    assert "database: The database is empty: run `adapter db upgrade`." in result.stdout
    assert run("--instance", broken, "db", "upgrade").exit_code == 0
    assert run("--instance", broken, "check").exit_code == 0


def test_schema_prints_one_and_all(run: Run) -> None:
    goals = printed(run("schema", "goals"))
    assert goals["properties"]["title"]["x-part"] == "goals"
    everything = printed(run("schema"))
    assert everything["goals"] == goals
    assert {"case", "child", "consents", "care_plans"} < set(everything)


def test_map_shows_what_a_partner_would_get_in_the_other_release(run: Run, example: Path) -> None:
    """`--release R5`, whatever the partner's file says; the same resources under the same names."""
    r4, r5 = (printed(run("map", example, "-p", "lakeside", *AT, "--release", release)) for release in ("R4", "R5"))
    assert r4 == printed(run("map", example, "-p", "lakeside", *AT))
    assert [e["fullUrl"] for e in r4["entry"]] == [e["fullUrl"] for e in r5["entry"]]
    (consent,) = [e["resource"] for e in r5["entry"] if e["resource"]["resourceType"] == "Consent"]
    assert consent["decision"] == "deny" and "scope" not in consent
    assert run("map", example, "-p", "lakeside", "--release", "R6").exit_code == 2
